/**
 * Signed peer record: what a client must know to reach an HTX server (profile G9 and G16).
 *
 * ```text
 * record     CBOR array of two byte strings: payload, 64B signature
 * signature  Ed25519 over "betanet-peer-record-v1" ‖ payload
 * payload    CBOR map; an unknown key above 7 is ignored
 *   1  32B Ed25519 public key
 *   2  sequence, an unsigned integer: of two records of one key the higher counts
 *   3  expiry in seconds since 1970-01-01 UTC
 *   4  array of 1 to 16 addresses, text, best first
 *   5  32B Noise static key (X25519)
 *   6  array of 1 to 8 ticket offers, text, newest first
 *   7  certificate in DER that QUIC and TLS show where no root vouches for it, at most 1,024 B; absent if there is none
 *
 * text form  betanet-record:<record in base64url>
 * ```
 *
 * CBOR is deterministic (RFC 8949 §4.2.1). A record has at most 4,096 bytes.
 *
 * @module
 */
import {
  type Bytes,
  type CborDecoded,
  concat,
  decodeBase64Url,
  decodeCbor,
  DecodeError,
  encodeBase64Url,
  encodeCbor,
  equal,
  utf8,
} from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import type { Address } from "../core/transport/mod.ts";
import { HtxError } from "./error.ts";
import { peerId } from "./peer_id.ts";
import {
  formatTicketOffer,
  parseTicketOffer,
  type TicketOffer,
} from "./ticket_policy.ts";

/** What a record says. */
export interface PeerRecord {
  /** Ed25519 public key that signs and names the peer: 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Of two records of one key the higher counts. */
  readonly sequence: number;
  /** Not valid from this wall time on: milliseconds since 1970-01-01 UTC, in whole seconds. */
  readonly expiresMs: number;
  /** Where the server listens, best first: 1 to 16. */
  readonly addresses: readonly Address[];
  /** The server's Noise static key: 32 bytes of X25519. */
  readonly staticKey: Uint8Array;
  /** How to make tickets, newest key first: 1 to 8. */
  readonly tickets: readonly TicketOffer[];
  /** The certificate (DER) that `quic:` and `tls:` addresses show if no root vouches for it, at most 1,024 bytes. */
  readonly certificate?: Uint8Array;
}

/** What {@link verifyPeerRecord} checks a record against. */
export interface PeerRecordCheck {
  /** Now, in milliseconds since 1970-01-01 UTC. */
  readonly wallTimeMs: number;
  /** PeerID that the record must be of, 34 bytes; any by default. */
  readonly peerId?: Uint8Array;
}

/** Longest record in bytes. */
export const MAX_PEER_RECORD_LENGTH = 4096;

const DOMAIN = utf8("betanet-peer-record-v1");
const TEXT_PREFIX = "betanet-record:";
const WHAT = "peer record";
const MAX_ADDRESSES = 16;
const MAX_TICKETS = 8;
const MAX_CERTIFICATE_LENGTH = 1024;
const ADDRESS_REGEXP = /^[a-z][a-z0-9+.-]{0,15}:\/\/[\x21-\x7e]{1,200}$/;
const KEY = {
  publicKey: 1,
  sequence: 2,
  expires: 3,
  addresses: 4,
  staticKey: 5,
  tickets: 6,
  certificate: 7,
} as const;

/**
 * Signs `record` with the 32-byte `seed` of its public key.
 *
 * @throws {RangeError} If a field is out of range or the public key is not that of `seed`.
 */
export function signPeerRecord(
  crypto: CryptoProvider,
  seed: Uint8Array,
  record: PeerRecord,
): Bytes {
  if (!equal(crypto.ed25519.publicKey(seed), record.publicKey)) {
    throw new RangeError("A peer record is signed with its own key");
  }
  const payload = encodeCbor(
    new Map<number, number | Uint8Array | string[]>([
      [KEY.publicKey, record.publicKey],
      [KEY.sequence, record.sequence],
      [KEY.expires, record.expiresMs / 1000],
      [KEY.addresses, [...record.addresses]],
      [KEY.staticKey, record.staticKey],
      [KEY.tickets, record.tickets.map(formatTicketOffer)],
      ...(record.certificate
        ? [[KEY.certificate, record.certificate] as const]
        : []),
    ]),
  );
  decodePayload(payload);
  const message = concat(DOMAIN, payload);
  const signed = encodeCbor([payload, crypto.ed25519.sign(seed, message)]);
  if (signed.length > MAX_PEER_RECORD_LENGTH) {
    throw new RangeError(
      `A peer record has at most 4096 bytes: got ${signed.length}`,
    );
  }
  return signed;
}

