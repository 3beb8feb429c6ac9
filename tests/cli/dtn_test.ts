import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { run } from "../../cli/_main.ts";
import { program } from "../../cli/dtn.ts";
import { dtnTime } from "../../src/dtn/bundle/dtn_time.ts";
import { createBundle, Eid, encodeBundle } from "../../src/dtn/mod.ts";
import { FakeTerminal } from "./_fake_terminal.ts";
import { makeFolder } from "./_htx_process.ts";
import { RunningProgram } from "./_run_mixnode.ts";

/** RFC 9173 appendix A.2: an encrypted payload. */
const A2 =
  "9f88070000820282010282028202018202820201820018281a000f4240850c02010058508101020182028202018482014c5477656c76653132313231328202018203581869c411276fecddc4780df42c8a2af89296fabf34d7fae7008204008181820150efa4b5ac0108e3816c5606479801bc04850101000058233a09c1e63fe23a7f66a59c7303837241e070b02619fc59c5214a22f08cd70795e73e9aff";

async function ran(...args: readonly string[]) {
  const terminal = new FakeTerminal(args);
  const code = await run(program, terminal);
  return { code, stdout: terminal.out, stderr: terminal.err };
}

/** A node on any ports, whose state is in a folder of its own. */
async function startNode(folder: string, name: string, ...more: string[]) {
  const state = `${folder}/${name}`;
  const node = new RunningProgram(program, [
    ...["node", "--id", `dtn://${name}/`, "--state", state],
    ...["--listen", "tcpcl://127.0.0.1:0", "--app-port", "0"],
    ...more,
  ]);
  const [, at, app] = await node.said(
    /at (tcpcl:.+), applications at http:\/\/127\.0\.0\.1:(\d+)/,
  );
  const addresses = at!.split(" and ");
  return {
    address: addresses[0]!,
    addresses,
    app: ["--state", state, "--app-port", app!],
    state,
    async end() {
      await node.terminal.send("SIGTERM");
      assertEquals(await node.ended, 0);
    },
  };
}

Deno.test("betanet-dtn carries bundles between two nodes, and over a restart of one", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  const open = ["--plaintext", "dtn://two/*", "--plaintext", "dtn://one/*"];
  const two = await startNode(path, "two", ...open);
  const one = await startNode(path, "one", ...open, "--peer", two.address);
  const letter = `${path}/letter`;
  await Deno.writeTextFile(letter, "hello");
  const sent = await ran("send", "dtn://two/in", letter, ...one.app);
  assertEquals(sent.code, 0, sent.stderr);
  const got = await ran("recv", "in", "--wait", "--count", "1", ...two.app);
  assertEquals([got.code, got.stdout], [0, "hello\n"], got.stderr);
  const ping = await ran("ping", "dtn://two/echo", "--count", "2", ...one.app);
  assertEquals(ping.code, 0, ping.stderr);
  assert(/^[0-9.]+ ms\n[0-9.]+ ms\n$/.test(ping.stdout), ping.stdout);
  const peers = await ran("query", "peers", "--json", ...one.app);
  assertEquals(JSON.parse(peers.stdout), ["dtn://two/"]);

  await ran("send", "dtn://one/later", letter, "--json", ...one.app);
  await one.end();
  const again = await startNode(path, "one", ...open);
  const later = await ran("recv", "later", "--json", ...again.app);
  assertEquals(JSON.parse(later.stdout).payload, "aGVsbG8");
  const info = await ran("query", "store", "--json", ...again.app);
  assertEquals(JSON.parse(info.stdout).bundles, 0);
  assertEquals(
    (await Deno.stat(`${one.state}/app.token`)).mode! & 0o777,
    0o600,
  );
  await again.end();
  await two.end();
});

Deno.test("betanet-dtn pushes bundles over HTTP to a node that listens for them", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  const two = await startNode(path, "two", "--listen", "http://127.0.0.1:0");
  const one = await startNode(
    path,
    "one",
    ...["--plaintext", "*", "--peer", `dtn://two/@${two.addresses[1]}`],
  );
  const letter = `${path}/letter`;
  await Deno.writeTextFile(letter, "hello");
  await ran("send", "dtn://two/in", letter, ...one.app);
  const got = await ran("recv", "in", "--wait", "--count", "1", ...two.app);
  assertEquals([got.code, got.stdout], [0, "hello\n"], got.stderr);
  await one.end();
  await two.end();
});

