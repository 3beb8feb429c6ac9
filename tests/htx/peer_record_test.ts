import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type CborValue,
  concat,
  DecodeError,
  decodeHex,
  encodeCbor,
  encodeHex,
  utf8,
} from "../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import { HtxError } from "../../src/htx/error.ts";
import {
  formatServiceUri,
  parseServiceUri,
  peerId,
} from "../../src/htx/peer_id.ts";
import {
  formatPeerRecord,
  parsePeerRecord,
  type PeerRecord,
  signPeerRecord,
  verifyPeerRecord,
} from "../../src/htx/peer_record.ts";
import {
  DEFAULT_TICKET_POLICY,
  formatTicketOffer,
} from "../../src/htx/ticket_policy.ts";
import vectors from "../vectors/betanet/betanet-1.1.json" with { type: "json" };

const SEED = crypto.random(32);
const NOW = { wallTimeMs: 1_755_172_800_000 };
const OFFER = {
  policy: DEFAULT_TICKET_POLICY,
  keyId: crypto.random(8),
  publicKey: crypto.random(32),
  cookieName: "__Host-sid",
};
const RECORD: PeerRecord = {
  publicKey: crypto.ed25519.publicKey(SEED),
  sequence: 7,
  expiresMs: NOW.wallTimeMs + 1000,
  addresses: ["tcp://127.0.0.1:9000", "quic://[2001:db8::1]:443"],
  staticKey: crypto.random(32),
  tickets: [OFFER],
};

/** Signs what nobody should sign. */
function sign(payload: CborValue, domain = "betanet-peer-record-v1") {
  const bytes = encodeCbor(payload);
  const message = concat(utf8(domain), bytes);
  return encodeCbor([bytes, crypto.ed25519.sign(SEED, message)]);
}

function payload(changes: Record<number, CborValue> = {}) {
  const map = new Map<CborValue, CborValue>([
    [1, RECORD.publicKey],
    [2, 7],
    [3, RECORD.expiresMs / 1000],
    [4, [...RECORD.addresses]],
    [5, RECORD.staticKey],
    [6, [formatTicketOffer(OFFER)]],
  ]);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) map.delete(Number(key));
    else map.set(Number(key), value);
  }
  return map;
}

Deno.test("peerId() and service URIs agree with the vector", () => {
  const v = vectors.peerId;
  const id = peerId(crypto, decodeHex(v.pubkey));
  assertEquals(encodeHex(id), v.peerId);
  const uri = { keyHash: id.slice(2), resource: "" };
  assertEquals(formatServiceUri(uri), v.serviceURI);
  assertEquals(parseServiceUri(v.serviceURI), uri);
  const inside = `${v.serviceURI}/a/b?c`;
  assertEquals(parseServiceUri(inside), { ...uri, resource: "/a/b?c" });
  assertEquals(formatServiceUri(parseServiceUri(inside)), inside);
  for (
    const bad of [
      v.serviceURI.slice(0, -1),
      `${v.serviceURI}0`,
      `${v.serviceURI}?x`,
      `${v.serviceURI}/a b`,
      v.serviceURI.toUpperCase(),
      v.serviceURI.replace("21fe", "21FE"),
      ` ${v.serviceURI}`,
    ]
  ) {
    assertThrows(() => parseServiceUri(bad), DecodeError);
  }
});

Deno.test("verifyPeerRecord() gives what signPeerRecord() was given, also as text", () => {
  const signed = signPeerRecord(crypto, SEED, RECORD);
  assertEquals(verifyPeerRecord(crypto, signed, NOW), RECORD);
  assertEquals(sign(payload()), signed);
  const text = formatPeerRecord(signed);
  assert(text.startsWith("betanet-record:"));
  assertEquals(parsePeerRecord(`${text}\n`), signed);
  const own = { ...NOW, peerId: peerId(crypto, RECORD.publicKey) };
  assertEquals(verifyPeerRecord(crypto, signed, own), RECORD);
});

Deno.test("verifyPeerRecord() refuses every bit flip and every cut", () => {
  const signed = signPeerRecord(crypto, SEED, RECORD);
  for (let bit = 0; bit < signed.length * 8; bit += 3) {
    const bytes = new Uint8Array(signed);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    const error = assertThrows(() => verifyPeerRecord(crypto, bytes, NOW));
    assert(error instanceof DecodeError || error instanceof HtxError);
  }
  for (let n = 0; n < signed.length; n++) {
    const bytes = signed.slice(0, n);
    assertThrows(() => verifyPeerRecord(crypto, bytes, NOW), DecodeError);
  }
  const longer = concat(signed, new Uint8Array(1));
  assertThrows(() => verifyPeerRecord(crypto, longer, NOW), DecodeError);
});

