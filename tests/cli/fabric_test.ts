import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  ranFabric,
  runFabric,
  RunningFabric,
  startFabric,
} from "./_fabric_node.ts";
import { makeFolder } from "./_htx_process.ts";

const LISTEN = ["--listen", "htx://127.0.0.1:0"];

Deno.test("betanet-fabric carries requests and messages between two nodes over HTX, and a third machine verifies the receipts", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  const bob = await RunningFabric.start(`${path}/two`, "bob@two", ...LISTEN);
  const alice = await RunningFabric.start(`${path}/one`, "alice@one", ...[
    ...["--record", bob.agent.record],
  ]);
  const echo = startFabric("listen", "echo", "--echo", ...bob.flags);
  await echo.said(/listens to echo/);
  const answer = await ranFabric(
    ...["request", "bob@two", "echo", '{"n":[1,2.5,"x"]}', ...alice.flags],
  );
  assertEquals(JSON.parse(answer), { n: [1, 2.5, "x"] });
  const note = startFabric("listen", "note", "--count", "1", ...bob.flags);
  await note.said(/listens to note/);
  const sent = await ranFabric(
    ...["send", "bob@two", "note", "hello", "--text", "--wait", "--json"],
    ...["--meta", "topic=greeting", ...alice.flags],
  );
  const { id, outcome } = JSON.parse(sent);
  assertEquals(outcome, "handled");
  assertEquals(await note.ended, 0);
  const letter = JSON.parse(note.terminal.out);
  assertEquals([letter.id, letter.value, letter.from, letter.name], [
    ...[id, "hello", alice.agent.id, "alice@one"],
  ]);
  assertEquals([letter.kind, letter.metadata], ["notify", {
    topic: "greeting",
  }]);
  const shown = await ranFabric(
    "receipts",
    "show",
    id,
    "--json",
    ...alice.flags,
  );
  const states = shown.split("\n").map((line) => JSON.parse(line));
  assertEquals(states.map(({ state }) => state), ["delivered", "handled"]);
  const proof = `${path}/proof`;
  const signed = await ranFabric("receipts", "export", id, ...alice.flags);
  await Deno.writeTextFile(proof, signed);
  await alice.end();
  await echo.terminal.send("SIGTERM");
  await echo.ended;
  await bob.end();
  const verified = await ranFabric(
    ...["receipts", "verify", proof, "--by", bob.agent.id, "--json"],
  );
  const receipts = verified.split("\n").map((line) => JSON.parse(line));
  assertEquals(
    receipts.map(({ id, state, from, by }) => [id, state, from, by]).sort(),
    ["delivered", "handled"].map((state) => [
      ...[id, state, alice.agent.id, bob.agent.id],
    ]),
  );
  const others = await runFabric(
    ...["receipts", "verify", proof, "--by", alice.agent.id],
  );
  assertEquals(others.code, 1);
  const bytes = signed.split("\n")[0]!.split("");
  bytes[80] = bytes[80] === "A" ? "B" : "A";
  await Deno.writeTextFile(proof, bytes.join(""));
  const changed = await runFabric("receipts", "verify", proof);
  assertEquals(changed.code, 1, changed.stdout);
  assertStringIncludes(changed.stderr, "do not verify");
});

Deno.test("betanet-fabric sends a request as a bundle while the other node is down, and the answer comes when it is up", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  const dtnOf = async (name: string, peers: readonly string[]) => {
    const file = `${path}/${name}.toml`;
    await Deno.writeTextFile(
      file,
      `[node]\nid = "dtn://${name}/"\nlisten = ["tcpcl://127.0.0.1:0"]\n` +
        `peers = [${peers.map((each) => `"${each}"`)}]\n`,
    );
    return ["--dtn", file];
  };
  const startBob = async (...args: string[]) =>
    await RunningFabric.start(`${path}/two`, "bob@two", ...[
      ...await dtnOf("two", [alice.printed.contacts[0]!]),
      ...["--type", "sum", ...args],
    ]);
  const record = await ranFabric("keygen", "bob@two", "--state", `${path}/two`);
  const alice = await RunningFabric.start(`${path}/one`, "alice@one", ...[
    ...await dtnOf("one", []),
    ...["--record", record],
  ]);
  const asking = startFabric(
    ...["request", "bob@two", "sum", "[1,2,3]", "--lifetime", "1h"],
    ...alice.flags,
  );
  const status = async ({ flags }: RunningFabric) => {
    const [, state, , port] = flags;
    const token = (await Deno.readTextFile(`${state}/app.token`)).trim();
    const response = await fetch(`http://127.0.0.1:${port}/status`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return await response.json();
  };
  while ((await status(alice)).bundles.sent < 2);
  const bob = await startBob();
  const listening = startFabric(
    ...["listen", "sum", "--answer", "6", "--count", "1", ...bob.flags],
  );
  assertEquals(await asking.ended, 0, asking.terminal.err);
  assertEquals(asking.terminal.out, "6\n");
  assertEquals(await listening.ended, 0);
  assertEquals(JSON.parse(listening.terminal.out).value, [1, 2, 3]);
  const { agents: [{ counts }] } = await status(alice);
  assertEquals(counts.carried.rpc.request, 0);
  assert(counts.carried.bundle.request >= 1);
  await alice.end();
  await bob.end();
});

