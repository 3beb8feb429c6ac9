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
import { type Bytes, type CborDecoded, equal } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { Address } from "../../core/transport/mod.ts";
import {
  arrayOf,
  bytesOf,
  integerOf,
  malformed,
  MAX_EPOCH,
  NETWORK_NAME,
  textOf,
} from "./fields.ts";
import { sign, type SignedForm, verify } from "./signed_form.ts";

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

const ADDRESS = /^[a-z][a-z0-9+.-]{0,15}:\/\/[\x21-\x7e]{1,200}$/;
const ROLES: readonly NodeRole[] = ["mix", "gateway"];
const MAX_LIST = 8;
const MAX_CERTIFICATE = 1_024;
const MAX_PEER_RECORD = 4_096;
const MAX_SECONDS = Math.floor(Number.MAX_SAFE_INTEGER / 1000);

const DESCRIPTOR: SignedForm<NodeDescriptor> = {
  domain: "betanet-mix-descriptor-v1",
  maxLength: MAX_DESCRIPTOR_LENGTH,
  maxItems: 64,
  fields: 9,
  optional: 2,
  write: (node) => [
    node.identityKey,
    node.network,
    ROLES.indexOf(node.role),
    node.addresses,
    node.linkKey,
    [...node.sphinxKeys].sort(([a], [b]) => a - b),
    node.asn,
    node.sequence,
    node.expiresMs / 1000,
    node.certificate,
    node.peerRecord,
  ],
  read: (fields) => ({
    identityKey: bytesOf(fields[0], 32),
    network: textOf(fields[1], NETWORK_NAME),
    role: ROLES[integerOf(fields[2], 0, 1)]!,
    addresses: arrayOf(fields[3], 1, MAX_LIST)
      .map((address) => textOf(address, ADDRESS)),
    linkKey: bytesOf(fields[4], 32),
    sphinxKeys: keysOf(fields[5]),
    asn: integerOf(fields[6], 0, 2 ** 32 - 1),
    sequence: integerOf(fields[7], 0, MAX_SECONDS),
    expiresMs: integerOf(fields[8], 0, MAX_SECONDS) * 1000,
    ...fields[9] !== undefined &&
      { certificate: bytesUpTo(fields[9], MAX_CERTIFICATE) },
    ...fields[10] !== undefined &&
      { peerRecord: bytesUpTo(fields[10], MAX_PEER_RECORD) },
  }),
};

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
  return sign(crypto, DESCRIPTOR, seed, descriptor);
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
  return verify(crypto, DESCRIPTOR, bytes);
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
    const epoch = integerOf(number, last + 1, MAX_EPOCH);
    keys.set(epoch, bytesOf(key, 32));
    last = epoch;
  }
  return keys;
}
