/**
 * What a node says of itself, signed with its identity key.
 *
 * ```text
 * descriptor  CBOR array of two byte strings: payload, 64B Ed25519 signature
 * signature   over "betanet-mix-descriptor-v1" ‖ payload
 * payload     CBOR map
 *   1  32B Ed25519 identity key, the node's id
 *   2  network, text of 1 to 64 characters a-z 0-9 . -
 *   3  role: 0 mix, 1 gateway
 *   4  array of 1 to 8 addresses, text, best first
 *   5  32B X25519 link key
 *   6  array of 1 to 8 pairs of epoch and 32B X25519 Sphinx key, by ascending epoch
 *   7  number of the autonomous system that it is in
 *   8  sequence: of two descriptors of one node the higher counts
 *   9  expiry in seconds since 1970-01-01 UTC
 *  10  certificate in DER that its `quic:` addresses show, at most 1,024 B; absent if it has none
 *  11  HTX peer record for its `htx:` addresses, at most 4,096 B; absent if it has none
 * ```
 *
 * CBOR is deterministic (RFC 8949 §4.2.1). A descriptor has at most 8,192 bytes.
 *
 * @module
 */
import {
  type Bytes,
  type CborDecoded,
  type CborValue,
  concat,
  decodeCbor,
  DecodeError,
  encodeCbor,
  equal,
  utf8,
} from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { Address } from "../../core/transport/mod.ts";
import { DirectoryError } from "./error.ts";
import {
  arrayOf,
  bytesOf,
  integerOf,
  malformed,
  mapOf,
  textOf,
} from "./fields.ts";

/** What a node does. */
export type NodeRole = "mix" | "gateway";

/** What a descriptor says. */
export interface NodeDescriptor {
  /** Ed25519 public key that signs it, and the node's id: 32 bytes. */
  readonly identityKey: Uint8Array;
  /** The network that it belongs to. */
  readonly network: string;
  /** What it does. */
  readonly role: NodeRole;
  /** Where it listens, best first: 1 to 8. */
  readonly addresses: readonly Address[];
  /** X25519 key of its links, 32 bytes. */
  readonly linkKey: Uint8Array;
  /** X25519 Sphinx keys, 32 bytes each, by epoch: 1 to 8. */
  readonly sphinxKeys: ReadonlyMap<number, Uint8Array>;
  /** Number of its autonomous system. */
  readonly asn: number;
  /** Of two descriptors of one node the higher counts. */
  readonly sequence: number;
  /** Not valid from then on: milliseconds since 1970-01-01 UTC, in whole seconds. */
  readonly expiresMs: number;
  /** Certificate, in DER, that `quic:` addresses show; at most 1,024 bytes. */
  readonly certificate?: Uint8Array;
  /** HTX peer record by which `htx:` addresses are reached; at most 4,096 bytes. */
  readonly peerRecord?: Uint8Array;
}

/** Longest descriptor in bytes. */
export const MAX_DESCRIPTOR_LENGTH = 8_192;
/** What a network may be called. */
export const NETWORK_NAME = /^[a-z0-9.-]{1,64}$/;

const DOMAIN = utf8("betanet-mix-descriptor-v1");
const ADDRESS = /^[a-z][a-z0-9+.-]{0,15}:\/\/[\x21-\x7e]{1,200}$/;
const ROLES: readonly NodeRole[] = ["mix", "gateway"];
const MAX_LIST = 8;
const MAX_CERTIFICATE = 1_024;
const MAX_PEER_RECORD = 4_096;
const MAX_SECONDS = Math.floor(Number.MAX_SAFE_INTEGER / 1000);
const KEY = {
  identityKey: 1,
  network: 2,
  role: 3,
  addresses: 4,
  linkKey: 5,
  sphinxKeys: 6,
  asn: 7,
  sequence: 8,
  expires: 9,
  certificate: 10,
  peerRecord: 11,
} as const;
const OPTIONAL = ["certificate", "peerRecord"] as const;

/**
 * Signs `descriptor` with the 32-byte `seed` of its identity key.
 *
 * @throws {DirectoryError} `malformed` if a field is out of range.
 * @throws {RangeError} If the identity key is not that of `seed`.
 */
