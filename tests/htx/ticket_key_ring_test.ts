import { assert, assertEquals, assertThrows } from "@std/assert";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import {
  isAccepted,
  makeTicketKey,
  MAX_TICKET_KEYS,
  TicketKeyRing,
} from "../../src/htx/ticket_key_ring.ts";

const HOUR_MS = 3_600_000;
const ROTATION = { lifetimeMs: 30 * 24 * HOUR_MS, overlapMs: 7 * 24 * HOUR_MS };

Deno.test("TicketKeyRing rotates so that a published key lives on for the whole overlap", () => {
  const ring = new TicketKeyRing();
  const seen = new Set<string>();
  let changes = 0;
  for (let nowMs = 0; nowMs < 365 * 24 * HOUR_MS; nowMs += HOUR_MS) {
    const before = ring.keys;
    const changed = ring.rotate(crypto, nowMs, ROTATION);
    assertEquals(
      changed,
      ring.keys.some((key, i) => key !== before[i]) ||
        ring.keys.length !== before.length,
    );
    if (changed) changes++;
    const current = ring.current(nowMs)!;
    seen.add(current.keyId.toHex());
    assert(current.notAfterMs - nowMs >= ROTATION.overlapMs);
    assert(ring.keys.every((key) => isAccepted(key, nowMs)));
    assert(ring.keys.length <= 2);
  }
  assertEquals(seen.size, Math.ceil(365 / 23));
  assert(changes < 2 * seen.size);
});

Deno.test("TicketKeyRing publishes the newest key that is accepted", () => {
  const [a, b, c] = [
    makeTicketKey(crypto, 0, 100),
    makeTicketKey(crypto, 50, 150),
    makeTicketKey(crypto, 200, 300),
  ] as const;
  const ring = new TicketKeyRing([c, a, b]);
  assertEquals(ring.keys, [a, b, c]);
  assertEquals(ring.find(b.keyId), b);
  const current = [0, 49, 50, 149, 150, 200, 300].map((t) => ring.current(t));
  assertEquals(current, [a, a, b, b, undefined, c, undefined]);
});

Deno.test("TicketKeyRing refuses an id twice, malformed ids and too many keys", () => {
  const key = makeTicketKey(crypto, 0, 1);
  const ring = new TicketKeyRing([key]);
  assertThrows(() => ring.add(key), RangeError);
  const short = { ...key, keyId: key.keyId.slice(1) };
  assertThrows(() => ring.add(short), RangeError);
  for (let i = 1; i < MAX_TICKET_KEYS; i++) {
    ring.add({ ...key, keyId: crypto.random(8) });
  }
  const one = { ...key, keyId: crypto.random(8) };
  assertThrows(() => ring.add(one), RangeError);
});