Deno.test("betanet-fabric serves the applications of the node of bundles that runs with it, if its file has an [app]", async () => {
  await using folder = await makeFolder();
  const state = `${folder.path}/one`;
  const file = `${folder.path}/dtn.toml`;
  const node = '[node]\nid = "dtn://one/"\nlisten = []\n';
  await Deno.writeTextFile(file, node);
  const bare = await RunningFabric.start(state, "alice@one", "--dtn", file);
  assertEquals(bare.printed.bundleApp, undefined);
  await bare.end();
  await Deno.writeTextFile(file, `${node}[app]\nport = 0\n`);
  const alice = await RunningFabric.start(state, "alice@one", "--dtn", file);
  const url = `${alice.printed.bundleApp}/status/store`;
  const unknown = await fetch(url);
  assertEquals([unknown.status, await unknown.text()], [401, "Unauthorized\n"]);
  const token = (await Deno.readTextFile(`${state}/dtn/app.token`)).trim();
  const authorization = `Bearer ${token}`;
  const known = await fetch(url, { headers: { authorization } });
  assertEquals((await known.json()).bundles, 0);
  await alice.end();
});

Deno.test("betanet-fabric refuses messages of types that nobody listens to, keeps those that are configured, and shows what was given up", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  const bob = await RunningFabric.start(`${path}/two`, "bob@two", ...[
    ...[...LISTEN, "--type", "kept", "--status-port", "0"],
  ]);
  const alice = await RunningFabric.start(`${path}/one`, "alice@one");
  const unknown = await runFabric("send", "bob@two", "note", ...alice.flags);
  assertEquals(unknown.code, 1);
  assertStringIncludes(unknown.stderr, "peers add");
  await ranFabric("peers", "add", bob.agent.record, ...alice.flags);
  const peers = JSON.parse(
    await ranFabric("peers", "list", "--json", ...alice.flags),
  );
  assertEquals(
    peers.map(({ name }: { name: string }) => name).sort(),
    ["alice@one", "bob@two"],
  );
  const refused = await runFabric(
    ...["send", "bob@two", "note", "1", "--wait", ...alice.flags],
  );
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, "no_handler");
  const [dead] = JSON.parse(
    await ranFabric("outbox", "dead", "--json", ...alice.flags),
  );
  assertEquals([dead.type, dead.reason], ["note", "no_handler"]);
  await ranFabric("send", "bob@two", "kept", "2", ...alice.flags);
  const kept = startFabric("listen", "kept", "--count", "1", ...bob.flags);
  assertEquals(await kept.ended, 0, kept.terminal.err);
  assertEquals(JSON.parse(kept.terminal.out).value, 2);
  const note = startFabric("listen", "note", "--count", "1", ...bob.flags);
  await note.said(/listens to note/);
  await ranFabric("outbox", "retry", dead.id, ...alice.flags);
  assertEquals(await note.ended, 0, note.terminal.err);
  assertEquals(JSON.parse(note.terminal.out).value, 1);
  const left = await ranFabric("outbox", "dead", "--json", ...alice.flags);
  assertEquals(JSON.parse(left), []);
  const metrics = await fetch(`${bob.printed.status}/metrics`);
  const text = await metrics.text();
  assertStringIncludes(text, 'fabric_received_total{event="handled"} 2');
  assertStringIncludes(text, 'fabric_received_total{event="refused"} 1');
  assertStringIncludes(text, "fabric_links 1");
  await alice.end();
  await bob.end();
});

Deno.test("a message that an application has, and did not answer, comes to the one that listens next", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  const bob = await RunningFabric.start(`${path}/two`, "bob@two", ...[
    ...[...LISTEN, "--type", "job"],
  ]);
  const alice = await RunningFabric.start(`${path}/one`, "alice@one", ...[
    ...["--record", bob.agent.record],
  ]);
  const [, state, , port] = bob.flags;
  const token = (await Deno.readTextFile(`${state}/app.token`)).trim();
  const url = `ws://127.0.0.1:${port}/messages?type=job`;
  const socket = new WebSocket(url, {
    headers: { authorization: `Bearer ${token}` },
  });
  const first = Promise.withResolvers<string>();
  const closed = Promise.withResolvers<void>();
  socket.onmessage = ({ data }) => first.resolve(data);
  socket.onclose = () => closed.resolve();
  await ranFabric("send", "bob@two", "job", '"dig"', ...alice.flags);
  assertEquals(JSON.parse(await first.promise).value, "dig");
  socket.close();
  await closed.promise;
  const next = await ranFabric("listen", "job", "--count", "1", ...bob.flags);
  assertEquals(JSON.parse(next).value, "dig");
  await alice.end();
  await bob.end();
});

