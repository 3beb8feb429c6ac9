import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { encodeHex, utf8 } from "../../src/core/bytes/mod.ts";
import { decodeBundle, payloadOf } from "../../src/dtn/bundle/bundle.ts";
import { encryptionOf } from "../../src/dtn/guard/plaintext_guard.ts";
import { run } from "../../cli/_main.ts";
import { program } from "../../cli/dtn.ts";
import { FakeTerminal } from "./_fake_terminal.ts";
import { makeFolder } from "./_htx_process.ts";
import { RunningProgram } from "./_run_mixnode.ts";

const LETTER = "meet me at noon, behind the mill";

async function ran(...args: readonly string[]) {
  const terminal = new FakeTerminal(args);
  const code = await run(program, terminal);
  return { code, stdout: terminal.out, stderr: terminal.err };
}

/** A node `dtn://<name>/` on any ports, with more of a `dtn.toml`. */
async function startNode(
  folder: string,
  name: string,
  toml: string,
  ...more: string[]
) {
  const config = `${folder}/${name}.toml`;
  await Deno.writeTextFile(
    config,
    `[app]\ntoken = "none"\nport = 0\n[node]\nid = "dtn://${name}/"\n${toml}`,
  );
  const node = new RunningProgram(program, [
    ...["node", "--config", config, "--state", `${folder}/${name}`],
    ...["--listen", "tcpcl://127.0.0.1:0", ...more],
  ]);
  const [, address, app] = await node.said(
    /at (tcpcl:.+), applications at (http:\/\/127\.0\.0\.1:\d+)/,
  );
  return {
    address: address!,
    app: app!,
    async end() {
      await node.terminal.send("SIGTERM");
      assertEquals(await node.ended, 0);
    },
  };
}

async function writeKey(path: string, hex: string, mode = 0o600) {
  await Deno.writeTextFile(path, `${hex}\n`);
  await Deno.chmod(path, mode);
}

Deno.test("betanet-dtn encrypts and signs what goes over REST as [security] says, and the node between sees ciphertext", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  await writeKey(`${path}/encrypt`, "22".repeat(32));
  await writeKey(`${path}/sign`, "11".repeat(32));
  const keys = ["confidentiality encrypt", "integrity sign"].map((each) => {
    const [use, file] = each.split(" ");
    return `[[security.keys]]\nof = "dtn://one/"\nuse = "${use}"\nfile = "${path}/${file}"\n`;
  }).join("");
  const rules = (role: string) =>
    ["confidentiality", "integrity"].map((service) =>
      `[[security.rules]]\nrole = "${role}"\nservice = "${service}"\nto = "dtn://two/in"\n`
    ).join("");
  const middle = await startNode(path, "middle", "");
  const one = await startNode(
    path,
    "one",
    keys + rules("source"),
    ...["--peer", middle.address],
  );
  const sent = await fetch(`${one.app}/send?dst=dtn://two/in`, {
    method: "POST",
    body: LETTER,
  });
  const id = (await sent.text()).trim();
  let passing: Response;
  for (;;) {
    passing = await fetch(`${middle.app}/download?${id}`);
    if (passing.ok) break;
    await passing.body?.cancel();
  }
  const bytes = await passing.bytes();
  const bundle = decodeBundle(bytes);
  assertEquals(encryptionOf(bundle), "bcb");
  assertEquals(payloadOf(bundle).length, LETTER.length);
  assert(!encodeHex(bytes).includes(encodeHex(utf8("noon"))));
  const two = await startNode(
    path,
    "two",
    keys + rules("acceptor"),
    ...["--peer", middle.address],
  );
  const port = new URL(two.app).port;
  const got = await ran(
    ...["recv", "in", "--wait", "--count", "1"],
    ...["--config", `${path}/two.toml`, "--app-port", port],
  );
  assertEquals([got.code, got.stdout], [0, `${LETTER}\n`], got.stderr);
  for (const node of [one, middle, two]) await node.end();
});

Deno.test("betanet-dtn refuses keys and rules that cannot be kept, by name", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  await writeKey(`${path}/good`, "22".repeat(32));
  await writeKey(`${path}/exposed`, "22".repeat(32), 0o644);
  await writeKey(`${path}/short`, "22".repeat(8));
  await writeKey(`${path}/text`, "correct horse");
  const key = (file: string, use = "confidentiality") =>
    `[[security.keys]]\nof = "dtn://one/"\nuse = "${use}"\nfile = "${path}/${file}"\n`;
  const rule = (text: string) => `[[security.rules]]\n${text}\n`;
  const encrypts = 'role = "source"\nservice = "confidentiality"\n';
  for (
    const [toml, code, says] of [
      [key("absent"), 1, `${path}/absent`],
      [key("exposed"), 1, `${path}/exposed`],
      [key("short"), 1, "another length"],
      [key("text"), 1, "in hexadecimal"],
      [key("good") + key("good"), 2, "two for confidentiality of dtn://one/"],
      [rule(encrypts), 2, "security.rules[0]: want a key of dtn://one/"],
      [key("good") + rule(`${encrypts}wrap = true`), 2, "for wrapping"],
      [
        key("good") + rule(`${encrypts}targets = ["primary"]`),
        2,
        "cannot be encrypted",
      ],
      [rule('role = "reader"\nservice = "integrity"'), 2, '"acceptor"'],
      [rule('role = "verifier"\nservice = "integrity"\nfrom = "d*n"'), 2, "*"],
      [rule('role = "verifier"\nservice = "integrity"\nfor = "x"'), 2, "for"],
    ] as const
  ) {
    const config = `${path}/dtn.toml`;
    await Deno.writeTextFile(config, toml);
    const refused = await ran(
      ...["node", "--config", config, "--id", "dtn://one/"],
      ...["--state", `${path}/state`],
    );
    assertEquals(refused.code, code, refused.stderr);
    assertStringIncludes(refused.stderr, says);
  }
});
