import { assert, assertEquals } from "@std/assert";
import { concat, equal } from "../../src/core/bytes/mod.ts";
import { ReceiveQueue } from "../../src/htx/receive_queue.ts";
import { generator } from "./_mutation.ts";
import { pattern } from "./_mux_pair.ts";

function take(queue: ReceiveQueue, length: number): Uint8Array {
  const into = new Uint8Array(length);
  return into.subarray(0, queue.read(into));
}

Deno.test("ReceiveQueue gives bytes in order, whatever the pieces", () => {
  const random = generator(41);
  for (let run = 0; run < 100; run++) {
    const queue = new ReceiveQueue();
    const data = pattern(100_000, run);
    const got: Uint8Array[] = [];
    let [pushed, read] = [0, 0];
    while (read < data.length) {
      const sizes = [1, 100, 2_047, 2_048, 5_000, 20_000];
      const piece = data.subarray(pushed, pushed + sizes[random(6)]!).slice();
      if (piece.length > 0) queue.push(piece);
      pushed += piece.length;
      assertEquals(queue.length, pushed - read);
      got.push(take(queue, 1 + random(10_000)));
      read += got.at(-1)!.length;
    }
    assert(equal(concat(...got), data));
    assertEquals(take(queue, 10).length, 0);
  }
});

Deno.test("ReceiveQueue keeps nothing of the caller's but what it was given", () => {
  const queue = new ReceiveQueue();
  queue.push(Uint8Array.of(1));
  const small = Uint8Array.of(2, 3);
  queue.push(small);
  small.fill(9);
  assertEquals(take(queue, 3), Uint8Array.of(1, 2, 3));
});

Deno.test("ReceiveQueue.clear() drops everything, joined pieces too", () => {
  const queue = new ReceiveQueue();
  for (const length of [5, 10, 3_000, 7]) queue.push(pattern(length));
  take(queue, 2);
  assertEquals(queue.clear(), 3_020);
  assertEquals(queue.length, 0);
  queue.push(pattern(100));
  assertEquals(take(queue, 200), pattern(100));
});

Deno.test("ReceiveQueue holds windows full of single bytes in little memory", () => {
  const queues = Array.from({ length: 10 }, () => new ReceiveQueue());
  const before = memory();
  for (const queue of queues) {
    for (let i = 0; i < 65_535; i++) queue.push(Uint8Array.of(i));
  }
  // An object for each of 655,350 bytes would be 130 MiB.
  const grown = memory() - before;
  assert(grown < 40 * 2 ** 20, `${grown} bytes`);
  for (const queue of queues) {
    const all = take(queue, 65_535);
    assertEquals([all.length, all[0], all[300], all[65_534]], [
      65_535,
      0,
      300 % 256,
      65_534 % 256,
    ]);
  }
});

function memory(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}
