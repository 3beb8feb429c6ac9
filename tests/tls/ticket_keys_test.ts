import { assert, assertEquals, assertThrows } from "@std/assert";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import type { TicketState } from "../../src/tls/session_ticket.ts";
import { TicketKeys } from "../../src/tls/ticket_keys.ts";

const NOW = 1_800_000_000_000;
const HOUR_MS = 3_600_000;

function stateOf(issuedAtMs: number, pskLength = 32): TicketState {
  return {
    cipherSuite: pskLength === 48 ? 0x1302 : 0x1301,
    issuedAtMs,
    firstHandshakeAtMs: issuedAtMs,
    ageAdd: 0xfedc_ba98,
    serverNameHash: new Uint8Array(32).fill(7),
    psk: new Uint8Array(pskLength).fill(9),
  };
}

for (const [pskLength, length] of [[32, 208], [48, 224]] as const) {
  Deno.test(`TicketKeys open what they sealed, ${length} bytes for a PSK of ${pskLength}`, () => {
    using keys = new TicketKeys(crypto);
    const state = stateOf(NOW, pskLength);
    const ticket = keys.seal(state);
    assertEquals(ticket.length, length);
    assertEquals(keys.open(ticket, NOW + HOUR_MS), state);
  });
}

Deno.test("TicketKeys seal tickets as long as those of nginx 1.22", () => {
  using keys = new TicketKeys(crypto);
  const state = { ...stateOf(NOW), ageAdd: 0x7fff_ffff };
  for (
    const [alpn, nameLength, length] of [
      ["h2", 3, 224],
      ["h2", 15, 224],
      ["h2", 17, 240],
      ["h2", 33, 256],
      ["h2", 49, 272],
      ["http/1.1", 8, 224],
      ["http/1.1", 11, 240],
      ["http/1.1", 27, 256],
      ["http/1.1", 43, 272],
      ["http/1.1", 59, 288],
    ] as const
  ) {
    const serverName = "a".repeat(nameLength);
    const ticket = keys.seal(state, { serverName, alpn });
    assertEquals(ticket.length, length, `${alpn} ${nameLength}`);
    assertEquals(keys.open(ticket, NOW), state);
  }
  assertEquals(keys.seal(state, { alpn: "h2" }).length, 208);
});

Deno.test("TicketKeys never seal the same ticket twice", () => {
  using keys = new TicketKeys(crypto);
  const [a, b] = [keys.seal(stateOf(NOW)), keys.seal(stateOf(NOW))];
  assertEquals(a.subarray(0, 16), b.subarray(0, 16));
  assert(!a.subarray(16, 28).every((byte, i) => byte === b[16 + i]));
});

Deno.test("TicketKeys do not open a ticket outside of its lifetime", () => {
  using keys = new TicketKeys(crypto, { lifetimeMs: HOUR_MS });
  const ticket = keys.seal(stateOf(NOW));
  assert(keys.open(ticket, NOW + HOUR_MS - 1));
  assertEquals(keys.open(ticket, NOW + HOUR_MS), undefined);
  assertEquals(keys.open(ticket, NOW - 1), undefined);
});

Deno.test("TicketKeys open no ticket seven days after the first handshake", () => {
  using keys = new TicketKeys(crypto);
  const firstHandshakeAtMs = NOW - 168 * HOUR_MS + 2;
  const ticket = keys.seal({ ...stateOf(NOW), firstHandshakeAtMs });
  assert(keys.open(ticket, NOW + 1));
  assertEquals(keys.open(ticket, NOW + 2), undefined);
});

Deno.test("TicketKeys open no ticket with a bit changed, cut or lengthened", () => {
  using keys = new TicketKeys(crypto);
  const ticket = keys.seal(stateOf(NOW));
  for (let bit = 0; bit < 8 * ticket.length; bit++) {
    const damaged = ticket.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    assertEquals(keys.open(damaged, NOW), undefined);
  }
  for (let length = 0; length < 300; length++) {
    if (length === ticket.length) continue;
    const damaged = new Uint8Array(length);
    damaged.set(ticket.subarray(0, length));
    assertEquals(keys.open(damaged, NOW), undefined);
  }
});

Deno.test("TicketKeys rotate, and the last key opens its tickets to their end", () => {
  using keys = new TicketKeys(crypto, {
    lifetimeMs: HOUR_MS,
    rotateMs: 2 * HOUR_MS,
  });
  const first = keys.seal(stateOf(NOW));
  const late = keys.seal(stateOf(NOW + 2 * HOUR_MS - 1));
  assertEquals(late.subarray(0, 16), first.subarray(0, 16));
  const next = keys.seal(stateOf(NOW + 2 * HOUR_MS));
  assert(!first.subarray(0, 16).every((byte, i) => byte === next[i]));
  assertEquals(keys.size, 2);
  assert(keys.open(late, NOW + 3 * HOUR_MS - 2));
  assert(keys.open(next, NOW + 3 * HOUR_MS - 2));
  assertEquals(keys.open(late, NOW + 3 * HOUR_MS), undefined);
  assertEquals(keys.size, 1);
  for (let i = 3; i < 99; i++) keys.seal(stateOf(NOW + i * HOUR_MS));
  assert(keys.size <= 2);
});

Deno.test("TicketKeys make a new key when the clock has gone back", () => {
  using keys = new TicketKeys(crypto);
  const future = keys.seal(stateOf(NOW + HOUR_MS));
  const ticket = keys.seal(stateOf(NOW));
  assertEquals(keys.open(future, NOW + HOUR_MS), undefined);
  assert(keys.open(ticket, NOW));
});

Deno.test("TicketKeys of one server open no ticket of another", () => {
  using ours = new TicketKeys(crypto);
  using theirs = new TicketKeys(crypto);
  ours.seal(stateOf(NOW));
  assertEquals(ours.open(theirs.seal(stateOf(NOW)), NOW), undefined);
});

Deno.test("TicketKeys open nothing after dispose", () => {
  const keys = new TicketKeys(crypto);
  const ticket = keys.seal(stateOf(NOW));
  keys[Symbol.dispose]();
  assertEquals(keys.open(ticket, NOW), undefined);
});

Deno.test("TicketKeys refuse a life above 7 days and a rotation before its end", () => {
  assertThrows(
    () => new TicketKeys(crypto, { lifetimeMs: 604_800_001 }),
    RangeError,
  );
  assertThrows(() => new TicketKeys(crypto, { lifetimeMs: 0 }), RangeError);
  assertThrows(() => new TicketKeys(crypto, { rotateMs: 999 }), RangeError);
});
