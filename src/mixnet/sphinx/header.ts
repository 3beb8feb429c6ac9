/**
 * Sphinx headers as the crate `sphinx-packet` of Nym writes them.
 *
 * ```text
 * header         alpha 32 ‖ MAC 16 ‖ beta 300
 * alpha          X25519 public key, blinded anew at each hop
 * MAC            HMAC-SHA256 over beta, its first 16 bytes
 * beta           AES-128-CTR over the hop's slot and what the next hop gets
 * forward slot   0x01 ‖ version 3 ‖ next address 32 ‖ delay u64 in ns ‖ next MAC 16, in front of 240 bytes of the next beta
 * final slot     0x02 ‖ version 3 ‖ destination 32 ‖ identifier 16, in front of random bytes and the filler
 * version        0x00 ‖ u16
 * ```
 *
 * @module
 */
import { type Bytes, concat } from "../../core/bytes/mod.ts";
import { CryptoError, type CryptoProvider } from "../../core/crypto/mod.ts";
import { SphinxError } from "./error.ts";
import { HEADER_LENGTH } from "./geometry.ts";
import { expandSharedSecret, type HopKeys } from "./key_expansion.ts";

/** One hop of a route. */
export interface RouteHop {
  /** Where the hop before sends the packet: 32 bytes that name the node. */
  readonly address: Uint8Array;
  /** The node's X25519 key for Sphinx, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** How long the node keeps the packet: an integer number of nanoseconds; that of the last hop travels nowhere. */
  readonly delayNs: number;
}

/** Where a packet goes. */
export interface Route {
  /** The nodes on the way, 1 to 5. */
  readonly route: readonly RouteHop[];
  /** Whom the last node delivers it to: 32 bytes. */
  readonly destination: Uint8Array;
  /** What the last node delivers with it: 16 bytes, in replies the SURB's id, else zeros. */
  readonly identifier: Uint8Array;
}

/** A header and the payload seeds of its hops, first hop first. */
export interface BuiltHeader {
  /** 348 bytes. */
  readonly header: Bytes;
  /** 16 bytes each. */
  readonly payloadSeeds: readonly Bytes[];
}

/**
 * The version that we write, in packets and in SURBs: hops read it, and would else tell replies from the rest. They do the same for
 * both that we read; in 260 a SURB hands out one seed, which ours do too.
 */
const VERSION = 259;
const READ_VERSIONS = [VERSION, 260];

/** Most hops of a route. */
const MAX_HOPS = 5;
/** Bytes of a node's address and of a destination. */
export const ADDRESS_LENGTH = 32;
/** Bytes of an identifier. */
const IDENTIFIER_LENGTH = 16;
/** Where the parts of a header lie. */
export const AT = { mac: 32, beta: 48, payload: HEADER_LENGTH } as const;

const MAC_LENGTH = 16;
const BETA_LENGTH = 300;
const SLOT_LENGTH = 60;
const FINAL_SLOT_LENGTH = 52;
const FLAG = { forward: 1, final: 2 } as const;
const ZERO_IV = new Uint8Array(16);
const STREAM = new Uint8Array(BETA_LENGTH + SLOT_LENGTH);

/** The header of a packet along `route`. */
export function buildHeader(
  crypto: CryptoProvider,
  { route, destination, identifier }: Route,
): BuiltHeader {
  checkRoute(route);
  checkLength("A destination", destination, ADDRESS_LENGTH);
  checkLength("An identifier", identifier, IDENTIFIER_LENGTH);
  const secret = crypto.random(32);
  const alpha = crypto.x25519.publicKey(secret);
  const keys = agree(crypto, secret, route);
  const streams = keys.map(({ streamKey }) =>
    crypto.aesCtr(streamKey, ZERO_IV, STREAM)
  );
  const filler = fillerOf(streams);
  const last = route.length - 1;
  let beta = concat(
    Uint8Array.of(FLAG.final, 0, VERSION >> 8, VERSION & 0xff),
    destination,
    identifier,
    crypto.random(BETA_LENGTH - SLOT_LENGTH * last - FINAL_SLOT_LENGTH),
  );
  xor(beta, streams[last]!);
  beta = concat(beta, filler);
  let mac = macOf(crypto, keys[last]!, beta);
  for (let i = last - 1; i >= 0; i--) {
    const slot = new Uint8Array(BETA_LENGTH);
    slot.set([FLAG.forward, 0, VERSION >> 8, VERSION & 0xff]);
    slot.set(route[i + 1]!.address, 4);
    new DataView(slot.buffer).setBigUint64(36, BigInt(route[i]!.delayNs));
    slot.set(mac, 44);
    slot.set(beta.subarray(0, BETA_LENGTH - SLOT_LENGTH), SLOT_LENGTH);
    xor(slot, streams[i]!);
    beta = slot;
    mac = macOf(crypto, keys[i]!, beta);
  }
  return {
    header: concat(alpha, mac, beta),
    payloadSeeds: keys.map(({ payloadSeed }) => payloadSeed),
  };
}

