/**
 * Who makes up the network in one epoch, signed by a threshold of authorities.
 *
 * ```text
 * document    CBOR array: payload (bytes), array of pairs of 32B authority key and 64B signature, by ascending key
 * signature   Ed25519 over "betanet-mix-document-v1" ‖ payload
 * payload     CBOR map
 *   1  parameters, array: network, seconds an epoch, payload length, layers, mean delay in ms, longest delay in ms, packets, loops
 *      of clients and loops of nodes in 1,000 s
 *   2  epoch
 *   3  map of BeaconSet components, 32B each, by name
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
  concat,
  encodeCbor,
  encodeHex,
  equal,
  utf8,
} from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { type BeaconSet, beaconSet } from "../beacon/beacon_set.ts";
import { DirectoryError } from "./error.ts";
import {
  arrayOf,
  bytesOf,
  integerOf,
  malformed,
  mapOf,
  textOf,
} from "./fields.ts";
import {
  decode,
  MAX_DESCRIPTOR_LENGTH,
  NETWORK_NAME,
  type NodeDescriptor,
  verifyDescriptor,
} from "./node_descriptor.ts";

/** What all nodes and clients of a network have in common. */
export interface NetworkParameters {
  /** Its name: 1 to 64 of `a-z 0-9 . -`. */
  readonly network: string;
  /** Length of an epoch in seconds; 3,600 in Betanet 1.1 §7.2. */
  readonly epochSeconds: number;
  /** Length of the packets' payload in bytes: see `sphinxGeometry`. */
  readonly payloadLength: number;
  /** Layers of mixes. */
  readonly layers: number;
  /** Mean of a hop's delay in milliseconds. */
  readonly meanDelayMs: number;
  /** Longest delay of a hop in milliseconds. */
  readonly maxDelayMs: number;
  /** Packets that a client sends in 1,000 seconds, real or cover (λ_P). */
  readonly clientPacketsPer1000S: number;
  /** Loops that a client sends beside them in 1,000 seconds (λ_L). */
  readonly clientLoopsPer1000S: number;
  /** Loops that a node sends in 1,000 seconds (λ_M). */
  readonly nodeLoopsPer1000S: number;
}

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
  /** Signed descriptors: those of other networks, expired or without a key for the epoch are left out, and all but the newest of a node. */
  readonly descriptors: readonly Uint8Array[];
}

/** Who signs documents. */
export interface DocumentTrust {
  /** Name of the network. */
  readonly network: string;
  /** Ed25519 keys of the authorities, 32 bytes each. */
  readonly authorities: readonly Uint8Array[];
  /** How many of them must have signed. */
  readonly threshold: number;
}

/** Most nodes of a document. */
const MAX_NODES = 4_096;
/** Most authorities. */
const MAX_AUTHORITIES = 64;