Deno.test("betanet-dtn carries bundles in a folder from one node to another", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  const stick = `${path}/stick`;
  await Deno.mkdir(stick);
  const [one, two] = [
    await startNode(path, "one"),
    await startNode(path, "two"),
  ];
  const texts = ["first", "second", "third"];
  for (const text of texts) {
    await Deno.writeTextFile(`${path}/letter`, text);
    await ran("send", "dtn://two/in", `${path}/letter`, ...one.app);
  }
  await ran("send", "dtn://three/in", `${path}/letter`, ...one.app);
  const exported = async (...flags: string[]) =>
    JSON.parse(
      (await ran("export", stick, "--json", ...flags, ...one.app)).stdout,
    );
  assertEquals(await exported(), {
    written: 0,
    known: 0,
    plaintext: 4,
    strict: 0,
  });
  const open = ["--to", "dtn://two/*", "--plaintext", "*"];
  assertEquals(await exported(...open), {
    written: 3,
    known: 0,
    plaintext: 0,
    strict: 0,
  });
  assertEquals(await exported(...open), {
    written: 0,
    known: 3,
    plaintext: 0,
    strict: 0,
  });
  const imported = async (...flags: string[]) =>
    JSON.parse(
      (await ran("import", stick, "--json", ...flags, ...two.app)).stdout,
    );
  const none = { stored: 0, known: 0, expired: 0, refused: 0, bad: 0 };
  const [cut] = [...Deno.readDirSync(stick)].map(({ name }) => name);
  const whole = await Deno.readFile(`${stick}/${cut}`);
  await Deno.writeFile(`${stick}/${cut}`, whole.subarray(0, -1));
  assertEquals(await imported("--keep"), { ...none, stored: 2, bad: 1 });
  await Deno.writeFile(`${stick}/${cut}`, whole);
  assertEquals(await imported(), { ...none, stored: 1, known: 2 });
  assertEquals([...Deno.readDirSync(stick)], []);
  const forged = createBundle({
    source: Eid.parse("dtn://two/app"),
    destination: Eid.parse("dtn://three/in"),
    creation: { timeMs: dtnTime(Date.now()), sequence: 0 },
    lifetimeMs: 3_600_000,
    extensions: [{ type: 10, data: Uint8Array.of(0x82, 1, 1) }],
    payload: new Uint8Array(1),
  });
  await Deno.writeFile(`${stick}/a.bundle`, encodeBundle(forged));
  assertEquals(await imported(), { ...none, refused: 1 }, "has had its hop");
  const got = await ran("recv", "in", ...two.app);
  assertEquals(got.stdout.trim().split("\n").sort(), texts.sort());
  const absent = await ran("import", `${path}/absent`, ...two.app);
  assertEquals(absent.code, 1);
  assertStringIncludes(absent.stderr, `Cannot read ${path}/absent`);
  await one.end();
  await two.end();
});

Deno.test("betanet-dtn lets nothing leave unencrypted unless it is told to", async () => {
  await using folder = await makeFolder();
  const two = await startNode(folder.path, "two");
  const one = await startNode(folder.path, "one", "--peer", two.address);
  const letter = `${folder.path}/letter`;
  await Deno.writeTextFile(letter, "hello");
  await ran("send", "dtn://two/in", letter, ...one.app);
  for (;;) {
    const info = await ran("query", "info", "--json", ...one.app);
    if (JSON.parse(info.stdout).dropped.plaintext > 0) break;
  }
  assertEquals((await ran("recv", "in", ...two.app)).stdout, "");
  await one.end();
  await two.end();
});

