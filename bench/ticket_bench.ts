import { assertEquals } from "@std/assert";
import { encodeHex } from "../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../src/core/crypto/mod.ts";
import { memoryStore, sqliteStore } from "../src/core/storage/mod.ts";
import { encodeRequestHead } from "../src/core/transport/mod.ts";
import { findTicket, makeTicketRequest } from "../src/htx/carrier.ts";
import { Gate } from "../src/htx/gate.ts";
import { ReplayMemory, type ReplayStore } from "../src/htx/replay.ts";
import { makeTicket } from "../src/htx/ticket.ts";
import { makeTicketKey, TicketKeyRing } from "../src/htx/ticket_key_ring.ts";
import { TokenBuckets } from "../src/htx/token_bucket.ts";

const VISIT = {
  remoteAddress: "tcp://192.0.2.1:1",
  wallTimeMs: 1.7e12,
  nowMs: 0,
};
const COOKIE = "__Host-sid";
const key = makeTicketKey(crypto, 0, Infinity);
const expired = makeTicketKey(crypto, 0, 1);

function makeGate(
  store: ReplayStore,
  { capacity = 1e9, tickets = 262_144 } = {},
): Gate {
  return new Gate({
    crypto,
    keys: new TicketKeyRing([key, expired]),
    replay: new ReplayMemory({ store, capacity: tickets, nowMs: 0 }),
    buckets: new TokenBuckets({ capacity }),
  });
}

function ticket({ publicKey, keyId } = key): Uint8Array {
  const { wallTimeMs } = VISIT;
  const options = { ticketPublicKey: publicKey, keyId, wallTimeMs };
  return makeTicket(crypto, options);
}

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const flipped = new Uint8Array(bytes);
  flipped[at]! ^= 1;
  return flipped;
}

Deno.bench("make a ticket", () => {
  ticket();
});

const { head } = makeTicketRequest({
  carrier: "cookie",
  payload: ticket(),
  host: "example.org",
  cookieName: COOKIE,
});
const request = encodeRequestHead(head);
assertEquals(typeof findTicket(request, COOKIE), "object");

Deno.bench("find a ticket in a request", () => {
  findTicket(request, COOKIE);
});

for (
  const [name, store] of [
    ["memory", memoryStore()],
    ["SQLite", sqliteStore(Deno.makeTempFileSync({ suffix: ".db" }))],
  ] as const
) {
  const gate = makeGate(store);
  Deno.bench(`admit, ${name}`, { group: "gate" }, (b) => {
    const payload = ticket();
    b.start();
    const { admitted } = gate.admit(payload, VISIT);
    b.end();
    assertEquals(admitted, true, encodeHex(payload));
  });
}

const used = ticket();
const lowOrder = flip(used, 0);
lowOrder[0] = 1;
lowOrder.fill(0, 1, 33);
const gate = makeGate(memoryStore());
gate.admit(used, VISIT);
const fullGate = makeGate(memoryStore(), { tickets: 0 });
const limitedGate = makeGate(memoryStore(), { capacity: 0.5 });

for (
  const [name, found, reason, by] of [
    ["no ticket", "none", "none", gate],
    ["cut short", used.slice(0, 90), "malformed", gate],
    ["unknown key", flip(used, 33), "unknown_key", gate],
    ["expired key", ticket(expired), "expired", gate],
    ["forged", flip(used, 73), "forged", gate],
    ["low order", lowOrder, "forged", gate],
    ["replayed", used, "replayed", gate],
    ["full", used, "full", fullGate],
    ["rate limited", used, "rate_limited", limitedGate],
  ] as const
) {
  assertEquals(by.admit(found, VISIT), { admitted: false, reason });
  Deno.bench(`refuse: ${name}`, { group: "gate" }, () => {
    by.admit(found, VISIT);
  });
}
