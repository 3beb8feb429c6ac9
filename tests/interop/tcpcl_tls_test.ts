import { assertEquals } from "@std/assert";
import { run } from "../../cli/_main.ts";
import { program } from "../../cli/dtn.ts";
import { DecodeError } from "../../src/core/bytes/mod.ts";
import { bundleEidsOf, parsePem } from "../../src/tls/mod.ts";
import { FakeTerminal } from "../cli/_fake_terminal.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { RunningProgram } from "../cli/_run_mixnode.ts";
import { makeAuthority, makeCertificate } from "./_certificates.ts";

const NODE_ID = "1.3.6.1.5.5.7.8.11;IA5:";

async function ran(...args: readonly string[]) {
  const terminal = new FakeTerminal(args);
  const code = await run(program, terminal);
  return { code, stdout: terminal.out, stderr: terminal.err };
}

/** A node that speaks TLS with the certificate `name`. */
async function startNode(
  folder: string,
  id: string,
  name: string,
  more: { readonly peer?: string; readonly tls?: string } = {},
) {
  const state = `${folder}/${id}`;
  const config = `${folder}/${id}.toml`;
  await Deno.writeTextFile(
    config,
    `[node]\nlisten = ["tcpcl://127.0.0.1:0"]\nid = "dtn://${id}/"\n` +
      `plaintext = ["*"]\n` +
      (more.peer ? `peers = ["${more.peer}"]\n` : "") +
      `[tls]\ncertificate = "${folder}/${name}.chain.pem"\n` +
      `key = "${folder}/${name}.key"\nca = "${folder}/ca.pem"\n` +
      `required = true\n${more.tls ?? ""}`,
  );
  const node = new RunningProgram(program, [
    ...["node", "--config", config, "--state", state, "--app-port", "0"],
  ]);
  const [, at, app] = await node.said(
    /at (.+), applications at http:\/\/127\.0\.0\.1:(\d+)/,
  );
  return {
    address: at!,
    app: ["--state", state, "--app-port", app!],
    async end() {
      await node.terminal.send("SIGTERM");
      assertEquals(await node.ended, 0);
    },
  };
}

async function failedDials(app: readonly string[]): Promise<number> {
  const info = await ran("query", "info", "--json", ...app);
  return JSON.parse(info.stdout).failedDials;
}

Deno.test("bundles cross between two nodes in TLS, whose certificate by openssl names host and node", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  await makeAuthority(path);
  await makeCertificate(
    path,
    "two",
    `IP:127.0.0.1,otherName:${NODE_ID}dtn://two/`,
  );
  await makeCertificate(
    path,
    "one",
    `IP:127.0.0.1,otherName:${NODE_ID}dtn://one/`,
  );
  const leaf = parsePem(await Deno.readTextFile(`${path}/two.pem`))[0]!;
  assertEquals(bundleEidsOf(leaf), ["dtn://two/"]);
  for (let at = 0; at < leaf.length; at++) {
    const changed = leaf.slice();
    changed[at]! ^= 0x55;
    try {
      bundleEidsOf(changed);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  }
  const two = await startNode(path, "two", "two");
  const one = await startNode(path, "one", "one", { peer: two.address });
  const letter = `${path}/letter`;
  await Deno.writeTextFile(letter, "in TLS");
  const sent = await ran("send", "dtn://two/in", letter, ...one.app);
  assertEquals(sent.code, 0, sent.stderr);
  const got = await ran("recv", "in", "--wait", "--count", "1", ...two.app);
  assertEquals([got.code, got.stdout], [0, "in TLS\n"], got.stderr);
  await one.end();
  await two.end();
});

Deno.test("a node whose certificate names another node, another host or none is not talked to", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  await makeAuthority(path);
  await makeCertificate(path, "one", "IP:127.0.0.1");
  const cases: [san: string, tls: string, taken: boolean][] = [
    [`IP:127.0.0.1,otherName:${NODE_ID}dtn://three/`, "", false],
    [`IP:127.0.0.2,otherName:${NODE_ID}dtn://two/`, "", false],
    ["IP:127.0.0.1", "", false],
    ["IP:127.0.0.1", "node_id = false\n", true],
    [
      `IP:127.0.0.1,otherName:${NODE_ID}dtn://three/`,
      "node_id = false\n",
      false,
    ],
  ];
  for (const [san, tls, isTaken] of cases) {
    await makeCertificate(path, "two", san);
    const two = await startNode(path, "two", "two");
    const one = await startNode(path, "one", "one", { peer: two.address, tls });
    for (;;) {
      const peers = await ran("query", "peers", "--json", ...one.app);
      const isPeer = JSON.parse(peers.stdout).includes("dtn://two/");
      const hasFailed = await failedDials(one.app) > 0;
      assertEquals(isTaken ? hasFailed : isPeer, false, san);
      if (isPeer || hasFailed) break;
    }
    await one.end();
    await two.end();
  }
});