/**
 * Verifies and decodes a record.
 *
 * @throws {DecodeError} If it is malformed.
 * @throws {HtxError} `unauthenticated` if the signature does not verify, it is another peer's, or it has expired.
 */
export function verifyPeerRecord(
  crypto: CryptoProvider,
  bytes: Uint8Array,
  check: PeerRecordCheck,
): PeerRecord {
  const [payload, signature] = decodeSigned(bytes);
  const record = decodePayload(payload);
  const { publicKey } = record;
  const message = concat(DOMAIN, payload);
  if (!crypto.ed25519.verify(publicKey, message, signature)) {
    throw new HtxError(
      "unauthenticated",
      "Peer record is not signed by its key",
    );
  }
  if (check.peerId && !equal(peerId(crypto, publicKey), check.peerId)) {
    throw new HtxError("unauthenticated", "Peer record is another peer's");
  }
  if (record.expiresMs <= check.wallTimeMs) {
    throw new HtxError("unauthenticated", "Peer record has expired");
  }
  return record;
}

/** Writes a signed record as text, for command lines and files. */
export function formatPeerRecord(bytes: Uint8Array): string {
  return TEXT_PREFIX + encodeBase64Url(bytes);
}

/**
 * The signed record that `text` writes, white space around it ignored; not yet verified.
 *
 * @throws {DecodeError} If it is not of the text form.
 */
export function parsePeerRecord(text: string): Bytes {
  const trimmed = text.trim();
  if (!trimmed.startsWith(TEXT_PREFIX)) {
    throw malformed(`want ${TEXT_PREFIX} and base64url`);
  }
  return decodeBase64Url(trimmed.slice(TEXT_PREFIX.length));
}

function decodeSigned(bytes: Uint8Array): [Uint8Array, Uint8Array] {
  if (bytes.length > MAX_PEER_RECORD_LENGTH) {
    throw malformed(`longer than ${MAX_PEER_RECORD_LENGTH} bytes`);
  }
  const signed = decodeCbor(bytes, { maxDepth: 1, maxItems: 3 }, WHAT);
  if (!Array.isArray(signed) || signed.length !== 2) {
    throw malformed("want payload and signature");
  }
  return [bytesOf(signed[0]), bytesOf(signed[1], 64)];
}

/** Decodes a payload; the result keeps nothing of `payload`. */
function decodePayload(payload: Uint8Array): PeerRecord {
  const map = decodeCbor(payload, { maxDepth: 4, maxItems: 128 }, WHAT);
  if (!(map instanceof Map)) throw malformed("want a map");
  for (const key of map.keys()) {
    if (typeof key !== "number" || key < 1) throw malformed("bad key");
  }
  const certificate = map.get(KEY.certificate);
  return {
    publicKey: bytesOf(map.get(KEY.publicKey), 32),
    sequence: unsignedOf(map.get(KEY.sequence)),
    expiresMs: unsignedOf(map.get(KEY.expires)) * 1000,
    addresses: listOf(map.get(KEY.addresses), MAX_ADDRESSES, addressOf),
    staticKey: bytesOf(map.get(KEY.staticKey), 32),
    tickets: listOf(map.get(KEY.tickets), MAX_TICKETS, parseTicketOffer),
    ...(certificate !== undefined && {
      certificate: certificateOf(certificate),
    }),
  };
}

function certificateOf(value: CborDecoded): Bytes {
  const certificate = bytesOf(value);
  if (certificate.length > MAX_CERTIFICATE_LENGTH) {
    throw malformed(`want at most ${MAX_CERTIFICATE_LENGTH} bytes`);
  }
  return certificate;
}

function bytesOf(value: CborDecoded, length?: number): Bytes {
  if (!(value instanceof Uint8Array)) throw malformed("want a byte string");
  if (length !== undefined && value.length !== length) {
    throw malformed(`want ${length} bytes, got ${value.length}`);
  }
  return new Uint8Array(value);
}

function unsignedOf(value: CborDecoded): number {
  if (
    typeof value !== "number" || !Number.isInteger(value) || value < 0 ||
    value > Number.MAX_SAFE_INTEGER / 1000
  ) {
    throw malformed("want an unsigned integer");
  }
  return value;
}

function listOf<T>(
  value: CborDecoded,
  max: number,
  parse: (text: string) => T,
): T[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > max) {
    throw malformed(`want an array of 1 to ${max} texts`);
  }
  return value.map((item) => {
    if (typeof item !== "string") throw malformed("want text");
    return parse(item);
  });
}

function addressOf(text: string): Address {
  if (!ADDRESS_REGEXP.test(text)) throw malformed("want scheme://place");
  return text;
}

function malformed(reason: string): DecodeError {
  return new DecodeError(WHAT, reason);
}
