import { assertEquals, assertRejects } from "@std/assert";
import { memoryStore, StorageError } from "../../../src/core/storage/mod.ts";
import { type AgentId, FabricError } from "../../../src/fabric/mod.ts";
import {
  Outbox,
  type OutboxLimits,
} from "../../../src/fabric/outbox/outbox.ts";
import { bob, eve, messageOf } from "../_messages.ts";

function world(limits: OutboxLimits = {}) {
  const store = memoryStore();
  const open = () => new Outbox(store, limits);
  return { store, open, outbox: open() };
}

const always = (_to: AgentId) => true;
/** First bytes of the payloads of what is next, until nothing is. */
function drained(outbox: Outbox, isOpen = always): (number | undefined)[] {
  const all: (number | undefined)[] = [];
  for (let next; (next = outbox.next(isOpen));) {
    all.push(next.message.payload[0]);
  }
  return all;
}

Deno.test("what was accepted is given out once, and again after a restart until it is settled", async () => {
  const { outbox, open } = world();
  await Promise.all([1, 2, 3].map((n) => outbox.accept(messageOf(n))));
  assertEquals(drained(outbox), [1, 2, 3]);
  assertEquals(outbox.next(always), undefined);
  assertEquals(outbox.settle(messageOf(2).id)?.equals(bob.id), true);
  assertEquals(outbox.settle(messageOf(2).id), undefined);
  await Promise.resolve();
  const again = open();
  assertEquals(again.size, 2);
  assertEquals(again.next(always)?.message, messageOf(1));
  await again.accept(messageOf(4));
  assertEquals(drained(again), [3, 4]);
});

Deno.test("how a message may travel, and its place in order, outlive a restart", async () => {
  const { outbox, open } = world();
  await outbox.accept(messageOf(1), { way: "bundle", isOrdered: true });
  await outbox.accept(messageOf(2), { way: "rpc" });
  const facts = (each: Outbox) =>
    [...each.entries()].map(({ id, to, priority, size, way, place }) => [
      ...[id, `${to}`, priority, size, way, place],
    ]);
  assertEquals(facts(open()), facts(outbox));
  assertEquals(
    [...open().entries()].map(({ way, place }) => [way, place]),
    [["bundle", 0], ["rpc", undefined]],
  );
});

Deno.test("classes take turns by weight, and none starves", async () => {
  const { outbox } = world({ maxSending: 1_000 });
  for (let n = 0; n < 30; n++) {
    const id = (at: number) => new Uint8Array(16).fill(n + 30 * at);
    await outbox.accept(messageOf(0, { id: id(0), priority: "low" }));
    await outbox.accept(messageOf(3, { id: id(1), priority: "critical" }));
    await outbox.accept(messageOf(2, { id: id(2), priority: "high" }));
  }
  const first = drained(outbox).slice(0, 26);
  const count = (n: number) => first.filter((each) => each === n).length;
  assertEquals([count(3), count(2), count(0)], [16, 8, 2]);
});

Deno.test("agents take turns, and one that cannot be reached holds up nobody", async () => {
  const { outbox } = world();
  for (const n of [1, 2]) await outbox.accept(messageOf(n));
  for (const n of [11, 12]) await outbox.accept(messageOf(n, { to: eve.id }));
  assertEquals(drained(outbox, (to) => to.equals(eve.id)), [11, 12]);
  await outbox.accept(messageOf(13, { to: eve.id }));
  const turns = drained(outbox);
  assertEquals(turns.length, 3);
  assertEquals(turns.slice(0, 2).toSorted((a, b) => a! - b!), [1, 13]);
});

Deno.test("an agent is sent no more than the limit at a time", async () => {
  const { outbox } = world({ maxSending: 2 });
  for (const n of [1, 2, 3]) await outbox.accept(messageOf(n));
  assertEquals(drained(outbox), [1, 2]);
  outbox.settle(messageOf(1).id);
  assertEquals(drained(outbox), [3]);
});

