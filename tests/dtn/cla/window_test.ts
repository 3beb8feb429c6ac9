import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Window } from "../../../src/dtn/cla/window.ts";

Deno.test("Window admits by number and bytes, and those that wait in order", async () => {
  const window = new Window({ maxCount: 3, maxBytes: 100 });
  assertEquals(window.tryEnter(60), true);
  assertEquals(window.tryEnter(50), false);
  const order: string[] = [];
  const large = window.enter(50).then(() => order.push("large"));
  const small = window.enter(1).then(() => order.push("small"));
  assertEquals(window.tryEnter(1), false, "nobody overtakes");
  window.leave(60);
  await Promise.all([large, small]);
  assertEquals(order, ["large", "small"]);
  assertEquals(window.tryEnter(1), true);
  assertEquals(window.tryEnter(1), false, "three are inside");
});

Deno.test("what is larger than a Window enters alone", async () => {
  const window = new Window({ maxCount: 3, maxBytes: 100 });
  await window.enter(1_000);
  assertEquals(window.tryEnter(0), false);
  window.leave(1_000);
  assertEquals(window.tryEnter(100), true);
});

Deno.test("Window lets an aborted wait go, and those behind it in", async () => {
  const window = new Window({ maxCount: 9, maxBytes: 100 });
  await window.enter(50);
  const controller = new AbortController();
  const reason = new Error("Enough");
  const large = window.enter(90, { signal: controller.signal });
  const small = window.enter(10);
  controller.abort(reason);
  assertStrictEquals(await large.catch((error) => error), reason);
  await small;
});

Deno.test("a closed Window fails those that wait and will wait", async () => {
  const window = new Window({ maxCount: 1, maxBytes: 1 });
  await window.enter(1);
  const waiting = assertRejects(() => window.enter(1), Error, "Over");
  window.close(new Error("Over"));
  await waiting;
  await assertRejects(() => window.enter(1), Error, "Over");
});
