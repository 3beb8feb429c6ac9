/**
 * What one authority knows before an epoch, signed.
 *
 * ```text
 * vote       CBOR array of two byte strings: payload, 64B Ed25519 signature
 * signature  over "betanet-mix-vote-v1" ‖ payload
 * payload    CBOR map
 *   1  32B Ed25519 key of the authority
 *   2  network, text
 *   3  epoch
 *   4  array of SHA-256 of the descriptors that it holds, 32B each, ascending; at most 4,096
 *   5  map of BeaconSet components, 32B each, by name
 *   6  array of the names of components that it could not get
 *   7  SHA-256 of the payload of the document before, 32B, or an empty byte string
 * ```
 *
 * CBOR is deterministic (RFC 8949 §4.2.1).
 *
 * @module
 */
import {
  type Bytes,
  type CborDecoded,
  type CborValue,
  concat,
  encodeCbor,
  encodeHex,
  utf8,
} from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { BeaconComponents } from "../beacon/beacon_set.ts";
import { DirectoryError } from "./error.ts";
import {
  arrayOf,
  bytesOf,
  integerOf,
  malformed,
  mapOf,
  textOf,
} from "./fields.ts";
import { decode, NETWORK_NAME } from "./node_descriptor.ts";

/** What a vote says. */
export interface Vote {
  /** Ed25519 key of the authority: 32 bytes. */
  readonly authority: Uint8Array;
  /** Of which network. */
  readonly network: string;
  /** For which epoch. */
  readonly epoch: number;
  /** SHA-256 of each descriptor that the authority holds, ascending: at most 4,096. */
  readonly descriptors: readonly Uint8Array[];
  /** What it got of each component of the beacon: at most 16. */
  readonly components: BeaconComponents;
  /** Hash of the document before; empty if it has none. */
  readonly previousHash: Uint8Array;
}

/** Most descriptors of a vote. */
export const MAX_VOTE_DESCRIPTORS = 4_096;
/** Longest vote in bytes. */
export const MAX_VOTE_LENGTH = MAX_VOTE_DESCRIPTORS * 34 + 4_096;

const DOMAIN = utf8("betanet-mix-vote-v1");
const MAX_COMPONENTS = 16;
const COMPONENT_NAME = /^[a-z0-9_]{1,32}$/;
const MAX_EPOCH = 2 ** 43;
const KEY = {
  authority: 1,
  network: 2,
  epoch: 3,
  descriptors: 4,
  components: 5,
  missing: 6,
  previousHash: 7,
} as const;

/**
 * Signs a vote with the authority's 32-byte seed.
 *
 * @throws {DirectoryError} `malformed` if a field is out of range.
 */
export function signVote(
  crypto: CryptoProvider,
  seed: Uint8Array,
  vote: Omit<Vote, "authority">,
): Bytes {
  const there = new Map<string, Uint8Array>();
  const missing: string[] = [];
  for (const [name, value] of vote.components) {
    if (value) there.set(name, value);
    else missing.push(name);
  }
  const payload = encodeCbor(
    new Map<number, CborValue>([
      [KEY.authority, crypto.ed25519.publicKey(seed)],
      [KEY.network, vote.network],
      [KEY.epoch, vote.epoch],
      [KEY.descriptors, vote.descriptors],
      [KEY.components, there],
      [KEY.missing, missing.toSorted()],
      [KEY.previousHash, vote.previousHash],
    ]),
  );
  decodePayload(payload);
  const signature = crypto.ed25519.sign(seed, concat(DOMAIN, payload));
  return encodeCbor([payload, signature]);
}

/**
 * Verifies and decodes a vote; whether its signer is an authority is for the caller to see.
 *
 * @throws {DirectoryError} `malformed`, or `unsigned` if the signature is not its key's.
 */
export function verifyVote(crypto: CryptoProvider, bytes: Uint8Array): Vote {
  const [first, second] = arrayOf(decode(bytes, MAX_VOTE_LENGTH, 1, 3), 2, 2);
  const payload = bytesOf(first);
  const vote = decodePayload(payload);
  const message = concat(DOMAIN, payload);
  if (!crypto.ed25519.verify(vote.authority, message, bytesOf(second, 64))) {
    throw new DirectoryError("unsigned", "A vote that its key did not sign");
  }
  return vote;
}

function decodePayload(payload: Uint8Array): Vote {
  const fields = mapOf(
    decode(payload, MAX_VOTE_LENGTH, 3, MAX_VOTE_DESCRIPTORS + 64),
    KEY,
  );
  const previousHash = bytesOf(fields.previousHash);
  if (previousHash.length !== 0 && previousHash.length !== 32) {
    return malformed("Want a hash of 32 bytes or none");
  }
  return {
    authority: bytesOf(fields.authority, 32),
    network: textOf(fields.network, NETWORK_NAME),
    epoch: integerOf(fields.epoch, 0, MAX_EPOCH),
    descriptors: hashesOf(fields.descriptors),
    components: componentsOf(fields.components, fields.missing),
    previousHash,
  };
}

function hashesOf(value: CborDecoded): Bytes[] {
  let last = "";
  return arrayOf(value, 0, MAX_VOTE_DESCRIPTORS).map((item) => {
    const hash = bytesOf(item, 32);
    const text = encodeHex(hash);
    if (text <= last) return malformed("Descriptors out of order");
    last = text;
    return hash;
  });
}

function componentsOf(
  there: CborDecoded,
  missing: CborDecoded,
): BeaconComponents {
  if (!(there instanceof Map)) return malformed("Want components");
  const components = new Map<string, Uint8Array | undefined>();
  for (const [name, value] of there) {
    components.set(textOf(name, COMPONENT_NAME), bytesOf(value, 32));
  }
  for (const name of arrayOf(missing, 0, MAX_COMPONENTS)) {
    const text = textOf(name, COMPONENT_NAME);
    if (components.has(text)) return malformed("A component twice");
    components.set(text, undefined);
  }
  if (components.size > MAX_COMPONENTS) return malformed("Many components");
  return components;
}
