import { assert, assertEquals } from "@std/assert";
import {
  type Bytes,
  concat,
  decodeHex,
  encodeHex,
} from "../../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  nodeProvider as crypto,
  Secret,
} from "../../src/core/crypto/mod.ts";
import { memoryStore, StorageError } from "../../src/core/storage/mod.ts";
import { encodeRequestHead } from "../../src/core/transport/mod.ts";
import {
  CARRIERS,
  findTicket,
  makeTicketRequest,
} from "../../src/htx/carrier.ts";
import { Gate, type GateOptions } from "../../src/htx/gate.ts";
import { ReplayMemory } from "../../src/htx/replay.ts";
import {
  decodeTicket,
  deriveAccessTicket,
  encodeTicket,
  makeTicket,
  ticketHash,
  ticketHour,
} from "../../src/htx/ticket.ts";
import { makeTicketKey, TicketKeyRing } from "../../src/htx/ticket_key_ring.ts";
import { TokenBuckets } from "../../src/htx/token_bucket.ts";
import vectors from "../vectors/betanet/betanet-1.1.json" with { type: "json" };

const HOUR_MS = 3_600_000;
const WALL_MS = 1_755_172_800_000 + 30 * 60_000;
const VISIT = {
  remoteAddress: "tcp://192.0.2.1:5555",
  wallTimeMs: WALL_MS,
  nowMs: 0,
};

function setUp(options: Partial<GateOptions> = {}) {
  const key = makeTicketKey(crypto, 0, Infinity);
  const store = memoryStore();
  const gate = new Gate({
    crypto,
    keys: new TicketKeyRing([key]),
    replay: new ReplayMemory({ store, nowMs: 0 }),
    buckets: new TokenBuckets({ capacity: 1000 }),
    ...options,
  });
  const ticket = (wallTimeMs = WALL_MS) =>
    makeTicket(crypto, {
      ticketPublicKey: key.publicKey,
      keyId: key.keyId,
      wallTimeMs,
    });
  const outcome = (found: Parameters<Gate["admit"]>[0], visit = {}) => {
    const verdict = gate.admit(found, { ...VISIT, ...visit });
    return verdict.admitted ? "admitted" : verdict.reason;
  };
  return { gate, key, ticket, outcome };
}

function flip(bytes: Uint8Array, at: number): Bytes {
  const flipped = new Uint8Array(bytes);
  flipped[at]! ^= 1;
  return flipped;
}

Deno.test("Gate admits the vector's ticket at its hour", () => {
  const v = vectors.ticket;
  const keys = new TicketKeyRing([{
    keyId: decodeHex(v.ticketKeyID),
    privateKey: new Secret(decodeHex(v.ticketPriv)),
    publicKey: decodeHex(v.ticketPub),
    notBeforeMs: 0,
    notAfterMs: Infinity,
  }]);
  const { gate } = setUp({ keys });
  const payload = decodeHex(v.payload);
  const verdict = gate.admit(payload, {
    ...VISIT,
    wallTimeMs: v.unixTime * 1000,
  });
  assert(verdict.admitted);
  assertEquals(verdict.ticket, decodeTicket(payload));
  assertEquals(verdict.ticketHash, ticketHash(crypto, payload));
});

Deno.test("Gate admits the hours -1, 0 and +1 and no other", () => {
  const { outcome, ticket } = setUp();
  for (let hours = -4; hours <= 4; hours++) {
    const wanted = Math.abs(hours) <= 1 ? "admitted" : "forged";
    assertEquals(outcome(ticket(WALL_MS + hours * HOUR_MS)), wanted);
  }
});

Deno.test("Gate admits what any carrier brings", () => {
  const { outcome, ticket } = setUp();
  for (const carrier of CARRIERS) {
    const { head, body } = makeTicketRequest({
      carrier,
      payload: ticket(),
      host: "example.org",
      cookieName: "__Host-sid",
    });
    const bytes = concat(encodeRequestHead(head), body);
    const found = findTicket(bytes, "__Host-sid");
    assert(typeof found === "object");
    assertEquals(outcome(found.payload), "admitted", carrier);
  }
});

