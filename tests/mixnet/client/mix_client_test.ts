import { assert, assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import { utf8 } from "../../../src/core/bytes/mod.ts";
import { MixClientError } from "../../../src/mixnet/client/error.ts";
import { CLIENT_LIMITS } from "../../../src/mixnet/client/client_limits.ts";
import { memoryStore, StorageError } from "../../../src/core/storage/mod.ts";
import type {
  MixClient,
  MixMessage,
} from "../../../src/mixnet/client/mix_client.ts";
import { clientKeys, MixWorld, runUntil } from "./_mix_world.ts";

Deno.test("a message arrives once, and send() resolves when it is in the mailbox", async () => {
  await using t = await start();
  const { clock, alice, bob } = t;
  const got = collect(bob);
  await runUntil(clock, alice.send(bob.address, utf8("hello")));
  await clock.run(5_000);
  assertEquals(got.map(textOf), ["hello"]);
  assertEquals(got[0]!.reply, undefined);
});

Deno.test("a request gets its reply, and reply() resolves when it is there", async () => {
  await using t = await start();
  const { clock, alice, bob } = t;
  const got = collect(bob);
  const reply = alice.request(bob.address, utf8("who are you?"));
  await runUntil(clock, until(clock, () => got.length === 1));
  const replied = got[0]!.reply!(utf8("bob"));
  await runUntil(clock, replied);
  assertEquals(new TextDecoder().decode(await runUntil(clock, reply)), "bob");
  const error = await assertRejects(
    () => got[0]!.reply!(utf8("bob")),
    MixClientError,
  );
  assertEquals(error.code, "expired");
});

for (
  const { loss, duplication, layers } of [
    { loss: 0, duplication: 0, layers: 3 },
    { loss: 0.1, duplication: 0.1, layers: 1 },
    { loss: 0.2, duplication: 0.3, layers: 1 },
  ]
) {
  Deno.test(`every message and reply comes exactly once, with ${loss} lost and ${duplication} doubled per hop, over ${layers} layers`, async () => {
    await using t = await start({ loss, duplication, layers });
    const { clock, alice, bob, world } = t;
    const got = { alice: collect(alice), bob: answer(bob) };
    const texts = [0, 1, 1_576, 1_577, 9_000]
      .map((length) => "0123456789".repeat(1_000).slice(0, length));
    const sent = Promise.all([
      ...texts.map((text) => alice.send(bob.address, utf8(text))),
      ...texts.map((text) => bob.send(alice.address, utf8(text))),
    ]);
    const requests = Promise.all(
      ["a", "b".repeat(3_000)].map((text) =>
        alice.request(bob.address, utf8(text))
      ),
    );
    await runUntil(clock, sent);
    const replies = await runUntil(clock, requests);
    assertEquals(
      replies.map((bytes) => new TextDecoder().decode(bytes)),
      ["a".repeat(12), "b".repeat(36_000)],
    );
    await clock.run(30_000);
    assertEquals(got.alice.map(textOf).sort(), texts.toSorted());
    assertEquals(
      got.bob.map(textOf).sort(),
      [...texts, "a", "b".repeat(3_000)].sort(),
    );
    assertEquals(alice.stats.queuedPackets, 0);
    assertEquals(alice.stats.heldBytes, 0);
    assertEquals(bob.stats.heldBytes, 0);
    assertEquals(alice.stats.retransmissions > 0, loss > 0);
    assertEquals(world.counts.doubled > 0, duplication > 0);
    assertEquals(bob.stats.dropped.foreign_surb, 0);
    assertEquals(world.gateway("east").counts.dropped.malformed, 0);
  });
}

Deno.test("messages wait for a client that is away, over a restart of its gateway", async () => {
  const clock = new VirtualClock();
  const world = new MixWorld(clock, { loss: 0.05 });
  const keys = clientKeys();
  const first = world.client("west", keys);
  const alice = world.client("east", clientKeys());
  await clock.run(2_000);
  await runUntil(clock, first[Symbol.asyncDispose]());
  for (const text of ["one", "two", "three"]) {
    await runUntil(clock, alice.send(first.address, utf8(text)));
  }
  await runUntil(clock, world.restartGateway("west"));
  assert(world.gateway("west").counts.messages >= 3);
  const again = world.client("west", keys);
  const got = collect(again);
  await clock.run(10_000);
  assertEquals(got.map(textOf).sort(), ["one", "three", "two"]);
  await clock.run(30_000);
  assertEquals(got.length, 3);
  assert(world.gateway("west").counts.collected >= 3);
  await close(clock, world, alice, again);
});

Deno.test("clients go on when their gateway restarts while messages are under way", async () => {
  await using t = await start({ loss: 0.05 });
  const { clock, alice, bob, world } = t;
  const got = collect(bob);
  const text = "x".repeat(40_000);
  const sent = alice.send(bob.address, utf8(text));
  await clock.run(1_500);
  await runUntil(clock, world.restartGateway("east"));
  await clock.run(1_500);
  await runUntil(clock, world.restartGateway("west"));
  await runUntil(clock, sent);
  await clock.run(60_000);
  assertEquals(got.map(textOf), [text]);
  assert(alice.stats.links > 1 && bob.stats.links > 1);
});

Deno.test("a gateway that went silent is given up long before a write times out, and messages come when it is back", async () => {
  await using t = await start();
  const { clock, alice, bob, world } = t;
  const got = collect(bob);
  world.cut("west");
  const sent = alice.send(bob.address, utf8("in between"));
  await clock.run(21_000);
  assertEquals(bob.stats.connected, false);
  assertEquals(bob.stats.silences, 1);
  await runUntil(clock, sent);
  assertEquals(got, []);
  world.heal("west");
  await clock.run(35_000);
  assertEquals(got.map(textOf), ["in between"]);
  assertEquals([alice.stats.silences, alice.stats.links], [0, 1]);
});

Deno.test("messages and replies under way across changes of the epoch come once", async () => {
  // Delays of up to some seconds a hop, and an epoch every 10 s.
  await using t = await start({
    epochSeconds: 10,
    meanDelayMs: 700,
    loss: 0.03,
    duplication: 0.05,
  });
  const { clock, alice, bob, world } = t;
  const got = answer(bob);
  const texts = Array.from({ length: 6 }, (_, i) => `${i}`.repeat(5_000));
  const sent: Promise<void>[] = [];
  for (const text of texts) {
    sent.push(alice.send(bob.address, utf8(text)));
    await clock.run(2_500);
  }
  const reply = alice.request(bob.address, utf8("r".repeat(1_000)));
  await runUntil(clock, Promise.all(sent));
  assertEquals(
    new TextDecoder().decode(await runUntil(clock, reply)),
    "r".repeat(12_000),
  );
  await clock.run(15_000);
  assertEquals(
    got.map(textOf).sort(),
    [...texts, "r".repeat(1_000)].sort(),
  );
  assertEquals(alice.stats.heldBytes + bob.stats.heldBytes, 0);
  assert(world.epochs > 4, `${world.epochs}`);
});

Deno.test("who starts again with the same store loses nothing, and gets nothing twice", async () => {
  const clock = new VirtualClock();
  const world = new MixWorld(clock, { loss: 0.1 });
  const [keys, store] = [clientKeys(), memoryStore()];
  const alice = world.client("east", clientKeys());
  const got: string[] = [];
  const sent: Promise<void>[] = [];
  let bob = world.client("west", keys, { store });
  await clock.run(2_000);
  const texts = Array.from({ length: 8 }, (_, i) => `${i}`.repeat(4_000));
  for (const text of texts) {
    sent.push(alice.send(bob.address, utf8(text)));
  }
  for (let run = 0; run < 3; run++) {
    const reading = (async () => {
      for await (const message of bob) got.push(textOf(message));
    })();
    await clock.run(1_500);
    await runUntil(clock, bob[Symbol.asyncDispose]());
    await reading;
    bob = world.client("west", keys, { store });
  }
  const last = collect(bob);
  await runUntil(clock, Promise.all(sent));
  await clock.run(30_000);
  const all = [...got, ...last.map(textOf)];
  assertEquals(all.sort(), texts);
  assert(got.length > 0 && last.length > 0, `${got.length}, ${last.length}`);
  await close(clock, world, alice, bob);
});

Deno.test("a message that was not taken is given again after a restart, and can be replied to then", async () => {
  const clock = new VirtualClock();
  const world = new MixWorld(clock);
  const [keys, store] = [clientKeys(), memoryStore()];
  const alice = world.client("east", clientKeys());
  let bob = world.client("west", keys, { store });
  await clock.run(2_000);
  const request = alice.request(bob.address, utf8("?"));
  await clock.run(5_000);
  assertEquals(bob.stats.fragments.accepted, 1);
  await runUntil(clock, bob[Symbol.asyncDispose]());
  bob = world.client("west", keys, { store });
  answer(bob);
  const reply = await runUntil(clock, request);
  assertEquals(new TextDecoder().decode(reply), "?".repeat(12));
  await close(clock, world, alice, bob);
});

Deno.test("a sender that starts again goes on with what was not acknowledged", async () => {
  const clock = new VirtualClock();
  const world = new MixWorld(clock);
  const [keys, store] = [clientKeys(), memoryStore()];
  const bob = world.client("west", clientKeys());
  let alice = world.client("east", keys, { store });
  await clock.run(2_000);
  const text = "y".repeat(30_000);
  const sent = assertRejects(
    () => alice.send(bob.address, utf8(text)),
    MixClientError,
  );
  await clock.run(1_000);
  await runUntil(clock, alice[Symbol.asyncDispose]());
  assertEquals((await sent).code, "closed");
  const got = collect(bob);
  alice = world.client("east", keys, { store });
  await clock.run(30_000);
  assertEquals(got.map(textOf), [text]);
  assertEquals(alice.stats.queuedPackets, 0);
  await close(clock, world, alice, bob);
});

Deno.test("a reply that was begun goes on when the replier starts again", async () => {
  const clock = new VirtualClock();
  const world = new MixWorld(clock);
  const [keys, store] = [clientKeys(), memoryStore()];
  const alice = world.client("east", clientKeys());
  let bob = world.client("west", keys, { store });
  await clock.run(2_000);
  const request = alice.request(bob.address, utf8("?".repeat(2_000)));
  const got = answer(bob);
  await runUntil(clock, until(clock, () => got.length === 1));
  got[0]!.taken();
  await clock.run(300);
  await runUntil(clock, bob[Symbol.asyncDispose]());
  bob = world.client("west", keys, { store });
  const reply = await runUntil(clock, request);
  assertEquals(new TextDecoder().decode(reply), "?".repeat(24_000));
  await runUntil(clock, bob.close());
  assertEquals(store.entries(utf8("r")).next().done, true);
  await close(clock, world, alice, bob);
});

Deno.test("a store that fails for a while fails sending with its error, and no timer", async () => {
  const clock = new VirtualClock();
  const world = new MixWorld(clock);
  const store = memoryStore();
  let isBroken = false;
  const { set, delete: remove } = {
    set: store.set.bind(store),
    delete: store.delete.bind(store),
  };
  const checked = () => {
    if (isBroken) throw new StorageError("io", "Store failed");
  };
  Object.assign(store, {
    set: (...args: Parameters<typeof set>) => (checked(), set(...args)),
    delete: (key: Uint8Array) => (checked(), remove(key)),
  });
  const alice = world.client("east", clientKeys(), { store });
  const bob = world.client("west", clientKeys());
  await clock.run(1_000);
  const late = assertRejects(
    () => alice.send(bob.address, utf8("late"), { deadlineMs: 10 }),
    MixClientError,
  );
  isBroken = true;
  await assertRejects(
    () => alice.send(bob.address, utf8("?")),
    StorageError,
  );
  await clock.run(1_000);
  assert(alice.stats.storeFailures > 0);
  isBroken = false;
  await clock.run(1_000);
  assertEquals((await late).code, "deadline");
  await runUntil(clock, alice.send(bob.address, utf8("again")));
  await close(clock, world, alice, bob);
});

Deno.test("several readers share the messages, and all end with the client", async () => {
  const t = await start();
  const { clock, alice, bob } = t;
  const readers = [read(bob), read(bob)];
  for (const text of ["a", "b", "c", "d"]) {
    await runUntil(clock, alice.send(bob.address, utf8(text)));
    await clock.run(3_000);
  }
  await t[Symbol.asyncDispose]();
  const all = (await Promise.all(readers)).flat();
  assertEquals(all.sort(), ["a", "b", "c", "d"]);
});

Deno.test("send() fails by its deadline, its signal, its bounds and after close(), each with its error", async () => {
  await using t = await start({ loss: 0.999 });
  const { clock, alice, bob } = t;
  const late = assertRejects(
    () => alice.send(bob.address, utf8("late"), { deadlineMs: 5_000 }),
    MixClientError,
  );
  const unanswered = assertRejects(
    () => alice.request(bob.address, utf8("late"), { deadlineMs: 5_000 }),
    MixClientError,
  );
  assertEquals((await runUntil(clock, late)).code, "deadline");
  assertEquals((await runUntil(clock, unanswered)).code, "deadline");

  const stop = new AbortController();
  const aborted = assertRejects(() =>
    alice.send(bob.address, utf8("stop"), { signal: stop.signal })
  );
  stop.abort(new Error("enough"));
  assertEquals((await aborted as Error).message, "enough");
  assertEquals(alice.stats.queuedPackets, 0);

  const long = new Uint8Array(CLIENT_LIMITS.maxMessageBytes + 1);
  await assertRejects(() => alice.send(bob.address, long), RangeError);
  const low = { ...bob.address, sealKey: new Uint8Array(32) };
  await assertRejects(() => alice.send(low, utf8("?")), RangeError);

  const full = [];
  for (let i = 0; i < 14; i++) {
    full.push(
      assertRejects(
        () => alice.send(bob.address, long.slice(1)),
        MixClientError,
      ),
    );
  }
  const closing = alice[Symbol.asyncDispose]();
  await runUntil(clock, closing);
  const codes = (await Promise.all(full)).map(({ code }) => code);
  assertEquals(codes.filter((code) => code === "queue_full").length, 2);
  assertEquals(codes.filter((code) => code === "closed").length, 12);
  const after = await assertRejects(
    () => alice.send(bob.address, utf8("?")),
    MixClientError,
  );
  assertEquals(after.code, "closed");
});

Deno.test("ping() gives the time of a loop; loops measure loss", async () => {
  const clock = new VirtualClock();
  const world = new MixWorld(clock, { loss: 0.1 });
  const alice = world.client("east", clientKeys(), { loopsPerSecond: 10 });
  await clock.run(30_000);
  const { loops } = alice.stats;
  assert(loops.sent > 200, `${loops.sent}`);
  const way = 1 - 0.9 ** 2; // two hops there
  assert(Math.abs(loops.lost / loops.sent - way) < 0.1, `${loops.lost}`);
  world.loss = 0;
  const tookMs = await runUntil(clock, alice.ping());
  assert(tookMs > 20 && tookMs < 5_000, `${tookMs}`);
  world.loss = 0.999;
  const error = await runUntil(
    clock,
    assertRejects(() => alice.ping({ deadlineMs: 2_000 }), MixClientError),
  );
  assertEquals(error.code, "deadline");
  await close(clock, world, alice);
});

Deno.test("messages that nobody takes stay at the gateway, in bounded memory here, and come when there is room", async () => {
  const clock = new VirtualClock();
  const world = new MixWorld(clock);
  const inbox = { ...CLIENT_LIMITS.inbox, maxBytes: 12_000 };
  const alice = world.client("east", clientKeys(), { packetsPerSecond: 15 });
  const bob = world.client("west", clientKeys(), {
    limits: { ...CLIENT_LIMITS, inbox },
  });
  await clock.run(2_000);
  const texts = Array.from(
    { length: 12 },
    (_, i) => String.fromCharCode(97 + i).repeat(1_500),
  );
  await runUntil(
    clock,
    Promise.all(texts.map((text) => alice.send(bob.address, utf8(text)))),
  );
  await clock.run(10_000);
  assert(bob.stats.heldBytes <= 12_000, `${bob.stats.heldBytes}`);
  assert(bob.stats.fragments.refused > 0);
  const got = collect(bob);
  await runUntil(clock, until(clock, () => got.length === texts.length));
  await clock.run(5_000);
  assertEquals(got.map(textOf).sort(), texts);
  await close(clock, world, alice, bob);
});

Deno.test("the rate of frames does not depend on what there is to send", async () => {
  const counts: number[] = [];
  for (const load of [0, 60]) {
    await using t = await start();
    const { clock, alice, bob } = t;
    const before = alice.stats.framesSent;
    collect(bob);
    for (let i = 0; i < load; i++) {
      alice.send(bob.address, utf8("z".repeat(3_000))).catch(() => {});
    }
    await clock.run(15_000);
    counts.push(alice.stats.framesSent - before);
    assertEquals(alice.stats.realPackets > 50, load > 0);
  }
  // 15 s of (10 + 1) packets per second, and an eighth of all frames besides.
  for (const count of counts) {
    assert(Math.abs(count - 189) < 4 * Math.sqrt(189), counts.join());
  }
});

async function close(
  clock: VirtualClock,
  world: MixWorld,
  ...clients: MixClient[]
): Promise<void> {
  for (const client of clients) {
    await runUntil(clock, client[Symbol.asyncDispose]());
  }
  await runUntil(clock, world.close());
}

async function start(options = {}) {
  const clock = new VirtualClock();
  const world = new MixWorld(clock, options);
  const alice = world.client("east", clientKeys());
  const bob = world.client("west", clientKeys());
  await clock.run(2_000);
  assert(alice.stats.connected && bob.stats.connected);
  return {
    clock,
    world,
    alice,
    bob,
    async [Symbol.asyncDispose]() {
      await runUntil(clock, alice[Symbol.asyncDispose]());
      await runUntil(clock, bob[Symbol.asyncDispose]());
      await runUntil(clock, world.close());
    },
  };
}

/** All messages until the client is closed. */
async function read(client: MixClient): Promise<string[]> {
  const got: string[] = [];
  for await (const message of client) got.push(textOf(message));
  return got;
}

/** Takes messages as they come, and replies with their text twelve times. */
function answer(client: MixClient): MixMessage[] {
  const got: MixMessage[] = [];
  (async () => {
    for await (const message of client) {
      got.push(message);
      message.reply?.(utf8(textOf(message).repeat(12))).catch(() => {});
    }
  })();
  return got;
}

/** Takes messages as they come. */
function collect(client: MixClient): MixMessage[] {
  const got: MixMessage[] = [];
  (async () => {
    for await (const message of client) got.push(message);
  })();
  return got;
}

async function until(clock: VirtualClock, test: () => boolean): Promise<void> {
  while (!test()) {
    await new Promise<void>((resolve) => clock.setTimeout(resolve, 50));
  }
}

function textOf({ bytes }: MixMessage): string {
  return new TextDecoder().decode(bytes);
}