Deno.test("a message rests until its time, or until there is a better way", async () => {
  const { outbox } = world();
  await outbox.accept(messageOf(1));
  outbox.next(always);
  outbox.wait(messageOf(1).id, 500);
  await outbox.tick(499);
  assertEquals(outbox.next(always), undefined);
  await outbox.tick(500);
  assertEquals(outbox.next(always), {
    ...{ message: messageOf(1), way: "auto", failed: 1, taken: 0 },
    ...{ bundledMs: undefined, bundles: 0 },
  });
  outbox.wait(messageOf(1).id, 9_000);
  outbox.hurry(eve.id);
  assertEquals(outbox.next(always), undefined);
  outbox.hurry(bob.id);
  assertEquals(outbox.next(always)?.message.payload, Uint8Array.of(1));
});

Deno.test("what passes its deadline goes to the dead letters, of which the oldest give way", async () => {
  const { outbox, open } = world({ maxDeadLetters: 2 });
  for (const n of [1, 2, 3]) {
    await outbox.accept(messageOf(n, { deadlineMs: 1_000 }));
  }
  await outbox.accept(messageOf(4));
  await outbox.giveUp(messageOf(4).id, "no_record", 500);
  const expired = await outbox.tick(1_000);
  assertEquals(expired.length, 3);
  assertEquals([outbox.size, outbox.bytes, outbox.next(always)], [
    ...[0, 0],
    undefined,
  ]);
  assertEquals([outbox.counts.dead, outbox.counts.forgotten], [4, 2]);
  const letters = [...open().deadLetters()];
  assertEquals(letters.map(({ reason, atMs }) => [reason, atMs]), [
    ["expired", 1_000],
    ["expired", 1_000],
  ]);
  assertEquals(letters[0]?.message, messageOf(2, { deadlineMs: 1_000 }));
});

Deno.test("lower classes leave room for higher ones, also while they are being committed", async () => {
  const { outbox } = world({ maxMessages: 10 });
  const low = (n: number) => outbox.accept(messageOf(n, { priority: "low" }));
  const results = await Promise.allSettled(
    Array.from({ length: 9 }, (_, n) => low(n)),
  );
  const refused = results.filter(({ status }) => status === "rejected");
  assertEquals([refused.length, outbox.counts.full], [2, 2]);
  for (const n of [20, 21, 22]) {
    await outbox.accept(messageOf(n, { priority: "critical" }));
  }
  const { code } = await assertRejects(
    () => outbox.accept(messageOf(23, { priority: "critical" })),
    FabricError,
  );
  assertEquals([code, outbox.size], ["full", 10]);
});

Deno.test("an id is accepted once", async () => {
  const { outbox } = world();
  const both = [outbox.accept(messageOf(1)), outbox.accept(messageOf(1))];
  const [, second] = await Promise.allSettled(both);
  assertEquals(second?.status, "rejected");
  await assertRejects(() => outbox.accept(messageOf(1)), RangeError);
});

Deno.test("messages in order say which may still come, also after a restart and when one is given up", async () => {
  const { outbox, open } = world();
  for (const n of [1, 2, 3]) {
    await outbox.accept(messageOf(n), { isOrdered: true });
  }
  await outbox.accept(messageOf(4));
  const orders = (from: Outbox) => {
    const all = [];
    for (let next; (next = from.next(always));) all.push(next.message.order);
    return all;
  };
  assertEquals(orders(outbox), [
    { sequence: 0, floor: 0 },
    { sequence: 1, floor: 0 },
    { sequence: 2, floor: 0 },
    undefined,
  ]);
  outbox.settle(messageOf(1).id);
  outbox.wait(messageOf(3).id, 5_000);
  await outbox.giveUp(messageOf(2).id, "no", 10);
  assertEquals(orders(outbox), [{ sequence: 2, floor: 2 }]);
  const again = open();
  await again.accept(messageOf(5), { isOrdered: true });
  assertEquals(orders(again), [
    { sequence: 2, floor: 2 },
    undefined,
    { sequence: 3, floor: 2 },
  ]);
});

Deno.test("what is settled while the store cannot be written is sent again after a restart", async () => {
  const { outbox, open, store } = world();
  await outbox.accept(messageOf(1));
  const { transaction } = store;
  store.transaction = () => {
    throw new StorageError("full", "no room");
  };
  assertEquals(outbox.settle(messageOf(1).id)?.equals(bob.id), true);
  await Promise.resolve();
  store.transaction = transaction.bind(store);
  assertEquals([outbox.size, open().size], [0, 1]);
});

