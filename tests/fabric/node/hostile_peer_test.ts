import { assert, assertEquals, assertRejects } from "@std/assert";
import { delay } from "../../../src/core/async/mod.ts";
import { memoryStore, StorageError } from "../../../src/core/storage/mod.ts";
import { FabricError, signReceipts } from "../../../src/fabric/mod.ts";
import { encodeFrame, MAX_BODY } from "../../../src/fabric/rpc/frame.ts";
import { agentOf } from "../_agents.ts";
import { FabricWorld, keptOf } from "../_fabric_world.ts";
import { messageOf } from "../_messages.ts";

Deno.test("a peer that shows another's record takes nothing of the other's", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  const eve = await world.start("eve", "moor");
  world.introduce(ana, bob, eve);
  bob.fabric.handle("who", () => "bob");
  const ask = () => ana.fabric.request(bob.fabric.agent.id, "who");
  assertEquals(await world.settle(ask()), "bob");
  eve.fabric.handle("who", () => "eve");
  await world.settle(eve.fabric.request(ana.fabric.agent.id, "none"))
    .catch(() => {});
  const link = eve.node.links.with(ana.fabric.agent.id)!;
  link.sendRecord(bob.record());
  await world.clock.run(100);
  const found = ana.node.links.with(bob.fabric.agent.id);
  assert(found, "Bob is still live");
  assertEquals([...found.agents], [`${bob.fabric.agent.id}`]);
  assertEquals(await world.settle(ask()), "bob");
});

Deno.test("an agent that joins later speaks over the links that are there", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  bob.fabric.handle("size", (value) => (value as Uint8Array).length);
  const to = bob.fabric.agent.id;
  const size = (bytes: number) => [to, "size", new Uint8Array(bytes)] as const;
  await world.settle(ana.fabric.request(...size(1)));
  const link = ana.node.links.with(to);
  const kim = ana.node.join(agentOf("kim@hill"), { store: memoryStore() });
  // A large message has a stream of its own, and so may come before the record.
  assertEquals(await world.settle(kim.request(...size(100_000))), 100_000);
  assertEquals(await world.settle(kim.request(...size(1))), 1);
  assertEquals([ana.node.links.with(to) === link, link?.isOpen], [true, true]);
});

Deno.test("a handler that refuses at length, or throws what it likes, harms nobody", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  bob.fabric.handle("long", () => {
    throw new FabricError("refused", "no ".repeat(100));
  });
  bob.fabric.handle("huge", () => new Uint8Array(17 * 1024 * 1024));
  bob.fabric.handle("odd", () => Promise.reject(undefined));
  const to = bob.fabric.agent.id;
  const sent = await world.settle(ana.fabric.notify(to, "long"));
  const reason = await world.settle(sent.settled);
  assertEquals(reason, "no ".repeat(100).slice(0, 64));
  for (const type of ["huge", "odd"]) {
    const asked = ana.fabric.request(to, type);
    asked.catch(() => {});
    const error = await world.settle(assertRejects(() => asked, FabricError));
    assertEquals(error.message, "The request was refused: handler_failed");
  }
});

Deno.test("an agent whose handlers never return can leave, and who asked is told", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale", { maxRunning: 1 });
  world.introduce(ana, bob);
  let count = 0;
  bob.fabric.handle("never", () => (count++, new Promise(() => {})));
  const to = bob.fabric.agent.id;
  const asked = [1, 2, 3].map((each) => {
    const request = ana.fabric.request(to, "never", each);
    return assertRejects(() => request, FabricError);
  });
  await world.dtn.until(() => count === 1);
  const before = world.clock.now();
  await world.settle(bob.node.leave(bob.fabric.agent));
  assert(world.clock.now() - before < 1_000);
  for (const each of asked) {
    const error = await world.settle(each);
    assertEquals(error.code, "refused");
  }
  assertEquals(ana.node.links.with(to)?.pending ?? 0, 0);
});

Deno.test("a fabric that is closed twice at once ends for both", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  let count = 0;
  bob.fabric.handle("never", () => (count++, new Promise(() => {})));
  const asked = ana.fabric.request(bob.fabric.agent.id, "never", 1);
  const error = assertRejects(() => asked, FabricError);
  await world.dtn.until(() => count === 1);
  const close = () => bob.fabric[Symbol.asyncDispose]();
  await world.settle(Promise.all([close(), close()]));
  // What is awaited ends by itself at the deadline of the request at the latest.
  await world.settle(error);
});

Deno.test("what is kept gets its turn beside a flood of live requests", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale", { maxRunning: 1 });
  world.introduce(ana, bob);
  const order: string[] = [];
  const holding = Promise.withResolvers<void>();
  bob.fabric.handle("hold", () => holding.promise);
  bob.fabric.handle("ask", () => void order.push("ask"));
  bob.fabric.handle("tell", () => void order.push("tell"));
  const to = bob.fabric.agent.id;
  const held = ana.fabric.request(to, "hold");
  await world.clock.run(100);
  const told = await world.settle(ana.fabric.notify(to, "tell"));
  const asked = Array.from(
    { length: 100 },
    () => ana.fabric.request(to, "ask"),
  );
  await world.clock.run(100);
  holding.resolve();
  await world.settle(Promise.all([held, told.settled, ...asked]));
  assert(order.indexOf("tell") < 3, `in place ${order.indexOf("tell")}`);
});

Deno.test("large messages of one peer are bounded while they come", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  bob.fabric.handle("ask", () => 1);
  const to = bob.fabric.agent.id;
  await world.settle(ana.fabric.request(to, "ask"));
  const [session] = world.sessions;
  // The head of a message as long as can be, and its first byte; the rest never comes.
  const start = encodeFrame("message", new Uint8Array(1));
  new DataView(start.buffer).setUint32(1, MAX_BODY.message);
  for (let i = 0; i < 3; i++) {
    const stream = await world.settle(session!.open());
    await world.settle(stream.write(start)).catch(() => {});
  }
  await world.dtn.until(() => bob.node.links.size === 0);
});