const DOMAIN = utf8("betanet-mix-document-v1");
const MAX_PAYLOAD = MAX_NODES * (MAX_DESCRIPTOR_LENGTH + 8) + 4_096;
/** Longest document in bytes. */
export const MAX_DOCUMENT_LENGTH = MAX_PAYLOAD + MAX_AUTHORITIES * 128;
const MAX_COMPONENTS = 16;
const COMPONENT_NAME = /^[a-z0-9_]{1,32}$/;
const KEY = {
  parameters: 1,
  epoch: 2,
  components: 3,
  missing: 4,
  previousHash: 5,
  nodes: 6,
} as const;

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
  const beginMs = epoch * parameters.epochSeconds * 1000;
  for (const bytes of descriptors) {
    const node = verifyDescriptor(crypto, bytes);
    const id = encodeHex(node.identityKey);
    const known = newest.get(id);
    if (
      node.network === parameters.network && node.expiresMs > beginMs &&
      node.sphinxKeys.has(epoch) &&
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
  const payload = encodeCbor(
    new Map<number, CborValue>([
      [KEY.parameters, parametersArray(parameters)],
      [KEY.epoch, epoch],
      [KEY.components, new Map(beacon.components)],
      [KEY.missing, beacon.missing.toSorted()],
      [KEY.previousHash, previousHash],
      [KEY.nodes, nodes],
    ]),
  );
  decodePayload(crypto, payload);
  return payload;
}

/** An authority's signature of a document's payload: 64 bytes. */
export function signDocument(
  crypto: CryptoProvider,
  seed: Uint8Array,
  payload: Uint8Array,
): Bytes {
  return crypto.ed25519.sign(seed, concat(DOMAIN, payload));
}

/** Whether `signature` is that of `key` on a document's payload. */
export function isSignatureOf(
  crypto: CryptoProvider,
  key: Uint8Array,
  payload: Uint8Array,
  signature: Uint8Array,
): boolean {
  return crypto.ed25519.verify(key, concat(DOMAIN, payload), signature);
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
  { network, authorities, threshold }: DocumentTrust,
): DirectoryDocument {
  const [payload, list] = arrayOf(
    decode(bytes, MAX_DOCUMENT_LENGTH, 4, 4 * MAX_AUTHORITIES + 3),
    2,
    2,
  );
  const signed = bytesOf(payload);
  const signers = new Set<string>();
  for (const pair of arrayOf(list, 0, MAX_AUTHORITIES)) {
    const [key, signature] = arrayOf(pair, 2, 2);
    const signer = bytesOf(key, 32);
    if (
      authorities.some((authority) => equal(authority, signer)) &&
      isSignatureOf(crypto, signer, signed, bytesOf(signature, 64))
    ) signers.add(encodeHex(signer));
  }
  if (signers.size < Math.max(1, threshold)) {
    throw new DirectoryError(
      "under_signed",
      `${signers.size} of ${threshold} authorities signed`,
    );
  }
  const document = decodePayload(crypto, signed);
  if (document.parameters.network !== network) {
    throw new DirectoryError("wrong_network", "A document of another network");
  }
  return document;
}

function decodePayload(
  crypto: CryptoProvider,
  payload: Uint8Array,
): DirectoryDocument {
  const cbor = decode(payload, MAX_PAYLOAD, 4, 4 * MAX_NODES);
  const fields = mapOf(cbor, KEY);
  const parameters = parametersOf(fields.parameters);
  const epoch = integerOf(
    fields.epoch,
    0,
    Math.floor(2 ** 43 / parameters.epochSeconds),
  );
  const previousHash = bytesOf(fields.previousHash);
  if (previousHash.length !== 0 && previousHash.length !== 32) {
    return malformed("Want a hash of 32 bytes or none");
  }
  const lengthMs = parameters.epochSeconds * 1000;
  return {
    parameters,
    epoch,
    validAfterMs: epoch * lengthMs,
    validUntilMs: (epoch + 1) * lengthMs,
    beacon: beaconOf(epoch, fields.components, fields.missing),
    previousHash,
    hash: crypto.hash("sha256", payload),
    nodes: nodesOf(crypto, fields.nodes, parameters),
  };
}

function beaconOf(
  epoch: number,
  components: CborDecoded,
  missing: CborDecoded,
): BeaconSet {
  if (!(components instanceof Map)) return malformed("Want components");
  const found = new Map<string, Uint8Array | undefined>();
  for (const [name, value] of components) {
    found.set(textOf(name, COMPONENT_NAME), bytesOf(value, 32));
  }
  if (found.size === 0) return malformed("Want a component of the beacon");
  for (const name of arrayOf(missing, 0, MAX_COMPONENTS)) {
    const text = textOf(name, COMPONENT_NAME);
    if (found.has(text)) return malformed("A component both there and missing");
    found.set(text, undefined);
  }
  if (found.size > MAX_COMPONENTS) return malformed("Too many components");
  return beaconSet(epoch, found);
}

function nodesOf(
  crypto: CryptoProvider,
  value: CborDecoded,
  { network, layers }: NetworkParameters,
): DirectoryNode[] {
  let last = "";
  return arrayOf(value, 0, MAX_NODES).map((pair) => {
    const [number, bytes] = arrayOf(pair, 2, 2);
    const node = verifyDescriptor(crypto, bytesOf(bytes));
    const isMix = node.role === "mix";
    const layer = integerOf(number, isMix ? 1 : 0, isMix ? layers : 0);
    const id = encodeHex(node.identityKey);
    if (id <= last) return malformed("Nodes out of order");
    if (node.network !== network) return malformed("A node of another network");
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

function parametersArray(p: NetworkParameters): CborValue {
  return [
    p.network,
    p.epochSeconds,
    p.payloadLength,
    p.layers,
    p.meanDelayMs,
    p.maxDelayMs,
    p.clientPacketsPer1000S,
    p.clientLoopsPer1000S,
    p.nodeLoopsPer1000S,
  ];
}

function parametersOf(value: CborDecoded): NetworkParameters {
  const fields = arrayOf(value, 9, 9);
  const meanDelayMs = integerOf(fields[4], 1, 3_600_000);
  return {
    network: textOf(fields[0], NETWORK_NAME),
    epochSeconds: integerOf(fields[1], 1, 86_400),
    payloadLength: integerOf(fields[2], 33, 65_535),
    layers: integerOf(fields[3], 1, 3),
    meanDelayMs,
    maxDelayMs: integerOf(fields[5], meanDelayMs, 3_600_000),
    clientPacketsPer1000S: integerOf(fields[6], 0, 10_000_000),
    clientLoopsPer1000S: integerOf(fields[7], 0, 10_000_000),
    nodeLoopsPer1000S: integerOf(fields[8], 0, 10_000_000),
  };
}