Deno.test("what others have us send leaves half of the room", async () => {
  const { outbox } = world({ maxMessages: 10 });
  const options = { isOwed: true };
  for (let n = 0; n < 5; n++) {
    await outbox.accept(messageOf(n, { priority: "critical" }), options);
  }
  await assertRejects(
    () => outbox.accept(messageOf(5, { priority: "critical" }), options),
    FabricError,
  );
  await outbox.accept(messageOf(6, { priority: "low" }));
  assertEquals(outbox.size, 6);
});

Deno.test("of those behind a message that is given up the first tells of it, once those before it are done", async () => {
  const { outbox } = world();
  for (const n of [1, 2, 3, 4]) {
    await outbox.accept(messageOf(n), { isOrdered: true });
  }
  assertEquals(drained(outbox), [1, 2, 3, 4]);
  for (const n of [1, 3, 4]) outbox.wait(messageOf(n).id, 9_000);
  await outbox.giveUp(messageOf(2).id, "no", 10);
  assertEquals(drained(outbox), []);
  outbox.settle(messageOf(1).id);
  const told = outbox.next(always)!.message;
  assertEquals([told.payload[0], told.order], [3, { sequence: 2, floor: 2 }]);
  // While it is under way another is given up: it is sent once more.
  await outbox.accept(messageOf(5), { isOrdered: true });
  assertEquals(drained(outbox), [5]);
  await outbox.giveUp(messageOf(3).id, "no", 20);
  await outbox.giveUp(messageOf(4).id, "no", 20);
  assertEquals(drained(outbox), []);
  outbox.wait(messageOf(5).id, 9_000);
  assertEquals(outbox.next(always)?.message.order, { sequence: 4, floor: 4 });
  outbox.wait(messageOf(5).id, 9_000);
  assertEquals(drained(outbox), []);
});

Deno.test("one behind a message that was given up tells of it in the next life too", async () => {
  const { outbox, open } = world();
  for (const n of [1, 2, 3, 4, 5]) {
    await outbox.accept(messageOf(n), { isOrdered: true });
  }
  for (const n of [2, 4]) await outbox.giveUp(messageOf(n).id, "no", 10);
  const again = open();
  assertEquals(drained(again), [1, 3, 5]);
  for (const n of [1, 3, 5]) again.rest(messageOf(n).id, 9_000);
  assertEquals(drained(again), []);
  for (const [n, next] of [[1, 3], [3, 5]] as const) {
    again.settle(messageOf(n).id);
    const told = again.next(always)!.message;
    const place = next - 1;
    assertEquals([told.payload[0], told.order], [
      next,
      { sequence: place, floor: place },
    ]);
    again.rest(messageOf(next).id, 9_000);
  }
});

Deno.test("what rests for an agent rests until a time at most, once a link with it is over", async () => {
  const { outbox } = world();
  for (const n of [1, 2]) await outbox.accept(messageOf(n));
  drained(outbox);
  outbox.wait(messageOf(1).id, 9_000);
  outbox.wait(messageOf(2).id, 300);
  outbox.hurry(bob.id, 500);
  await outbox.tick(300);
  assertEquals(drained(outbox), [2]);
  await outbox.tick(500);
  assertEquals(drained(outbox), [1]);
});

Deno.test("when a message was last stored as a bundle is known after a restart, unless it says something new", async () => {
  const { outbox, open, store } = world();
  for (const n of [1, 2, 3]) {
    await outbox.accept(messageOf(n), { isOrdered: true });
  }
  assertEquals(drained(outbox), [1, 2, 3]);
  for (const n of [1, 2, 3]) {
    const ms = n === 1 ? undefined : 10 * n;
    outbox.rest(messageOf(n).id, 9_000, ms);
    outbox.hurry(bob.id);
    assertEquals(outbox.next(always)?.bundledMs, ms);
  }
  await outbox.giveUp(messageOf(1).id, "no", 10);
  // The second, which is being sent, tells of it.
  outbox.rest(messageOf(2).id, 9_000);
  assertEquals(outbox.next(always)?.bundledMs, undefined);
  const again = open();
  assertEquals([again.next(always)?.bundledMs, again.next(always)?.bundledMs], [
    20,
    30,
  ]);
  again.settle(messageOf(2).id);
  await again.giveUp(messageOf(3).id, "no", 10);
  assertEquals([...store.entries(Uint8Array.of(0x62))], []);
});
