/**
 * Sphinx packets: header 348 ‖ payload, whose length the geometry says.
 *
 * @module
 */
import { type Bytes, concat } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { SphinxError } from "./error.ts";
import type { SphinxGeometry } from "./geometry.ts";
import { AT, buildHeader, openHeader, type Route } from "./header.ts";
import { payloadKey } from "./key_expansion.ts";
import { lionessDecrypt } from "./lioness.ts";
import { sealPayload } from "./payload.ts";

/** What a node makes of a packet. */
export type Unwrapped =
  | {
    /** It goes on. */
    readonly kind: "forward";
    /** By which to know the packet again, 32 bytes. */
    readonly replayTag: Bytes;
    /** The next node, 32 bytes. */
    readonly nextAddress: Bytes;
    /** How long to keep it, in nanoseconds. */
    readonly delayNs: number;
    /** What the next node gets, as long as the packet was. */
    readonly packet: Bytes;
  }
  | {
    /** It ends here. */
    readonly kind: "final";
    /** By which to know the packet again, 32 bytes. */
    readonly replayTag: Bytes;
    /** Whom it is for, 32 bytes. */
    readonly destination: Bytes;
    /** What its sender gave with it, 16 bytes: in replies the SURB's id. */
    readonly identifier: Bytes;
    /** The payload with this node's layer off: see `recoverMessage`, for replies `recoverReply`. */
    readonly payload: Bytes;
  };

/**
 * A packet that carries `message` along `route`.
 *
 * @throws {RangeError} If a length or delay is out of range.
 * @throws {SphinxError} `weak_point` if a node's key has low order.
 */
export function createPacket(
  crypto: CryptoProvider,
  geometry: SphinxGeometry,
  route: Route,
  message: Uint8Array,
): Bytes {
  const { header, payloadSeeds } = buildHeader(crypto, route);
  return concat(header, sealPayload(crypto, geometry, payloadSeeds, message));
}

/**
 * Takes a node's layer off `packet`, which is left as it is.
 *
 * The caller refuses a {@link Unwrapped.replayTag} that it has seen under the same key.
 *
 * @param privateKey The node's X25519 key, 32 bytes.
 * @throws {SphinxError} Why the packet is to be dropped.
 */
export function unwrapPacket(
  crypto: CryptoProvider,
  { packetLength }: SphinxGeometry,
  privateKey: Uint8Array,
  packet: Uint8Array,
): Unwrapped {
  if (packet.length !== packetLength) {
    throw new SphinxError(
      "length",
      `A packet has ${packetLength} bytes: got ${packet.length}`,
    );
  }
  const opened = openHeader(crypto, privateKey, packet);
  const { kind, replayTag } = opened;
  const key = payloadKey(crypto, opened.payloadSeed);
  if (kind === "final") {
    const { destination, identifier } = opened;
    const payload = packet.slice(AT.payload);
    lionessDecrypt(crypto, key, payload);
    return { kind, replayTag, destination, identifier, payload };
  }
  const { nextAddress, delayNs } = opened;
  const next = packet.slice();
  opened.writeNext(next);
  lionessDecrypt(crypto, key, next.subarray(AT.payload));
  return { kind, replayTag, nextAddress, delayNs, packet: next };
}
