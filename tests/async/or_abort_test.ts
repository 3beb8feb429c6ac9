import { assertEquals, assertRejects } from "@std/assert";
import { orAbort } from "../../src/core/async/mod.ts";

Deno.test("orAbort() gives what the promise comes to, and leaves nothing at the signal", async () => {
  const { signal, heard } = countedSignal();
  assertEquals(await orAbort(Promise.resolve(1), signal), 1);
  await assertRejects(
    () => orAbort(Promise.reject(new RangeError("no")), signal),
    RangeError,
  );
  assertEquals(heard(), 0);
  assertEquals(await orAbort(Promise.resolve(2), undefined), 2);
});

Deno.test("orAbort() throws the reason of the signal, and nobody has to hear how the promise ends", async () => {
  const stop = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  const waiting = assertRejects(
    () => orAbort(promise, stop.signal),
    TypeError,
  );
  stop.abort(new TypeError("stop"));
  await waiting;
  reject(new Error("late"));
  await assertRejects(
    () => orAbort(Promise.resolve(1), stop.signal),
    TypeError,
  );
});

/** A signal, and how many listen to it. */
function countedSignal(): { signal: AbortSignal; heard: () => number } {
  const { signal } = new AbortController();
  let count = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: unknown[]) => {
    count++;
    Reflect.apply(addEventListener, signal, args);
  };
  signal.removeEventListener = (...args: unknown[]) => {
    count--;
    Reflect.apply(removeEventListener, signal, args);
  };
  return { signal, heard: () => count };
}
