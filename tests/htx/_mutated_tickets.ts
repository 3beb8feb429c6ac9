import { assertEquals } from "@std/assert";
import {
  type Bytes,
  concat,
  encodeBase64Url,
  encodeHex,
} from "../../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  nodeProvider,
} from "../../src/core/crypto/mod.ts";
import { memoryStore } from "../../src/core/storage/mod.ts";
import { encodeRequestHead } from "../../src/core/transport/mod.ts";
import {
  CARRIERS,
  findTicket,
  makeTicketRequest,
} from "../../src/htx/carrier.ts";
import { Gate } from "../../src/htx/gate.ts";
import { ReplayMemory } from "../../src/htx/replay.ts";
import { makeTicket } from "../../src/htx/ticket.ts";
import { makeTicketKey, TicketKeyRing } from "../../src/htx/ticket_key_ring.ts";
import { TokenBuckets } from "../../src/htx/token_bucket.ts";
import { generator, mutate } from "./_mutation.ts";

const HOST = { host: "example.org", cookieName: "__Host-sid" };
const VISIT = { remoteAddress: "memory://a", wallTimeMs: 1e12, nowMs: 0 };

/** Sends `count` mutations of admitted requests and tickets through carrier and gate; gives the outcomes. */
export function refuseMutations(
  count: number,
  seed: number,
): Record<string, number> {
  const crypto = memoized(nodeProvider);
  const random = generator(seed);
  const key = makeTicketKey(crypto, 0, Infinity);
  const gate = new Gate({
    crypto,
    keys: new TicketKeyRing([key]),
    replay: new ReplayMemory({ store: memoryStore(), nowMs: 0 }),
    buckets: new TokenBuckets({ capacity: count + 100 }),
  });
  const payload = makeTicket(crypto, {
    ticketPublicKey: key.publicKey,
    keyId: key.keyId,
    wallTimeMs: VISIT.wallTimeMs,
  });
  assertEquals(gate.admit(payload, VISIT).admitted, true);
  for (let i = 0; i < count; i++) {
    const carrier = CARRIERS[i % 3]!;
    const damaged = i % 2 ? payload : mutate(payload, random);
    const { head, body } = makeTicketRequest({
      ...HOST,
      carrier,
      payload: damaged,
    });
    const request = concat(encodeRequestHead(head), body);
    const bytes = i % 2 ? mutate(request, random) : request;
    const found = findTicket(bytes, HOST.cookieName) ?? "none";
    const visit = typeof found === "string" ? found : found.payload;
    const verdict = gate.admit(visit, VISIT);
    assertEquals(verdict.admitted, false, encodeBase64Url(bytes));
  }
  return gate.counts;
}

/** `crypto` that does not repeat a derivation: what it gives is what the real one gave. */
function memoized(crypto: CryptoProvider): CryptoProvider {
  const secrets = new Map<string, Bytes>();
  const derived = new Map<string, Bytes>();
  const once = (map: Map<string, Bytes>, name: string, make: () => Bytes) => {
    const value = map.get(name) ?? make();
    map.set(name, value);
    return value;
  };
  return {
    ...crypto,
    hash: (name, ...parts) =>
      once(
        derived,
        parts.map(encodeHex).join(),
        () => crypto.hash(name, ...parts),
      ),
    hkdf: (hash, ikm, salt, info, length) =>
      once(
        derived,
        encodeHex(ikm) + encodeHex(salt),
        () => crypto.hkdf(hash, ikm, salt, info, length),
      ),
    x25519: {
      ...crypto.x25519,
      sharedSecret: (privateKey, publicKey) =>
        once(
          secrets,
          encodeHex(privateKey) + encodeHex(publicKey),
          () => crypto.x25519.sharedSecret(privateKey, publicKey),
        ),
    },
  };
}
