import { assert, assertEquals, assertMatch } from "@std/assert";
import { run } from "../../cli/_main.ts";
import { clientProgram } from "../../cli/mixnode/client.ts";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { memoryStore } from "../../src/core/storage/mod.ts";
import { formatMixAddress } from "../../src/mixnet/mod.ts";
import { clientKeys, MixWorld, runUntil } from "../mixnet/client/_mix_world.ts";
import { FakeTerminal } from "./_fake_terminal.ts";

Deno.test("client send, recv and address speak with each other", async () => {
  await using t = world();
  const address = await t.run("west", "address");
  const to = address.out.trim();
  assertEquals(to, formatMixAddress(t.addressOf("west")));

  const recv = t.start("west", "recv", "--count", "1", "--reply", "and you?");
  const send = await t.run("east", "send", to, t.file("hello"), "--request");
  assertEquals([send.exitCode, send.out, send.err], [0, "and you?\n", ""]);
  const received = await t.until(recv);
  assertEquals([received.exitCode, received.out], [0, "hello\n"]);

  const plain = await t.run("east", "send", to, t.file("\xff"), "--json");
  assertEquals([plain.exitCode, plain.err], [0, "Sent 2 bytes\n"]);
  const json = await t.run("west", "recv", "--count", "1", "--json");
  assertEquals(JSON.parse(json.out), { bytes: "w78", canReply: false });
});

Deno.test("client recv prints the next message while a requester who is gone takes no reply", async () => {
  await using t = world();
  const to = formatMixAddress(t.addressOf("west"));
  await t.run("west", "ping", "--count", "1"); // its gateway knows it now
  const gone = await t.run(
    ...["east", "send", to, t.file("ask"), "--request"] as const,
    ...["--deadline", "3s"],
  );
  assertEquals([gone.exitCode, gone.err], [
    1,
    "betanet-mixnode client: error: The message was not acknowledged or answered in time\n",
  ]);
  await t.run("east", "send", to, t.file("later"));
  const startMs = t.now();
  const recv = await t.run("west", "recv", "--count", "2", "--reply", "here");
  assertEquals([recv.exitCode, recv.out], [0, "ask\nlater\n"]);
  assert(t.now() - startMs < 90_000, `${t.now() - startMs}`);
  assertMatch(recv.err, /Reply not taken: The client is closed/);
});

Deno.test("client ping prints the time of each loop, and fails if all are lost", async () => {
  await using t = world();
  const ping = await t.run("east", "ping", "--count", "2");
  assertEquals(ping.exitCode, 0);
  assertMatch(ping.out, /^\d+ ms\n\d+ ms\n$/);
  t.mixes.loss = 0.999;
  const lost = await t.run("east", "ping", "--count", "1", "--deadline", "5s");
  assertEquals([lost.exitCode, lost.out], [1, "lost\n"]);
  const late = await t.run(
    "east",
    "send",
    formatMixAddress(t.addressOf("west")),
    t.file("x"),
    "--deadline",
    "2s",
  );
  assertEquals(late.exitCode, 1);
  assertMatch(late.err, /not acknowledged or answered in time/);
});

Deno.test("client commands refuse what is no address, duration or count", async () => {
  await using t = world();
  const to = formatMixAddress(t.addressOf("west"));
  for (
    const args of [
      ["send"],
      ["send", "betanet-mix:AAAA"],
      ["send", to, "--deadline", "soon"],
      ["ping", "--count", "0"],
      ["recv", "--count", "x"],
    ]
  ) {
    const { exitCode, err } = await t.run("east", ...args);
    assertEquals(exitCode, 2);
    assert(err.includes("betanet-mixnode client: error:"), err);
  }
});

function world() {
  const clock = new VirtualClock();
  const mixes = new MixWorld(clock);
  const keys = { east: clientKeys(), west: clientKeys() };
  const folder = Deno.makeTempDirSync();
  const stores = { east: memoryStore(), west: memoryStore() };
  type Name = keyof typeof keys;
  const addressOf = (name: Name) => ({
    gatewayId: mixes.gatewayId(name),
    clientId: keys[name].link.publicKey,
    sealKey: keys[name].seal.publicKey,
  });
  const start = async (name: Name, ...args: string[]) => {
    const terminal = new FakeTerminal(args);
    const program = clientProgram(() =>
      Promise.resolve({
        address: addressOf(name),
        connect: () => mixes.client(name, keys[name], { store: stores[name] }),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      })
    );
    const exitCode = await run(program, terminal);
    return { exitCode, out: terminal.out, err: terminal.err };
  };
  return {
    mixes,
    addressOf,
    start,
    now: () => clock.now(),
    until: <T>(promise: Promise<T>) => runUntil(clock, promise),
    run: (name: Name, ...args: string[]) =>
      runUntil(clock, start(name, ...args)),
    file(text: string) {
      const path = `${folder}/${text.length}`;
      Deno.writeTextFileSync(path, text);
      return path;
    },
    async [Symbol.asyncDispose]() {
      await runUntil(clock, mixes.close());
      Deno.removeSync(folder, { recursive: true });
    },
  };
}
