/**
 * Who makes up the network in one epoch, signed by a threshold of authorities.
 *
 * ```text
 * document    CBOR array: payload (bytes), array of pairs of 32B authority key and 64B signature, by ascending key
 * signature   that of the authority's endorsement of the payload's SHA-256: see endorsement.ts
 * payload     CBOR map
 *   1  parameters, array: network, seconds an epoch, payload length, layers, mean delay in ms, longest delay in ms, packets, loops
 *      of clients and loops of nodes in 1,000 s
 *   2  epoch
 *   3  map of BeaconSet components, 32B each, by name; at least 1
 *   4  array of the names of components that were missing
 *   5  SHA-256 of the payload of the epoch before, 32B, or an empty byte string
 *   6  array of pairs of layer (0 gateway) and descriptor (bytes), by ascending identity key; at most 4,096
 * ```
 *
 * CBOR is deterministic (RFC 8949 §4.2.1). The payload is a function of its inputs, so that authorities that agree on those sign the
 * same bytes. A document is valid in its epoch; it may be known before.
 *
 * @module
 */
import {
  type Bytes,
  type CborDecoded,
  type CborValue,
  encodeCbor,
  encodeHex,
  equal,
} from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { type BeaconSet, beaconSet } from "../beacon/beacon_set.ts";
import type { DocumentTrust } from "./document_trust.ts";
import { ENDORSEMENT, joinEndorsement } from "./endorsement.ts";
import { DirectoryError } from "./error.ts";
import {
  arrayOf,
  bytesOf,
  componentFields,
  componentsOf,
  decode,
  encodeFields,
  fieldsOf,
  hashOrNoneOf,
  integerOf,
  malformed,
  MAX_EPOCH,
} from "./fields.ts";
import {
  type NetworkParameters,
  parametersArray,
  parametersOf,
} from "./network_parameters.ts";
import {
  MAX_DESCRIPTOR_LENGTH,
  type NodeDescriptor,
  verifyDescriptor,
} from "./node_descriptor.ts";
import { MAX_NODES } from "./roll.ts";
import { parts, sign, verify } from "./signed_form.ts";

/** A node and where it stands. */
export interface DirectoryNode extends NodeDescriptor {
  /** 0 for gateways, 1 to the number of layers for mixes. */
  readonly layer: number;
}

/** A document. */
export interface DirectoryDocument {
  /** Of the network. */
  readonly parameters: NetworkParameters;
  /** Which it is for. */
  readonly epoch: number;
  /** From when it is valid, in milliseconds since 1970-01-01 UTC. */
  readonly validAfterMs: number;
  /** Until when. */
  readonly validUntilMs: number;
  /** Public randomness of the epoch. */
  readonly beacon: BeaconSet;
  /** {@link hash} of the document before; empty in the first. */
  readonly previousHash: Bytes;
  /** SHA-256 of the payload. */
  readonly hash: Bytes;
  /** By ascending identity key. */
  readonly nodes: readonly DirectoryNode[];
}

/** What a document is made of. */
export interface DocumentInputs {
  /** Of the network. */
  readonly parameters: NetworkParameters;
  /** Which it is for. */
  readonly epoch: number;
  /** Public randomness; it decides the layers. */
  readonly beacon: BeaconSet;
  /** Hash of the document before; empty for the first. */
  readonly previousHash: Uint8Array;
  /** Signed descriptors: those that are not {@link isOfEpoch} are left out, and all but the newest of a node. */
  readonly descriptors: readonly Uint8Array[];
}

/** Most authorities. */
const MAX_AUTHORITIES = 64;
const MAX_PAYLOAD = MAX_NODES * (MAX_DESCRIPTOR_LENGTH + 8) + 4_096;
/** Longest document in bytes. */
export const MAX_DOCUMENT_LENGTH = MAX_PAYLOAD + MAX_AUTHORITIES * 128;

/** Whether `node` can be in a document of `epoch`: it is of the network, has a key for the epoch and does not expire before it. */
export function isOfEpoch(
  node: NodeDescriptor,
  epoch: number,
  { network, epochSeconds }: NetworkParameters,
): boolean {
  return node.network === network && node.sphinxKeys.has(epoch) &&
    node.expiresMs > epoch * epochSeconds * 1000;
}

