import { assertEquals, assertThrows } from "@std/assert";
import { DelayQueue } from "../../../src/mixnet/node/delay_queue.ts";
import { seededRandom } from "./_draws.ts";

Deno.test("DelayQueue gives what is due, in order of time and then of addition", () => {
  const queue = new DelayQueue<string>(8);
  for (
    const [item, due] of [["c", 3], ["a", 1], ["b", 2], ["b2", 2]] as const
  ) {
    queue.push(item, due);
  }
  assertEquals(queue.nextMs, 1);
  assertEquals(queue.pop(0), undefined);
  assertEquals([queue.pop(2), queue.pop(2), queue.pop(2)], ["a", "b", "b2"]);
  assertEquals(queue.pop(2), undefined);
  assertEquals(queue.nextMs, 3);
  assertEquals(queue.pop(3), "c");
  assertEquals([queue.size, queue.nextMs], [0, Infinity]);
});

Deno.test("DelayQueue sorts as a sorted array does, with additions and removals mixed", () => {
  const random = seededRandom(5);
  const queue = new DelayQueue<number>(500);
  let model: { due: number; id: number }[] = [];
  for (let id = 0, now = 0; id < 5_000; id++) {
    const due = now + Math.floor(random() * 50);
    if (queue.push(id, due)) model.push({ due, id });
    if (random() < 0.3) {
      now += Math.floor(random() * 5);
      const taken: number[] = [];
      for (let item; (item = queue.pop(now)) !== undefined;) taken.push(item);
      model.sort((a, b) => a.due - b.due || a.id - b.id);
      assertEquals(
        taken,
        model.filter((each) => each.due <= now).map((each) => each.id),
      );
      model = model.filter((each) => each.due > now);
    }
    assertEquals(queue.size, model.length);
  }
});

Deno.test("a full DelayQueue takes nothing, and again after something left", () => {
  const queue = new DelayQueue<string>(2);
  assertEquals([queue.push("a", 1), queue.push("b", 2), queue.push("c", 0)], [
    true,
    true,
    false,
  ]);
  assertEquals(queue.pop(1), "a");
  assertEquals(queue.push("c", 0), true);
  assertEquals(queue.pop(9), "c");
});

Deno.test("DelayQueue wants a whole capacity above 0", () => {
  for (const capacity of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(() => new DelayQueue(capacity), RangeError);
  }
});