export function signDescriptor(
  crypto: CryptoProvider,
  seed: Uint8Array,
  descriptor: NodeDescriptor,
): Bytes {
  if (!equal(crypto.ed25519.publicKey(seed), descriptor.identityKey)) {
    throw new RangeError("A descriptor is signed with its own key");
  }
  const { sphinxKeys } = descriptor;
  const payload = encodeCbor(
    new Map<number, CborValue>([
      [KEY.identityKey, descriptor.identityKey],
      [KEY.network, descriptor.network],
      [KEY.role, ROLES.indexOf(descriptor.role)],
      [KEY.addresses, descriptor.addresses],
      [KEY.linkKey, descriptor.linkKey],
      [KEY.sphinxKeys, [...sphinxKeys].sort(([a], [b]) => a - b)],
      [KEY.asn, descriptor.asn],
      [KEY.sequence, descriptor.sequence],
      [KEY.expires, descriptor.expiresMs / 1000],
      ...OPTIONAL.flatMap((name) => {
        const value = descriptor[name];
        return value ? [[KEY[name], value] as const] : [];
      }),
    ]),
  );
  decodePayload(payload);
  const signature = crypto.ed25519.sign(seed, concat(DOMAIN, payload));
  return encodeCbor([payload, signature]);
}

/**
 * Verifies and decodes a descriptor; whether it has expired is for the caller to see.
 *
 * @throws {DirectoryError} `malformed`, or `unsigned` if the signature is not its key's.
 */
export function verifyDescriptor(
  crypto: CryptoProvider,
  bytes: Uint8Array,
): NodeDescriptor {
  const signed = decode(bytes, MAX_DESCRIPTOR_LENGTH, 1, 3);
  const [payload, signature] = arrayOf(signed, 2, 2);
  const descriptor = decodePayload(bytesOf(payload));
  const message = concat(DOMAIN, bytesOf(payload));
  if (
    !crypto.ed25519.verify(
      descriptor.identityKey,
      message,
      bytesOf(signature, 64),
    )
  ) {
    throw new DirectoryError(
      "unsigned",
      "A descriptor that its key did not sign",
    );
  }
  return descriptor;
}

/**
 * Decodes CBOR of at most `maxLength` bytes.
 *
 * @throws {DirectoryError} `malformed`.
 */
export function decode(
  bytes: Uint8Array,
  maxLength: number,
  maxDepth: number,
  maxItems: number,
): CborDecoded {
  if (bytes.length > maxLength) {
    return malformed(`Want at most ${maxLength} bytes: got ${bytes.length}`);
  }
  try {
    return decodeCbor(bytes, { maxDepth, maxItems });
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new DirectoryError("malformed", "Want deterministic CBOR", { cause });
  }
}

function decodePayload(payload: Uint8Array): NodeDescriptor {
  const fields = mapOf(
    decode(payload, MAX_DESCRIPTOR_LENGTH, 4, 64),
    KEY,
    OPTIONAL,
  );
  const { certificate, peerRecord } = fields;
  return {
    identityKey: bytesOf(fields.identityKey, 32),
    network: textOf(fields.network, NETWORK_NAME),
    role: ROLES[integerOf(fields.role, 0, 1)]!,
    addresses: arrayOf(fields.addresses, 1, MAX_LIST)
      .map((address) => textOf(address, ADDRESS)),
    linkKey: bytesOf(fields.linkKey, 32),
    sphinxKeys: keysOf(fields.sphinxKeys),
    asn: integerOf(fields.asn, 0, 2 ** 32 - 1),
    sequence: integerOf(fields.sequence, 0, MAX_SECONDS),
    expiresMs: integerOf(fields.expires, 0, MAX_SECONDS) * 1000,
    ...certificate !== undefined &&
      { certificate: bytesUpTo(certificate, MAX_CERTIFICATE) },
    ...peerRecord !== undefined &&
      { peerRecord: bytesUpTo(peerRecord, MAX_PEER_RECORD) },
  };
}

function bytesUpTo(value: CborDecoded, maxLength: number): Bytes {
  const bytes = bytesOf(value);
  if (bytes.length >= 1 && bytes.length <= maxLength) return bytes;
  return malformed(`Want 1 to ${maxLength} bytes: got ${bytes.length}`);
}

function keysOf(value: CborDecoded): Map<number, Bytes> {
  const keys = new Map<number, Bytes>();
  let last = -1;
  for (const pair of arrayOf(value, 1, MAX_LIST)) {
    const [number, key] = arrayOf(pair, 2, 2);
    const epoch = integerOf(number, last + 1, Number.MAX_SAFE_INTEGER);
    keys.set(epoch, bytesOf(key, 32));
    last = epoch;
  }
  return keys;
}