Deno.test("Gate says why it refuses, and counts it", () => {
  const { gate, outcome, ticket } = setUp();
  const good = ticket();
  assertEquals(outcome("none"), "none");
  assertEquals(outcome("malformed"), "malformed");
  assertEquals(outcome(new Uint8Array(0)), "malformed");
  assertEquals(outcome(good.slice(0, 105 + 23)), "malformed");
  assertEquals(outcome(flip(good, 0)), "malformed");
  assertEquals(outcome(flip(good, 33)), "unknown_key");
  assertEquals(outcome(flip(good, 1)), "forged");
  assertEquals(outcome(flip(good, 104)), "forged");
  assertEquals(outcome(good), "admitted");
  assertEquals(outcome(good), "replayed");
  assertEquals(gate.counts, {
    admitted: 1,
    none: 1,
    malformed: 4,
    rate_limited: 0,
    unknown_key: 1,
    expired: 0,
    forged: 2,
    replayed: 1,
    full: 0,
  });
});

Deno.test("Gate refuses client keys of low order", () => {
  const { outcome, key } = setUp();
  const hour = ticketHour(WALL_MS);
  const p = 2n ** 255n - 19n;
  const points = [0n, 1n, p - 1n, p, p + 1n].map(encodeU);
  points.push(
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  );
  points.push(
    ...points.map((u) =>
      u.slice(0, 62) + (parseInt(u.slice(62), 16) | 0x80).toString(16)
    ),
  );
  assertEquals(points.length, 14);
  for (const point of points) {
    const sharedSecret = new Uint8Array(32);
    const payload = encodeTicket({
      clientPublicKey: decodeHex(point),
      keyId: key.keyId,
      nonce: new Uint8Array(32),
      accessTicket: deriveAccessTicket(crypto, {
        sharedSecret,
        keyId: key.keyId,
        hour,
      }),
    }, new Uint8Array(24));
    assertEquals(outcome(payload), "forged", point);
  }
});

Deno.test("Gate knows a ticket again whose client key was replaced by an equivalent one", () => {
  const { outcome, ticket } = setUp();
  const good = ticket();
  assertEquals(outcome(good), "admitted");
  const top = new Uint8Array(good);
  top[32]! ^= 0x80;
  assertEquals(outcome(top), "replayed", "unused top bit");
  const p = 2n ** 255n - 19n;
  const u = decodeU(good.subarray(1, 33));
  const shifted = new Uint8Array(good);
  shifted.set(decodeHex(encodeU(power(u, p - 2n, p))), 1);
  assertEquals(outcome(shifted), "replayed", "plus the point of order 2");
  const repadded = concat(good.subarray(0, 105), new Uint8Array(50));
  assertEquals(outcome(repadded), "replayed", "other padding");
  assertEquals(outcome(flip(good, 50)), "replayed", "other nonce");
});

Deno.test("Gate remembers a ticket only once it verified", () => {
  const { outcome, ticket } = setUp();
  const good = ticket();
  for (let at = 73; at < 105; at++) outcome(flip(good, at));
  assertEquals(outcome(good), "admitted");
});

Deno.test("Gate keeps refusing a ticket whatever the clock does", () => {
  const { outcome, ticket } = setUp();
  const good = ticket();
  assertEquals(outcome(good), "admitted");
  for (
    const [wallTimeMs, nowMs, wanted] of [
      [WALL_MS + HOUR_MS, HOUR_MS, "replayed"],
      [WALL_MS + 5 * HOUR_MS, 5 * HOUR_MS, "forged"],
      [WALL_MS, 5 * HOUR_MS, "replayed"],
      [WALL_MS - HOUR_MS, 50 * HOUR_MS, "replayed"],
    ] as const
  ) {
    assertEquals(outcome(good, { wallTimeMs, nowMs }), wanted);
  }
});

Deno.test("Gate limits a network and nobody else, without asking for a token from ordinary visitors", () => {
  const buckets = new TokenBuckets({ capacity: 2 });
  const { outcome, ticket } = setUp({ buckets });
  for (let i = 0; i < 10; i++) assertEquals(outcome("none"), "none");
  assertEquals(outcome("malformed"), "malformed");
  assertEquals(outcome(ticket()), "admitted");
  const limited = ticket();
  assertEquals(outcome(limited), "rate_limited");
  const neighbour = { remoteAddress: "tcp://192.0.2.250:1" };
  assertEquals(outcome(limited, neighbour), "rate_limited");
  assertEquals(outcome("none"), "none");
  assertEquals(outcome(limited, { nowMs: 1000 }), "admitted");
  const elsewhere = { remoteAddress: "tcp://192.0.3.1:1" };
  assertEquals(outcome(ticket(), elsewhere), "admitted");
});