Deno.test("verifyPeerRecord() refuses other signers, other uses of the key, other peers and expired records", () => {
  const signed = signPeerRecord(crypto, SEED, RECORD);
  const stranger = peerId(crypto, crypto.random(32));
  const cases: [Uint8Array, Parameters<typeof verifyPeerRecord>[2]][] = [
    [sign(payload({ 1: crypto.random(32) })), NOW],
    [sign(payload(), "another-protocol-v1"), NOW],
    [sign(payload(), ""), NOW],
    [signed, { ...NOW, peerId: stranger }],
    [signed, { wallTimeMs: RECORD.expiresMs }],
  ];
  for (const [bytes, check] of cases) {
    const error = assertThrows(
      () => verifyPeerRecord(crypto, bytes, check),
      HtxError,
    );
    assertEquals(error.code, "unauthenticated");
  }
});

Deno.test("verifyPeerRecord() refuses signed records that say something impossible", () => {
  const offer = formatTicketOffer(OFFER);
  const bad: CborValue[] = [
    ...[1, 2, 3, 4, 5, 6].map((key) => payload({ [key]: undefined })),
    payload({ 2: -1 }),
    payload({ 2: 1.5 }),
    payload({ 2: "7" }),
    payload({ 3: Number.MAX_SAFE_INTEGER }),
    payload({ 4: [] }),
    payload({ 4: ["127.0.0.1:9000"] }),
    payload({ 4: ["tcp://a b"] }),
    payload({ 4: [`tcp://${"a".repeat(201)}`] }),
    payload({ 4: new Array(17).fill("tcp://a:1") }),
    payload({ 4: "tcp://a:1" }),
    payload({ 5: crypto.random(31) }),
    payload({ 6: [] }),
    payload({ 6: [offer.replace("24..64", "0..64")] }),
    payload({ 6: [1] }),
    payload({ 6: new Array(9).fill(offer) }),
    payload({ 0: 1 }),
    payload({ 7: [[[[[1]]]]] }),
    payload({ 7: crypto.random(4096) }),
    new Map([...payload(), ["x", 1]]),
    [1],
    1,
  ];
  for (const value of bad) {
    assertThrows(() => verifyPeerRecord(crypto, sign(value), NOW), DecodeError);
  }
  for (
    const value of [1, [], [payload()], ["a", "b"], [utf8("a"), utf8("b")]]
  ) {
    const bytes = encodeCbor(value as CborValue);
    assertThrows(() => verifyPeerRecord(crypto, bytes, NOW), DecodeError);
  }
});

Deno.test("verifyPeerRecord() ignores what later versions add", () => {
  const later = sign(payload({ 8: "more", 99: [1, 2] }));
  assertEquals(verifyPeerRecord(crypto, later, NOW), RECORD);
});

Deno.test("verifyPeerRecord() gives the certificate, of at most 1,024 bytes", () => {
  const certificate = crypto.random(1024);
  const signed = sign(payload({ 7: certificate }));
  assertEquals(verifyPeerRecord(crypto, signed, NOW), {
    ...RECORD,
    certificate,
  });
  for (const bad of [crypto.random(1025), "text", 7]) {
    const signed = sign(payload({ 7: bad }));
    assertThrows(() => verifyPeerRecord(crypto, signed, NOW), DecodeError);
  }
});

Deno.test("signPeerRecord() refuses what would not verify", () => {
  for (
    const bad of [
      { publicKey: crypto.random(32) },
      { sequence: -1 },
      { expiresMs: 1.5 },
      { addresses: [] },
      { addresses: ["nowhere"] },
      { staticKey: crypto.random(31) },
      { tickets: [] },
      {
        addresses: new Array(16).fill(`tcp://${"a".repeat(190)}`),
        tickets: new Array(8).fill(OFFER),
      },
    ]
  ) {
    const record = { ...RECORD, ...bad };
    assertThrows(() => signPeerRecord(crypto, SEED, record), RangeError);
  }
});

Deno.test("parsePeerRecord() refuses other text", () => {
  for (const text of ["", "betanet-record", "betanet-record:+", "x:AAAA"]) {
    assertThrows(() => parsePeerRecord(text), DecodeError);
  }
});
