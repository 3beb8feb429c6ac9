import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { run } from "../../cli/_main.ts";
import { program } from "../../cli/dtn.ts";
import { pemOf, readRecord } from "../../cli/htx/record.ts";
import { FakeTerminal } from "./_fake_terminal.ts";
import { makeFolder } from "./_htx_process.ts";
import { RunningProgram } from "./_run_mixnode.ts";

async function ran(...args: readonly string[]) {
  const terminal = new FakeTerminal(args);
  const code = await run(program, terminal);
  return { code, stdout: terminal.out, stderr: terminal.err };
}

/** A node whose state is in a folder of its own, with the configuration `toml`. */
async function startNode(folder: string, name: string, toml: string) {
  const state = `${folder}/${name}`;
  const config = `${folder}/${name}.toml`;
  await Deno.writeTextFile(config, toml);
  const node = new RunningProgram(program, [
    ...["node", "--config", config, "--id", `dtn://${name}/`],
    ...["--state", state, "--plaintext", "*", "--app-port", "0"],
  ]);
  const [, at, app] = await node.said(
    /at (.+), applications at http:\/\/127\.0\.0\.1:(\d+)/,
  );
  return {
    addresses: at!.split(" and "),
    app: ["--state", state, "--app-port", app!],
    record: `${state}/htx.record`,
    async end() {
      await node.terminal.send("SIGTERM");
      assertEquals(await node.ended, 0);
    },
  };
}

/** The configuration of a node that dials alone. */
function dialling(address: string, record: string): string {
  return `[node]\nlisten = []\npeers = ["${address}"]\n[htx]\nrecords = ["${record}"]\n`;
}

async function send(letter: string, text: string, app: readonly string[]) {
  await Deno.writeTextFile(letter, text);
  const sent = await ran("send", "dtn://two/in", letter, ...app);
  assertEquals(sent.code, 0, sent.stderr);
}

async function receive(app: readonly string[]) {
  const got = await ran("recv", "in", "--wait", "--count", "1", ...app);
  assertEquals(got.code, 0, got.stderr);
  return got.stdout;
}

/** What a visitor without a ticket is answered. */
async function visit(address: string, record: string): Promise<string> {
  const { certificate } = readRecord(record);
  const conn = await Deno.connect({
    hostname: "127.0.0.1",
    port: Number(address.split(":").at(-1)),
  });
  using tls = await Deno.startTls(conn, {
    hostname: "localhost",
    caCerts: [pemOf(certificate!)],
    alpnProtocols: ["http/1.1"],
  });
  const request = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
  await tls.write(new TextEncoder().encode(`${request}\r\n`));
  return await new Response(tls.readable).text();
}

Deno.test("betanet-dtn carries bundles over HTX, and over a restart of the node that listens", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  const listening = (port: string) =>
    `[node]\nlisten = ["htx://127.0.0.1:${port}"]\n`;
  const two = await startNode(path, "two", listening("0"));
  const [address] = two.addresses;
  assert(/^htx:\/\/127\.0\.0\.1:[1-9]\d+$/.test(address!), address);
  const one = await startNode(path, "one", dialling(address!, two.record));
  const letter = `${path}/letter`;
  await send(letter, "hello", one.app);
  assertEquals(await receive(two.app), "hello\n");
  const ping = await ran("ping", "dtn://two/echo", "--count", "1", ...one.app);
  assertEquals(ping.code, 0, ping.stderr);
  const peers = await ran("query", "peers", "--json", ...two.app);
  assertEquals(JSON.parse(peers.stdout), ["dtn://one/"]);
  await two.end();
  await send(letter, "while it is away", one.app);
  const port = address!.split(":").at(-1)!;
  const again = await startNode(path, "two", listening(port));
  assertEquals(await receive(again.app), "while it is away\n");
  await one.end();
  await again.end();
});

Deno.test("betanet-dtn carries bundles over HTX on QUIC, and over a restart of the node that dials", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  const two = await startNode(
    path,
    "two",
    `[node]\nlisten = ["htx://127.0.0.1:0"]\n[htx]\nquic = true\n`,
  );
  const config = `${dialling(two.addresses[0]!, two.record)}carrier = "quic"\n`;
  const letter = `${path}/letter`;
  const one = await startNode(path, "one", config);
  await send(letter, "hello", one.app);
  assertEquals(await receive(two.app), "hello\n");
  await one.end();
  const again = await startNode(path, "one", config);
  await send(letter, "hello again", again.app);
  assertEquals(await receive(two.app), "hello again\n");
  await again.end();
  await two.end();
});

Deno.test("who visits betanet-dtn's htx: address without a ticket sees the decoy, and the node goes on", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  const site = `${path}/site`;
  await Deno.mkdir(site);
  await Deno.writeTextFile(`${site}/index.html`, "<h1>Roses</h1>");
  const two = await startNode(
    path,
    "two",
    `[node]\nlisten = ["htx://127.0.0.1:0"]\n` +
      `[htx.decoy]\ndirectory = "${site}"\n`,
  );
  const page = await visit(two.addresses[0]!, two.record);
  assertStringIncludes(page, "HTTP/1.1 200");
  assertStringIncludes(page, "<h1>Roses</h1>");
  const peers = await ran("query", "peers", "--json", ...two.app);
  assertEquals(JSON.parse(peers.stdout), []);
  await two.end();
});

Deno.test("betanet-dtn takes no node over HTX whose key is not listed, and dials none without a record", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  const stranger = "A".repeat(43);
  const two = await startNode(
    path,
    "two",
    `[node]\nlisten = ["htx://127.0.0.1:0"]\n` +
      `[htx]\nclients = ["${stranger}"]\n`,
  );
  const one = await startNode(
    path,
    "one",
    dialling(two.addresses[0]!, two.record),
  );
  for (;;) {
    const info = await ran("query", "info", "--json", ...one.app);
    if (JSON.parse(info.stdout).failedDials > 0) break;
  }
  const peers = await ran("query", "peers", "--json", ...two.app);
  assertEquals(JSON.parse(peers.stdout), []);
  await one.end();
  const none = await ran(
    ...["node", "--state", `${path}/none`, "--peer", two.addresses[0]!],
  );
  assertEquals(none.code, 2, none.stderr);
  assertStringIncludes(none.stderr, "htx.records");
  await two.end();
});
