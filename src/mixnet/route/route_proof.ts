/**
 * What a sender shows to prove, afterwards, which route and delays a packet of its was to have.
 *
 * ```text
 * proof   CBOR array: 32B VRF public key, epoch, 34B source PeerID, 34B destination PeerID, 16B stream nonce,
 *         packet counter, attempt, 80B ECVRF proof
 * alpha   "betanet-mix-route-v1" ‖ mix seed 32 ‖ counter u64
 * ```
 *
 * Deterministic CBOR (RFC 8949 §4.2.1), ECVRF-EDWARDS25519-SHA512-ELL2 (RFC 9381). The source is the PeerID of the VRF key, the
 * destination that of the gateway where the packet ends.
 *
 * Attempts before the one named were passed over for the autonomous systems, which a verifier sees, or for hop sets used lately,
 * which it does not: a sender chooses among {@link MAX_ATTEMPTS} routes for a packet of a stream. The stream nonce is its choice
 * too (BN11-7.2-3), so who makes a VRF key or a nonce for each packet can look for a route it likes: a proof says that
 * route and delays follow from these inputs, and those of packets with one key and nonce are to be asked for together.
 *
 * @module
 */
import {
  type Bytes,
  concat,
  decodeBase64Url,
  decodeCbor,
  DecodeError,
  encodeBase64Url,
  encodeCbor,
  equal,
  utf8,
  Writer,
} from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { vrfVerify } from "../vrf/ecvrf.ts";
import { type DrawnRoute, drawRoute, type RoutePlan } from "./draw_route.ts";
import { mixSeed } from "./mix_seed.ts";
import { peerIdOf } from "./peer_id.ts";

/** Which packet of which stream. */
export interface PacketOrigin {
  /** The epoch whose BeaconSet counts. */
  readonly epoch: number;
  /** PeerID of the sender, 34 bytes. */
  readonly source: Uint8Array;
  /** PeerID of the receiver, 34 bytes. */
  readonly destination: Uint8Array;
  /** Of the stream, 16 bytes. */
  readonly streamNonce: Uint8Array;
  /** Of the packet in its stream, from 0. */
  readonly counter: number;
}

/** A proof of a packet's route. */
export interface RouteProof extends PacketOrigin {
  /** The sender's VRF key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Which try it was, from 0. */
  readonly attempt: number;
  /** The ECVRF proof, 80 bytes. */
  readonly proof: Uint8Array;
}

/** Most tries for one packet. */
export const MAX_ATTEMPTS = 64;

const ALPHA = utf8("betanet-mix-route-v1");
const PREFIX = "betanet-route:";
const WHAT = "route proof";
const MAX_LENGTH = 512;
const LENGTHS = [32, undefined, 34, 34, 16, undefined, undefined, 80] as const;

/** The VRF's input for a packet: it fixes the route before the sender can know it. */
export function routeAlpha(
  crypto: CryptoProvider,
  beacon: Uint8Array,
  origin: PacketOrigin,
): Bytes {
  const counter = new Writer().u64(BigInt(origin.counter)).finish();
  return concat(ALPHA, mixSeed(crypto, { beacon, ...origin }), counter);
}

/** The bytes of `proof`. */
export function encodeRouteProof(proof: RouteProof): Bytes {
  return encodeCbor([
    proof.publicKey,
    proof.epoch,
    proof.source,
    proof.destination,
    proof.streamNonce,
    proof.counter,
    proof.attempt,
    proof.proof,
  ]);
}

/**
 * The proof that `bytes` are.
 *
 * @throws {DecodeError} If they are none.
 */
export function decodeRouteProof(bytes: Uint8Array): RouteProof {
  if (bytes.length > MAX_LENGTH) {
    throw new DecodeError(WHAT, `at most ${MAX_LENGTH} bytes`);
  }
  const fields = decodeCbor(bytes);
  if (
    !Array.isArray(fields) || fields.length !== LENGTHS.length ||
    !fields.every((field, i) => isField(field, LENGTHS[i]))
  ) {
    throw new DecodeError(WHAT, "an array of eight fields");
  }
  const [
    publicKey,
    epoch,
    source,
    destination,
    streamNonce,
    counter,
    attempt,
    proof,
  ] = fields as [Bytes, number, Bytes, Bytes, Bytes, number, number, Bytes];
  return {
    publicKey,
    epoch,
    source,
    destination,
    streamNonce,
    counter,
    attempt,
    proof,
  };
}

/** `proof` as text: `betanet-route:` and its bytes in base64url. */
export function formatRouteProof(proof: RouteProof): string {
  return PREFIX + encodeBase64Url(encodeRouteProof(proof));
}

/**
 * The proof that `text` writes.
 *
 * @throws {DecodeError} If it writes none.
 */
export function parseRouteProof(text: string): RouteProof {
  if (!text.startsWith(PREFIX) || text.length > 2 * MAX_LENGTH) {
    throw new DecodeError(WHAT, `"${PREFIX}" and base64url`);
  }
  return decodeRouteProof(decodeBase64Url(text.slice(PREFIX.length)));
}

/**
 * The route that `proof` proves, with its delays, or `undefined` if it proves none.
 *
 * @param beacon The value of the epoch's BeaconSet, 32 bytes.
 * @param plan What the sender had to draw from: the nodes and parameters of the epoch's document, gateways and mode.
 */
export function verifyRouteProof(
  crypto: CryptoProvider,
  proof: RouteProof,
  beacon: Uint8Array,
  plan: RoutePlan,
): DrawnRoute | undefined {
  if (proof.epoch !== plan.epoch || proof.attempt >= MAX_ATTEMPTS) return;
  if (
    !equal(proof.source, peerIdOf(crypto, proof.publicKey)) ||
    !equal(proof.destination, peerIdOf(crypto, plan.to))
  ) return;
  const alpha = routeAlpha(crypto, beacon, proof);
  const beta = vrfVerify(crypto, "ELL2", proof.publicKey, alpha, proof.proof);
  return beta && drawRoute(crypto, beta, proof.attempt, plan);
}

function isField(field: unknown, length: number | undefined): boolean {
  return length === undefined
    ? Number.isSafeInteger(field) && Number(field) >= 0
    : field instanceof Uint8Array && field.length === length;
}
