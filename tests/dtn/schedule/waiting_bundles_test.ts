import { assertEquals } from "@std/assert";
import { BinaryHeap } from "../../../src/dtn/schedule/binary_heap.ts";
import { WaitingBundles } from "../../../src/dtn/schedule/waiting_bundles.ts";
import { waiting } from "./_bundle.ts";

Deno.test("WaitingBundles keeps its order when most of many are removed", () => {
  const bundles = new WaitingBundles((a, b) => a.expiresMs - b.expiresMs);
  const expiries = Array.from({ length: 1_000 }, (_, i) => i * 7_919 % 1_000);
  for (const expiresMs of expiries) {
    bundles.add(waiting(`${expiresMs}`, { expiresMs }));
  }
  for (const each of expiries) if (each % 50) bundles.remove(`${each}`);
  assertEquals(bundles.size, 20);
  for (let expiresMs = 0; expiresMs < 1_000; expiresMs += 50) {
    assertEquals(bundles.first?.expiresMs, expiresMs);
    assertEquals(bundles.remove(`${expiresMs}`), true);
  }
  assertEquals([bundles.first, bundles.remove("0")], [undefined, false]);
});

Deno.test("BinaryHeap.retain() lets go of all but what is kept, in order", () => {
  const heap = new BinaryHeap<number>((a, b) => a < b);
  for (const n of [5, 3, 8, 1, 9, 2, 7]) heap.push(n);
  heap.retain((n) => n % 2 === 1);
  assertEquals(heap.size, 5);
  const popped = Array.from({ length: 6 }, () => heap.pop());
  assertEquals(popped, [1, 3, 5, 7, 9, undefined]);
});