/**
 * The payload that all authorities with these inputs sign.
 *
 * Mixes are put into layers by the rank of SHA-256(beacon ‖ identity key): the first into layer 1, the second into layer 2, and so on.
 *
 * @throws {DirectoryError} `malformed` or `unsigned` if a descriptor is, or an input is out of range.
 */
export function makeDocument(
  crypto: CryptoProvider,
  { parameters, epoch, beacon, previousHash, descriptors }: DocumentInputs,
): Bytes {
  const newest = new Map<string, { node: NodeDescriptor; bytes: Uint8Array }>();
  for (const bytes of descriptors) {
    const node = verifyDescriptor(crypto, bytes);
    const id = encodeHex(node.identityKey);
    const known = newest.get(id);
    if (
      isOfEpoch(node, epoch, parameters) &&
      (!known ||
        isNewer(node.sequence, bytes, known.node.sequence, known.bytes))
    ) newest.set(id, { node, bytes });
  }
  const layers = layersOf(
    crypto,
    [...newest.values()].map(({ node }) => node),
    beacon.value,
    parameters.layers,
  );
  const nodes = [...newest].sort(([a], [b]) => a < b ? -1 : 1)
    .map(([id, { bytes }]): CborValue => [layers.get(id)!, bytes]);
  const { components, missing } = beacon;
  const payload = encodeFields([
    parametersArray(parameters),
    epoch,
    ...componentFields(
      new Map([
        ...components,
        ...missing.map((name) => [name, undefined] as const),
      ]),
    ),
    previousHash,
    nodes,
  ]);
  decodePayload(crypto, payload);
  return payload;
}

/** An authority's signature of a document's payload: 64 bytes. */
export function signDocument(
  crypto: CryptoProvider,
  seed: Uint8Array,
  payload: Uint8Array,
): Bytes {
  return parts(ENDORSEMENT, endorse(crypto, seed, payload))[1];
}

/** An authority's signed endorsement of a document's payload. */
export function endorse(
  crypto: CryptoProvider,
  seed: Uint8Array,
  payload: Uint8Array,
): Bytes {
  const { epoch, parameters: { network } } = readHead(payload);
  return sign(crypto, ENDORSEMENT, seed, {
    ...{ network, epoch, hash: crypto.hash("sha256", payload) },
    authority: crypto.ed25519.publicKey(seed),
  });
}

/** Puts signatures, by authority key, to a payload. */
export function joinDocument(
  payload: Uint8Array,
  signatures: readonly (readonly [key: Uint8Array, signature: Uint8Array])[],
): Bytes {
  const sorted = signatures.map(([key, signature]) =>
    [encodeHex(key), key, signature] as const
  ).sort(([a], [b]) => a < b ? -1 : 1);
  return encodeCbor([
    payload,
    sorted.map(([, key, signature]) => [key, signature]),
  ]);
}

/**
 * Verifies and decodes a document: that enough different authorities signed it, its network, every descriptor. Times and the chain are
 * `DocumentHistory`'s to check.
 *
 * @throws {DirectoryError} `malformed`, `under_signed`, `unsigned` or `wrong_network`.
 */
export function verifyDocument(
  crypto: CryptoProvider,
  bytes: Uint8Array,
  trust: DocumentTrust,
): DirectoryDocument {
  const { payload } = documentParts(bytes);
  if (readHead(payload).parameters.network !== trust.network) {
    throw new DirectoryError("wrong_network", "A document of another network");
  }
  const signers = endorsementsIn(crypto, bytes, trust).size;
  if (signers < Math.max(1, trust.threshold)) {
    throw new DirectoryError(
      "under_signed",
      `${signers} of ${trust.threshold} authorities signed`,
    );
  }
  return decodePayload(crypto, payload);
}

/**
 * The signed endorsements of authorities that a document has, by their keys in hexadecimal; those that do not verify are left out.
 *
 * @throws {DirectoryError} `malformed`.
 */
export function endorsementsIn(
  crypto: CryptoProvider,
  bytes: Uint8Array,
  { authorities }: DocumentTrust,
): Map<string, Bytes> {
  const { payload, signatures } = documentParts(bytes);
  const { epoch, parameters: { network } } = readHead(payload);
  const hash = crypto.hash("sha256", payload);
  const found = new Map<string, Bytes>();
  for (const [authority, signature] of signatures) {
    if (!authorities.some((key) => equal(key, authority))) continue;
    const endorsement = { authority, network, epoch, hash };
    const signed = joinEndorsement(endorsement, signature);
    try {
      verify(crypto, ENDORSEMENT, signed);
      found.set(encodeHex(authority), signed);
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
    }
  }
  return found;
}

