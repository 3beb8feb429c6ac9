import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { BoundedQueue } from "../../src/core/async/mod.ts";

Deno.test("BoundedQueue gives items in order, whatever came first", async () => {
  const queue = new BoundedQueue<number>({ capacity: 10 });
  const early = [queue.shift(), queue.shift()];
  for (const item of [1, 2, 3, 4]) await queue.push(item);
  assertEquals(await Promise.all(early), [1, 2]);
  assertEquals([await queue.shift(), await queue.shift()], [3, 4]);
  assertEquals([queue.size, queue.weight], [0, 0]);
});

Deno.test("offer() drops and counts when the weight is reached", () => {
  const queue = new BoundedQueue<string>({
    capacity: 5,
    weigh: (text) => text.length,
  });
  assertEquals(queue.offer("abc"), true);
  assertEquals(queue.offer("abc"), false);
  assertEquals(queue.offer("ab"), true);
  assertEquals([queue.weight, queue.dropped], [5, 1]);
  assertEquals(queue.drain(), ["abc", "ab"]);
  assertEquals(queue.offer("heavier than all"), true);
});

Deno.test("push() waits for room, in order, and offer() does not overtake", async () => {
  const queue = new BoundedQueue<number>({ capacity: 1 });
  await queue.push(1);
  const pushed: number[] = [];
  const waiting = [2, 3].map((item) =>
    queue.push(item).then(() => pushed.push(item))
  );
  assertEquals(queue.offer(4), false);
  assertEquals(await queue.shift(), 1);
  await waiting[0];
  assertEquals(pushed, [2]);
  assertEquals([await queue.shift(), await queue.shift()], [2, 3]);
  await Promise.all(waiting);
});

Deno.test("shift() and push() reject with the reason of their signal and lose nothing", async () => {
  const queue = new BoundedQueue<number>({ capacity: 1 });
  const controller = new AbortController();
  const { signal } = controller;
  const taking = queue.shift({ signal });
  controller.abort(new Error("Enough"));
  await assertRejects(() => taking, Error, "Enough");
  await queue.push(1);
  const second = new AbortController();
  const pushing = queue.push(2, { signal: second.signal });
  second.abort(new Error("Enough"));
  await assertRejects(() => pushing, Error, "Enough");
  await assertRejects(() => queue.shift({ signal }), Error, "Enough");
  assertEquals(await queue.shift(), 1);
  assertEquals(queue.size, 0);
});

Deno.test("close() lets consumers finish, then ends or fails them", async () => {
  for (const error of [undefined, new Error("Broken")]) {
    const queue = new BoundedQueue<number>({ capacity: 2 });
    await queue.push(1);
    await queue.push(2);
    const pushing = queue.push(3);
    queue.close(error);
    queue.close();
    await assertRejects(() => pushing, TypeError);
    await assertRejects(() => queue.push(4), TypeError);
    assertEquals(queue.offer(4), false);
    const items: number[] = [];
    const iterating = (async () => {
      for await (const item of queue) items.push(item);
    })();
    if (error) await assertRejects(() => iterating, Error, "Broken");
    else await iterating;
    assertEquals(items, [1, 2]);
  }
});

Deno.test("close() wakes a waiting consumer", async () => {
  const ended = new BoundedQueue<number>({ capacity: 1 });
  const broken = new BoundedQueue<number>({ capacity: 1 });
  const waiting = [ended.shift(), broken.shift()] as const;
  ended.close();
  broken.close(new Error("Broken"));
  assertEquals(await waiting[0], undefined);
  await assertRejects(() => waiting[1], Error, "Broken");
});

Deno.test("BoundedQueue stays in order over many items", async () => {
  const queue = new BoundedQueue<number>({ capacity: 7 });
  const count = 10_000;
  const pushing = (async () => {
    for (let i = 1; i <= count; i++) await queue.push(i);
    queue.close();
  })();
  let expected = 1;
  for await (const item of queue) assertEquals(item, expected++);
  assertEquals(expected, count + 1);
  await pushing;
});

Deno.test("BoundedQueue refuses a capacity of 0", () => {
  assertThrows(() => new BoundedQueue({ capacity: 0 }), RangeError);
});
