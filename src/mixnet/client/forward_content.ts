/**
 * What a forward packet brings to the exit gateway: the message of the Sphinx packet, always as long as the geometry allows.
 *
 * ```text
 * epoch      4   of the keys that the SURB was built for, low 32 bits, big-endian
 * ack SURB 396   the gateway uses it once the sealed part is stored
 * sealed     …   the rest, for the mailbox: see packet_body.ts
 * ```
 *
 * @module
 */
import { type Bytes, Reader, Writer } from "../../core/bytes/mod.ts";
import type { SphinxGeometry } from "../sphinx/geometry.ts";
import { SURB_LENGTH } from "../sphinx/surb.ts";

const ACK_LENGTH = 4 + SURB_LENGTH;

/** Destination of what a gateway drops, acknowledged as if it were stored: no client has a link key of zeros. */
export const NOBODY: Bytes = new Uint8Array(32);

/** The parts of a forward packet's message. */
export interface ForwardContent {
  /** Of the SURB, low 32 bits. */
  readonly ackEpoch: number;
  /** Brings the acknowledgement to the sender. */
  readonly ackSurb: Bytes;
  /** What the mailbox keeps; {@link sealedLength} bytes. */
  readonly sealed: Bytes;
}

/** Bytes of the sealed part. */
export function sealedLength({ messageLength }: SphinxGeometry): number {
  return messageLength - ACK_LENGTH;
}

/** The message of a forward packet. */
export function encodeForwardContent(content: ForwardContent): Bytes {
  const { ackEpoch, ackSurb, sealed } = content;
  return new Writer(ACK_LENGTH + sealed.length)
    .u32(ackEpoch).put(ackSurb).put(sealed).finish();
}

/**
 * The parts of `message`.
 *
 * @throws {DecodeError} If it has not the length of the geometry.
 */
export function decodeForwardContent(
  geometry: SphinxGeometry,
  message: Uint8Array,
): ForwardContent {
  const r = new Reader(message, "forward content");
  const ackEpoch = r.u32();
  const ackSurb = new Uint8Array(r.take(SURB_LENGTH));
  const sealed = new Uint8Array(r.take(sealedLength(geometry)));
  r.end();
  return { ackEpoch, ackSurb, sealed };
}
