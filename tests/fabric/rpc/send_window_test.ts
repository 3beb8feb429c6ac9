import { assertEquals, assertRejects } from "@std/assert";
import { SendWindow } from "../../../src/fabric/rpc/send_window.ts";

Deno.test("messages wait in order for room, and a long one goes alone", async () => {
  const window = new SendWindow(2, 100);
  const entered: number[] = [];
  const enter = (n: number, size: number) =>
    window.enter(size).then(() => void entered.push(n));
  await enter(1, 60);
  await enter(2, 40);
  const rest = [enter(3, 10), enter(4, 500), enter(5, 1)];
  await Promise.resolve();
  assertEquals([entered, window.waiting], [[1, 2], 3]);
  window.leave(60);
  await rest[0];
  window.leave(40);
  await Promise.resolve();
  assertEquals(entered, [1, 2, 3]);
  window.leave(10);
  await rest[1];
  assertEquals(entered, [1, 2, 3, 4]);
  window.leave(500);
  await rest[2];
});

Deno.test("who waits no longer lets others pass, and a closed window nobody", async () => {
  const window = new SendWindow(1, 100);
  await window.enter(1);
  const abort = new AbortController();
  const gone = window.enter(1, abort.signal);
  const last = window.enter(1);
  abort.abort(new RangeError("gone"));
  await assertRejects(() => gone, RangeError);
  window.leave(1);
  await last;
  const closed = window.enter(1);
  window.close(new RangeError("over"));
  await assertRejects(() => closed, RangeError, "over");
});