/** What one hop reads in a header. */
export type OpenedHeader =
  & {
    /** By which to know the packet again: 32 bytes of the shared secret's expansion. */
    readonly replayTag: Bytes;
    /** The seed of the payload's layer, 16 bytes. */
    readonly payloadSeed: Bytes;
  }
  & (
    | {
      readonly kind: "forward";
      readonly nextAddress: Bytes;
      readonly delayNs: number;
      /** Writes the next hop's header into the first 348 bytes of `packet`. */
      readonly writeNext: (packet: Bytes) => void;
    }
    | {
      readonly kind: "final";
      readonly destination: Bytes;
      readonly identifier: Bytes;
    }
  );

/**
 * Opens the header at the beginning of `packet` with the node's `privateKey`; nothing is read before its MAC is right.
 *
 * @throws {SphinxError} `weak_point`, `mac`, `version`, `flag` or `delay`.
 */
export function openHeader(
  crypto: CryptoProvider,
  privateKey: Uint8Array,
  packet: Uint8Array,
): OpenedHeader {
  const alpha = packet.subarray(0, AT.mac);
  const beta = packet.subarray(AT.beta, AT.payload);
  const keys = expandSharedSecret(crypto, agreeWith(crypto, privateKey, alpha));
  const mac = macOf(crypto, keys, beta);
  let difference = 0;
  for (let i = 0; i < MAC_LENGTH; i++) {
    difference |= mac[i]! ^ packet[AT.mac + i]!;
  }
  if (difference !== 0) {
    throw new SphinxError("mac", "The header is not for this key");
  }
  const padded = new Uint8Array(BETA_LENGTH + SLOT_LENGTH);
  padded.set(beta);
  const plain = crypto.aesCtr(keys.streamKey, ZERO_IV, padded);
  const view = new DataView(plain.buffer);
  checkVersion(plain[1]!, view.getUint16(2));
  const { replayTag, payloadSeed, blindingFactor } = keys;
  switch (plain[0]) {
    case FLAG.forward:
      return {
        kind: "forward",
        replayTag,
        payloadSeed,
        nextAddress: plain.slice(4, 36),
        delayNs: delayOf(view.getBigUint64(36)),
        writeNext(next) {
          next.set(crypto.x25519.sharedSecret(blindingFactor, alpha));
          next.set(plain.subarray(44), AT.mac);
        },
      };
    case FLAG.final:
      return {
        kind: "final",
        replayTag,
        payloadSeed,
        destination: plain.slice(4, 36),
        identifier: plain.slice(36, 52),
      };
    default:
      throw new SphinxError("flag", `No such routing flag: ${plain[0]}`);
  }
}

/** The keys of each hop: its public key times our secret and the blinding factors of the hops before it. */
function agree(
  crypto: CryptoProvider,
  secret: Uint8Array,
  route: readonly RouteHop[],
): HopKeys[] {
  const keys: HopKeys[] = [];
  for (const { publicKey } of route) {
    let shared = agreeWith(crypto, secret, publicKey);
    for (const { blindingFactor } of keys) {
      shared = agreeWith(crypto, blindingFactor, shared);
    }
    keys.push(expandSharedSecret(crypto, shared));
  }
  return keys;
}

function agreeWith(
  crypto: CryptoProvider,
  privateKey: Uint8Array,
  publicKey: Uint8Array,
): Bytes {
  try {
    return crypto.x25519.sharedSecret(privateKey, publicKey);
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw new SphinxError("weak_point", "A point of low order", { cause });
  }
}

/** What the hops append, seen from the last: each adds 60 zeros and encrypts the end of its stream over them. */
function fillerOf(streams: readonly Bytes[]): Bytes {
  let filler: Bytes = new Uint8Array(0);
  for (const stream of streams.slice(0, -1)) {
    const longer = new Uint8Array(filler.length + SLOT_LENGTH);
    longer.set(filler);
    xor(longer, stream.subarray(stream.length - longer.length));
    filler = longer;
  }
  return filler;
}

function macOf(
  crypto: CryptoProvider,
  { macKey }: HopKeys,
  beta: Uint8Array,
): Bytes {
  return crypto.hmac("sha256", macKey, beta).subarray(0, MAC_LENGTH);
}

function xor(into: Bytes, stream: Uint8Array): void {
  for (let i = 0; i < into.length; i++) into[i]! ^= stream[i]!;
}

function checkRoute(route: readonly RouteHop[]): void {
  if (route.length < 1 || route.length > MAX_HOPS) {
    throw new RangeError(`A route has 1 to 5 hops: got ${route.length}`);
  }
  for (const { address, publicKey, delayNs } of route) {
    checkLength("An address", address, ADDRESS_LENGTH);
    checkLength("A public key", publicKey, 32);
    if (!Number.isSafeInteger(delayNs) || delayNs < 0) {
      throw new RangeError(`A delay is a whole number of ns: got ${delayNs}`);
    }
  }
}

/** @throws {RangeError} If `bytes` has another length. */
function checkLength(
  what: string,
  bytes: Uint8Array,
  length: number,
): void {
  if (bytes.length !== length) {
    throw new RangeError(`${what} has ${length} bytes: got ${bytes.length}`);
  }
}

function checkVersion(first: number, version: number): void {
  if (first !== 0 || !READ_VERSIONS.includes(version)) {
    throw new SphinxError("version", `Version ${version} is not spoken here`);
  }
}

function delayOf(delayNs: bigint): number {
  if (delayNs > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new SphinxError("delay", "The delay is longer than 2^53 - 1 ns");
  }
  return Number(delayNs);
}