Deno.test("betanet-dtn recv --wait loses no bundle that it cannot write", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  const node = await startNode(path, "one");
  const letter = `${path}/letter`;
  await Deno.writeTextFile(letter, "hello");
  assertEquals(
    (await ran("send", "dtn://one/in", letter, ...node.app)).code,
    0,
  );
  const recv = (output: string) =>
    ran("recv", "in", "--wait", "--output", output, ...node.app);
  assertEquals((await recv(`${path}/nowhere/x`)).code, 1);
  const got = await recv(`${path}/copy`);
  assertEquals(got.code, 0, got.stderr);
  assertEquals(await Deno.readTextFile(`${path}/copy`), "hello");
  const { stdout } = await ran("query", "store", "--json", ...node.app);
  assertEquals(JSON.parse(stdout).bundles, 0);
  const wrong = await ran("recv", "dtn://two/in", "--wait", ...node.app);
  assertEquals(wrong.code, 1);
  assertStringIncludes(wrong.stderr, "400 Not an endpoint of this node");
  await node.end();
  const gone = await ran("recv", "in", "--wait", ...node.app);
  assertEquals(gone.code, 1);
  assertStringIncludes(gone.stderr, "No node answers at 127.0.0.1:");
});

Deno.test("betanet-dtn inspect explains a bundle, and says why another is none", async () => {
  const { code, stdout } = await ran("inspect", "--hex", A2, "--json");
  assertEquals(code, 0);
  const explained = JSON.parse(stdout);
  assertEquals(
    [explained.source, explained.destination, explained.encrypted],
    ["ipn:2.1", "ipn:1.2", "bcb"],
  );
  assertEquals(explained.faults, ["primary_unprotected", "age_missing"]);
  const text = await ran("inspect", "--hex", A2);
  assertStringIncludes(text.stdout, "number=2 type=confidentiality");
  const cut = await ran("inspect", "--hex", A2.slice(0, -2));
  assertEquals(cut.code, 1);
  assertStringIncludes(cut.stderr, "No bundle (truncated)");
  assertEquals((await ran("inspect", "--hex", "9f8")).code, 2);
});

Deno.test("betanet-dtn inspect explains each bundle of a capture, and says what gave none", async () => {
  const { pathname } = new URL(
    "../vectors/dtn/three_layers.pcap",
    import.meta.url,
  );
  const { code, stdout, stderr } = await ran("inspect", "--json", pathname);
  assertEquals([code, stderr], [0, ""]);
  const explained = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(explained.length, 9);
  const { layer, by, id, payloadBytes } = explained[2];
  assertEquals({ layer, by, id, payloadBytes }, {
    layer: "tcpcl",
    by: "dtn://near/",
    id: "dtn://near/tcpcl-853315200000-2",
    payloadBytes: 300,
  });
  await using folder = await makeFolder();
  const cut = `${folder.path}/cut.pcap`;
  const bytes = await Deno.readFile(pathname);
  await Deno.writeFile(cut, bytes.subarray(0, -10));
  const some = await ran("inspect", cut);
  assertEquals(some.code, 0);
  assertStringIncludes(
    some.stderr,
    "left out: the packet in which the file ends (1)",
  );
  await Deno.writeFile(cut, bytes.subarray(0, 24));
  const none = await ran("inspect", cut);
  assertEquals(none.code, 1);
  assertStringIncludes(none.stderr, "No bundle is in the capture");
  bytes[bytes.length - 2]! ^= 1; // a check value, before the end of the bundle
  await Deno.writeFile(cut, bytes);
  const bad = await ran("inspect", cut);
  assertEquals(bad.code, 1);
  assertStringIncludes(bad.stdout, "fault crc: ");
  assertStringIncludes(bad.stderr, "1 of 9 bundles do not decode");
});

Deno.test("betanet-dtn refuses what is wrong, and says what to do", async () => {
  await using folder = await makeFolder();
  const state = ["--state", folder.path];
  for (
    const [args, code, says] of [
      [["node", "--id", "dtn://n/app", ...state], 2, "node.id"],
      [["node", "--peer", "mtcp://127.0.0.1:1", ...state], 2, "node.peers"],
      [["node", "--routing", "static", ...state], 2, "routing.table"],
      [["node", "--listen", "ftp://x:1", ...state], 2, "node.listen"],
      [["query", "weather", ...state], 2, "Want one of nodeid"],
      [["query", "info", ...state], 1, "app.token"],
      [["send", "dtn://x/y", "--lifetime", "soon", ...state], 2, "--lifetime"],
    ] as const
  ) {
    const refused = await ran(...args);
    assertEquals(refused.code, code, refused.stderr);
    assertStringIncludes(refused.stderr, says);
  }
  const printed = await ran("node", "--print-config");
  assertStringIncludes(printed.stdout, "[routing]");
});
