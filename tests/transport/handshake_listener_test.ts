import { assertEquals } from "@std/assert";
import { BoundedQueue, VirtualClock } from "../../src/core/async/mod.ts";
import { HandshakeListener } from "../../src/core/transport/mod.ts";

const MAX_HANDSHAKES = 256;

/** A listener whose handshakes end when told to. */
function listening(clock: VirtualClock) {
  const arrivals = new BoundedQueue<number>({ capacity: 1_000 });
  /** Ends the handshakes under way, by their numbers. */
  const underWay = new Map<number, () => void>();
  const listener = new HandshakeListener<number, { close(): void }>({
    address: "memory://listener",
    arrivals,
    handshake: (number, signal) => {
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
  }, clock);
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