/** The payload of a document, nothing of which is verified, and its signatures. */
export function documentParts(
  bytes: Uint8Array,
): {
  readonly payload: Bytes;
  readonly signatures: readonly (readonly [key: Bytes, signature: Bytes])[];
} {
  const maxItems = 4 * MAX_AUTHORITIES + 3;
  const cbor = decode(bytes, MAX_DOCUMENT_LENGTH, 4, maxItems);
  const [payload, list] = arrayOf(cbor, 2, 2);
  const signatures = arrayOf(list, 0, MAX_AUTHORITIES).map((pair) => {
    const [key, signature] = arrayOf(pair, 2, 2);
    return [bytesOf(key, 32), bytesOf(signature, 64)] as const;
  });
  return { payload: bytesOf(payload), signatures };
}

interface Head {
  readonly parameters: NetworkParameters;
  readonly epoch: number;
  readonly fields: readonly CborDecoded[];
}

function readHead(payload: Uint8Array): Head {
  const fields = fieldsOf(decode(payload, MAX_PAYLOAD, 4, 4 * MAX_NODES), 6);
  const parameters = parametersOf(fields[0]);
  const maxEpoch = Math.floor(MAX_EPOCH / parameters.epochSeconds);
  return { parameters, epoch: integerOf(fields[1], 0, maxEpoch), fields };
}

function decodePayload(
  crypto: CryptoProvider,
  payload: Uint8Array,
): DirectoryDocument {
  const { parameters, epoch, fields } = readHead(payload);
  const lengthMs = parameters.epochSeconds * 1000;
  return {
    parameters,
    epoch,
    validAfterMs: epoch * lengthMs,
    validUntilMs: (epoch + 1) * lengthMs,
    beacon: beaconOf(epoch, fields[2], fields[3]),
    previousHash: hashOrNoneOf(fields[4]),
    hash: crypto.hash("sha256", payload),
    nodes: nodesOf(crypto, fields[5], epoch, parameters),
  };
}

function beaconOf(
  epoch: number,
  there: CborDecoded,
  missing: CborDecoded,
): BeaconSet {
  const components = componentsOf(there, missing);
  if (![...components.values()].some((value) => value)) {
    return malformed("Want a component of the beacon");
  }
  return beaconSet(epoch, components);
}

function nodesOf(
  crypto: CryptoProvider,
  value: CborDecoded,
  epoch: number,
  parameters: NetworkParameters,
): DirectoryNode[] {
  let last = "";
  return arrayOf(value, 0, MAX_NODES).map((pair) => {
    const [number, bytes] = arrayOf(pair, 2, 2);
    const node = verifyDescriptor(crypto, bytesOf(bytes));
    const isMix = node.role === "mix";
    const [min, max] = isMix ? [1, parameters.layers] : [0, 0];
    const layer = integerOf(number, min, max);
    const id = encodeHex(node.identityKey);
    if (id <= last) return malformed("Nodes out of order");
    if (!isOfEpoch(node, epoch, parameters)) {
      return malformed("A node of another network or epoch");
    }
    last = id;
    return { ...node, layer };
  });
}

function layersOf(
  crypto: CryptoProvider,
  nodes: readonly NodeDescriptor[],
  beacon: Uint8Array,
  layers: number,
): Map<string, number> {
  const rank = ({ identityKey }: NodeDescriptor) =>
    encodeHex(crypto.hash("sha256", beacon, identityKey));
  const mixes = nodes.filter(({ role }) => role === "mix")
    .map((node) => ({ id: encodeHex(node.identityKey), rank: rank(node) }))
    .sort((a, b) => a.rank < b.rank ? -1 : 1);
  const gateways = nodes.filter(({ role }) => role === "gateway");
  return new Map([
    ...gateways.map(({ identityKey }) => [encodeHex(identityKey), 0] as const),
    ...mixes.map(({ id }, i) => [id, 1 + i % layers] as const),
  ]);
}

/** Of two descriptors with one sequence the one with the lower bytes counts, so that all authorities take the same. */
function isNewer(
  sequence: number,
  bytes: Uint8Array,
  than: number,
  thanBytes: Uint8Array,
): boolean {
  return sequence > than ||
    sequence === than && encodeHex(bytes) < encodeHex(thanBytes);
}