Deno.test("betanet-fabric keygen makes a key that is its owner's alone, and replaces none", async () => {
  await using folder = await makeFolder();
  const state = folder.path;
  const made = await runFabric("keygen", "alice@one", "--state", state);
  assertEquals(made.code, 0, made.stderr);
  assert(made.stdout.startsWith("betanet-agent:"));
  const path = `${state}/alice@one.agent`;
  assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
  const again = await runFabric("keygen", "alice@one", "--state", state);
  assertEquals(again.code, 1);
  const bad = await runFabric("keygen", "Alice", "--state", state);
  assertEquals(bad.code, 2);
  assertStringIncludes(bad.stderr, "agent@node");
  await Deno.chmod(path, 0o644);
  const exposed = await runFabric("node", "--state", state);
  assertEquals(exposed.code, 1);
  assertStringIncludes(exposed.stderr, "chmod 600");
  await Deno.chmod(path, 0o600);
  await Deno.writeTextFile(path, "{}");
  const broken = await runFabric("node", "--state", state);
  assertEquals(broken.code, 1);
  assertStringIncludes(broken.stderr, "holds no agent");
});

Deno.test("betanet-fabric node says what is wrong with what it is told", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  const none = await runFabric("node", "--state", `${path}/none`);
  assertEquals(none.code, 2);
  assertStringIncludes(none.stderr, "keygen");
  const state = `${path}/one`;
  await ranFabric("keygen", "alice@one", "--state", state);
  const config = `${path}/fabric.toml`;
  await Deno.writeTextFile(config, "[messages]\nbudgett = 1\n");
  const key = await runFabric("node", "--state", state, "--config", config);
  assertEquals(key.code, 2);
  assertStringIncludes(key.stderr, "messages.budgett");
  const record = await runFabric(
    ...["node", "--state", state, "--record", "betanet-agent:AAAA"],
  );
  assertEquals(record.code, 2);
  assertStringIncludes(record.stderr, "node.records");
  const dtn = `${path}/dtn.toml`;
  await Deno.writeTextFile(dtn, '[node]\nid = "dtn://two/"\nlisten = []\n');
  const other = await runFabric("node", "--state", state, "--dtn", dtn);
  assertEquals(other.code, 2);
  assertStringIncludes(other.stderr, "node id");
  await Deno.writeTextFile(config, '[app]\nhost = "0.0.0.0"\n');
  const open = await runFabric("node", "--state", state, "--config", config);
  assertEquals(open.code, 2);
  assertStringIncludes(open.stderr, "fabric.toml:2: app.host: want localhost");
  await Deno.writeTextFile(
    config,
    '[node.status]\nhost = "0.0.0.0"\nport = 0\n',
  );
  const shown = await runFabric("node", "--state", state, "--config", config);
  assertEquals(shown.code, 2);
  assertStringIncludes(shown.stderr, "node.status.host: want localhost");
  const nobody = await runFabric(
    ...["request", "bob@two", "x", "--state", state, "--app-port", "1"],
  );
  assertEquals(nobody.code, 1);
  const value = await runFabric("send", "bob@two", "x", "{", "--state", state);
  assertEquals(value.code, 2);
  assertStringIncludes(value.stderr, "--text");
});

Deno.test("betanet-fabric says of a command that makes no sense to the node what is wrong, with exit code 2", async () => {
  await using folder = await makeFolder();
  const alice = await RunningFabric.start(`${folder.path}/one`, "alice@one");
  const asked: readonly (readonly [args: readonly string[], want: string])[] = [
    [["send", "Bob", "x"], "An agent is agent@node, or its id"],
    [["request", "", "x"], "An agent is agent@node, or its id"],
    [["peers", "pin", "bob@two", "xx"], "An agent is agent@node, or its id"],
    [["send", "bob@two", "x", "--lifetime", "0s"], "lifetimeMs is 1 to"],
    [["receipts", "show", "zz"], "32 hexadecimal digits"],
  ];
  for (const [args, want] of asked) {
    const { code, stderr } = await runFabric(...args, ...alice.flags);
    assertEquals([args, code], [args, 2], stderr);
    assertStringIncludes(stderr, want);
  }
  const { id } = alice.agent;
  await ranFabric("peers", "pin", "bob@two", id, ...alice.flags);
  const free = await ranFabric("peers", "unpin", "bob@two", ...alice.flags);
  assertEquals(free, "bob@two is nobody's");
  const unknown = await runFabric("send", "bob@two", "x", ...alice.flags);
  assertEquals(unknown.code, 1);
  await alice.end();
});

Deno.test("an interface for applications serves nobody without its token, and no web page", async () => {
  await using folder = await makeFolder();
  const alice = await RunningFabric.start(`${folder.path}/one`, "alice@one");
  const { app } = alice.printed;
  const bare = await fetch(`${app}/agents`);
  assertEquals([bare.status, await bare.text()], [401, "Unauthorized\n"]);
  const page = await fetch(`${app}/agents`, {
    headers: { "sec-fetch-site": "cross-site" },
  });
  assertEquals([page.status, await page.text()], [403, "Not for web pages\n"]);
  await alice.end();
});
