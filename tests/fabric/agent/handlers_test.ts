import { assertEquals, assertStrictEquals } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import { FabricError } from "../../../src/fabric/mod.ts";
import { Handlers, type Incoming } from "../../../src/fabric/agent/handlers.ts";
import { encodePayload } from "../../../src/fabric/agent/payload.ts";
import { messageOf } from "../_messages.ts";

const LEFT_MS = 1_000;

/** A message with a handler that never returns. */
function stuck() {
  const clock = new VirtualClock();
  const handlers = new Handlers(clock);
  const { promise: incoming, resolve } = Promise.withResolvers<Incoming>();
  handlers.add("stuck", (_, incoming) => {
    resolve(incoming);
    return new Promise(() => {});
  });
  const message = messageOf(1, {
    type: "stuck",
    deadlineMs: clock.wallTime() + LEFT_MS,
    payload: encodePayload(null),
  });
  return { clock, handlers, incoming, handled: handlers.run(message, true) };
}

Deno.test("a handler's signal aborts at the deadline, also for who asks for it later", async () => {
  for (const isEarly of [true, false]) {
    const { clock, handled, incoming } = stuck();
    const seen = await incoming;
    const early = isEarly ? seen.signal : undefined;
    clock.advance(LEFT_MS - 1);
    assertEquals(early?.aborted ?? false, false);
    clock.advance(1);
    assertEquals(await handled, { state: "refused", reason: "deadline" });
    assertEquals([seen.signal.aborted, seen.isAgain], [true, true]);
    assertEquals((seen.signal.reason as FabricError).code, "expired");
    assertStrictEquals(seen.signal, early ?? seen.signal);
    assertEquals(clock.pendingTimers, 0);
  }
});

Deno.test("close() ends every handler with its reason", async () => {
  const { clock, handlers, handled, incoming } = stuck();
  const { signal } = await incoming;
  handlers.close(new FabricError("closed", "over"));
  assertEquals(await handled, { state: "refused", reason: "closed" });
  assertEquals((signal.reason as FabricError).message, "over");
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("the signal of a handler that is done never aborts", async () => {
  const clock = new VirtualClock();
  const handlers = new Handlers(clock);
  let signal: AbortSignal | undefined;
  handlers.add("quick", (_, incoming) => {
    signal = incoming.signal;
    return 7;
  });
  const message = messageOf(1, {
    type: "quick",
    deadlineMs: clock.wallTime() + LEFT_MS,
    payload: encodePayload(null),
  });
  assertEquals(await handlers.run(message, false), {
    state: "handled",
    answer: encodePayload(7),
  });
  clock.advance(LEFT_MS);
  handlers.close(new FabricError("closed", "over"));
  assertEquals(signal?.aborted, false);
});