Deno.test("a message with a deadline that nobody could remember is refused", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  bob.fabric.handle("tell", () => {});
  const to = bob.fabric.agent.id;
  const message = messageOf(1, {
    ...{ from: ana.fabric.agent.id, to, type: "tell", wantsReceipts: true },
    ...{ createdMs: world.clock.wallTime(), payload: Uint8Array.of(0xf6) },
    deadlineMs: Number.MAX_SAFE_INTEGER,
  });
  const sent = await world.settle(ana.fabric.send(message));
  assertEquals(await world.settle(sent.settled), "lifetime");
  assertEquals(bob.fabric.counts.refused, 1);
  for (const lifetimeMs of [NaN, -1, 31 * 86_400_000]) {
    await assertRejects(
      () => ana.fabric.notify(to, "tell", 1, { lifetimeMs }),
      RangeError,
    );
  }
  const next = await world.settle(
    ana.fabric.notify(to, "tell", 1, { lifetimeMs: 10_000.5 }),
  );
  assertEquals(await world.settle(next.settled), undefined);
});

Deno.test("receipts about messages that were not sent to who signs them are not kept", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  const eve = await world.start("eve", "moor");
  world.introduce(ana, bob, eve);
  bob.fabric.handle("ask", () => 1);
  const options = { receipts: true };
  const { id: to } = bob.fabric.agent;
  await world.settle(ana.fabric.request(to, "ask", 1, options));
  await world.clock.run(1_000);
  const kept = [...ana.fabric.receipts.entries()].length;
  assert(kept > 0, "receipts of an answered request are kept");
  await world.settle(
    eve.fabric.request(ana.fabric.agent.id, "none").catch(() => {}),
  );
  const receipts = [1, 2, 3].map((n) => ({
    ...{ id: new Uint8Array(16).fill(n), state: "handled" as const },
    ...{ reason: "", atMs: 1 },
  }));
  const signed = signReceipts(eve.fabric.agent, ana.fabric.agent.id, receipts);
  eve.node.links.with(ana.fabric.agent.id)!.sendReceipts(signed);
  await world.dtn.until(() => ana.fabric.foreignReceipts === 3);
  assertEquals([...ana.fabric.receipts.entries()].length, kept);
});

Deno.test("a handler runs once though the store cannot be written for a while", async () => {
  await using world = new FabricWorld();
  const kept = keptOf();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale", {}, kept);
  world.introduce(ana, bob);
  let count = 0;
  const { transaction } = kept.agent;
  bob.fabric.handle("tell", () => {
    count++;
    kept.agent.transaction = () => {
      throw new StorageError("full", "no room");
    };
  });
  const to = bob.fabric.agent.id;
  const sent = await world.settle(ana.fabric.notify(to, "tell"));
  await world.clock.run(10_000);
  assertEquals([count, bob.fabric.counts.handled], [1, 1]);
  kept.agent.transaction = transaction.bind(kept.agent);
  assertEquals(await world.settle(sent.settled), undefined);
  assertEquals(count, 1);
});

Deno.test("a peer that shows its record again and again is sent nothing again", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  bob.fabric.handle("tell", () => new Promise(() => {}));
  await world.settle(ana.fabric.notify(bob.fabric.agent.id, "tell"));
  await world.dtn.until(() => bob.node.links.size === 1);
  await world.clock.run(500);
  const { attempts } = ana.fabric.outbox.counts;
  const link = bob.node.links.with(ana.fabric.agent.id)!;
  for (let i = 0; i < 10; i++) {
    link.sendRecord(bob.record());
    await world.clock.run(100);
  }
  assertEquals(ana.fabric.outbox.counts.attempts, attempts);
});

Deno.test("two nodes that dial each other at the same time keep both links, and lose nothing", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  const handled = [0, 0];
  ana.fabric.handle("ask", (value) => (handled[0]!++, value));
  bob.fabric.handle("ask", (value) => (handled[1]!++, value));
  const values = Array.from({ length: 50 }, (_, i) => i);
  const asked = [[ana, bob], [bob, ana]].flatMap(([from, to]) =>
    values.map((i) =>
      from!.fabric.request(to!.fabric.agent.id, "ask", i) as Promise<number>
    )
  );
  const answers = await world.settle(Promise.all(asked));
  assertEquals(answers, [...values, ...values]);
  assertEquals(handled, [50, 50]);
  assertEquals([ana.node.links.size, bob.node.links.size], [2, 2]);
});

Deno.test("messages whose link breaks again and again are handled once each", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale", { maxRunning: 8 });
  world.introduce(ana, bob);
  const seen = new Map<unknown, number>();
  bob.fabric.handle("tell", async (value) => {
    seen.set(value, (seen.get(value) ?? 0) + 1);
    await delay(world.clock, 200);
  });
  const sent = await Promise.all(
    Array.from(
      { length: 300 },
      (_, i) => ana.fabric.notify(bob.fabric.agent.id, "tell", i),
    ),
  );
  for (let i = 0; i < 3; i++) {
    const before = seen.size;
    await world.dtn.until(() => seen.size > before);
    await world.settle(world.cut());
    await world.clock.run(1_000);
    world.unreachable.clear();
  }
  const ends = await world.settle(
    Promise.all(sent.map(({ settled }) => settled)),
  );
  assertEquals(new Set(ends), new Set([undefined]));
  assertEquals([seen.size, Math.max(...seen.values())], [300, 1]);
});