Deno.test("Gate accepts several keys at once, each in its time", () => {
  const keys = new TicketKeyRing();
  const { outcome } = setUp({ keys });
  const [old, next, later] = [
    makeTicketKey(crypto, 0, WALL_MS + HOUR_MS),
    makeTicketKey(crypto, WALL_MS - HOUR_MS, Infinity),
    makeTicketKey(crypto, WALL_MS + HOUR_MS, Infinity),
  ] as const;
  for (const key of [old, next, later]) keys.add(key);
  const outcomes = (wallTimeMs: number) =>
    [old, next, later].map(({ publicKey, keyId }) => {
      const options = { ticketPublicKey: publicKey, keyId, wallTimeMs };
      return outcome(makeTicket(crypto, options), { wallTimeMs });
    });
  assertEquals(outcomes(WALL_MS), ["admitted", "admitted", "expired"]);
  const afterwards = WALL_MS + HOUR_MS;
  assertEquals(outcomes(afterwards), ["expired", "admitted", "admitted"]);
  assertEquals(keys.retire(afterwards), 1);
  assertEquals(outcomes(afterwards), ["unknown_key", "admitted", "admitted"]);
});

Deno.test("Gate refuses rather than forget, and reports a store that fails", () => {
  using store = memoryStore();
  const small = new ReplayMemory({ store, capacity: 1, nowMs: 0 });
  const { outcome, ticket } = setUp({ replay: small });
  const [first, second] = [ticket(), ticket()];
  assertEquals(outcome(first), "admitted");
  assertEquals(outcome(second), "full");
  assertEquals(outcome(first), "replayed");

  const events: string[] = [];
  const record = (event: string) => void events.push(event);
  const log = { debug: record, info: record, warn: record, error: record };
  const broken = memoryStore();
  const replay = new ReplayMemory({
    nowMs: 0,
    store: {
      get: (key) => broken.get(key),
      set() {
        throw new StorageError("io", "Disk is gone");
      },
      delete: (key) => broken.delete(key),
      entries: (prefix) => broken.entries(prefix),
      transaction: (fn) => broken.transaction(fn),
    },
  });
  const failing = setUp({ replay, log });
  assertEquals(failing.outcome(failing.ticket()), "full");
  assertEquals(events, ["htx.replay_store_failed"]);
});

Deno.test("Gate does the same work for everything but a network without tokens", () => {
  const work = { x25519: 0, hkdf: 0 };
  const counting: CryptoProvider = {
    ...crypto,
    hkdf(...args) {
      work.hkdf++;
      return crypto.hkdf(...args);
    },
    x25519: {
      ...crypto.x25519,
      sharedSecret(...args) {
        work.x25519++;
        return crypto.x25519.sharedSecret(...args);
      },
    },
  };
  const buckets = new TokenBuckets({ capacity: 8 });
  const { outcome, ticket } = setUp({ crypto: counting, buckets });
  const good = ticket();
  const lowOrder = concat(
    good.subarray(0, 1),
    new Uint8Array(32),
    good.subarray(33),
  );
  for (
    const [found, wanted] of [
      ["none", "none"],
      ["malformed", "malformed"],
      [good.slice(0, 100), "malformed"],
      [flip(good, 33), "unknown_key"],
      [flip(good, 73), "forged"],
      [lowOrder, "forged"],
      [ticket(WALL_MS - 2 * HOUR_MS), "forged"],
      [good, "admitted"],
      [good, "replayed"],
    ] as const
  ) {
    Object.assign(work, { x25519: 0, hkdf: 0 });
    assertEquals(outcome(found), wanted);
    assertEquals(work, { x25519: 1, hkdf: 3 }, wanted);
  }
  Object.assign(work, { x25519: 0, hkdf: 0 });
  assertEquals(outcome(ticket()), "rate_limited");
  assertEquals(work, { x25519: 0, hkdf: 0 });
});

/** The little-endian number that an X25519 public key is. */
function decodeU(bytes: Uint8Array): bigint {
  return BigInt(`0x${encodeHex(new Uint8Array(bytes).reverse())}`);
}

function encodeU(u: bigint): string {
  const bytes = decodeHex(u.toString(16).padStart(64, "0"));
  return encodeHex(bytes.reverse());
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = result * base % modulus;
    base = base * base % modulus;
  }
  return result;
}
