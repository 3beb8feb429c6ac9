import { assertEquals } from "@std/assert";
import { BoundedQueue, VirtualClock } from "../../src/core/async/mod.ts";
import { HandshakeListener } from "../../src/core/transport/mod.ts";

const MAX_HANDSHAKES = 256;

/** A listener whose handshakes end when told to, and that takes `acceptMs` to accept each. */
function listening(clock: VirtualClock, acceptMs = 0) {
  const arrivals = new BoundedQueue<number>({ capacity: 1_000 });
  /** Ends the handshakes under way, by their numbers. */
  const underWay = new Map<number, () => void>();
  let spentMs = 0;
  const listener = new HandshakeListener<number, { close(): void }>({
    address: "memory://listener",
    arrivals,
    handshake: (number, signal) => {
      spentMs += acceptMs;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      underWay.set(number, resolve);
      const onAbort = () => reject(signal.reason);
      if (signal.aborted) onAbort();
      signal.addEventListener("abort", onAbort);
      return promise.then(() => ({ close() {} })).finally(() => {
        underWay.delete(number);
      });
    },
    close: () => arrivals.close(),
  }, {
    now: () => clock.now() + spentMs,
    wallTime: () => clock.wallTime(),
    setTimeout: (fn, delayMs) => clock.setTimeout(fn, delayMs),
  });
  return { listener, arrivals, underWay };
}

Deno.test("HandshakeListener takes nobody's place in a burst: further ones wait until the oldest has had 250 ms", async () => {
  const clock = new VirtualClock();
  const { listener, arrivals, underWay } = listening(clock);
  await using _ = listener;
  for (let i = 0; i < MAX_HANDSHAKES + 2; i++) await arrivals.push(i);
  await clock.run(249);
  assertEquals(underWay.size, MAX_HANDSHAKES);
  assertEquals(underWay.has(0), true);
  assertEquals(listener.refused, 0);
  await clock.run(1);
  assertEquals([underWay.has(0), underWay.has(1)], [false, false]);
  assertEquals(underWay.has(MAX_HANDSHAKES + 1), true);
  assertEquals(listener.refused, 2);
});

Deno.test("HandshakeListener takes nobody's place in a burst that is slow to be accepted", async () => {
  const clock = new VirtualClock();
  const { listener, arrivals, underWay } = listening(clock, 2);
  await using _ = listener;
  for (let i = 0; i < MAX_HANDSHAKES + 1; i++) await arrivals.push(i);
  await clock.run(49);
  assertEquals([underWay.has(0), underWay.has(MAX_HANDSHAKES)], [true, false]);
  await clock.run(1);
  assertEquals([underWay.has(0), underWay.has(MAX_HANDSHAKES)], [false, true]);
});

Deno.test("HandshakeListener accepts as soon as a handshake ends", async () => {
  const clock = new VirtualClock();
  const { listener, arrivals, underWay } = listening(clock);
  await using _ = listener;
  for (let i = 0; i < MAX_HANDSHAKES + 1; i++) await arrivals.push(i);
  await clock.run(100);
  assertEquals(underWay.has(MAX_HANDSHAKES), false);
  underWay.get(7)!();
  await clock.run(0);
  assertEquals(underWay.has(MAX_HANDSHAKES), true);
  assertEquals(underWay.has(0), true);
  assertEquals(listener.refused, 0);
  assertEquals(clock.pendingTimers, MAX_HANDSHAKES);
});

Deno.test("HandshakeListener closes while an arrival waits for room", async () => {
  const clock = new VirtualClock();
  const { listener, arrivals, underWay } = listening(clock);
  for (let i = 0; i < MAX_HANDSHAKES + 1; i++) await arrivals.push(i);
  await clock.run(100);
  await listener[Symbol.asyncDispose]();
  assertEquals(underWay.size, 0);
  assertEquals(listener.refused, MAX_HANDSHAKES + 1);
  assertEquals(clock.pendingTimers, 0);
});
