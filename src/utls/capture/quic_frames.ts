import { DecodeError, Reader } from "../../core/bytes/mod.ts";
import { readVarint } from "./quic_initial.ts";

/** A piece of the handshake (RFC 9000 §19.6). */
export interface CryptoFrame {
  /** Where {@link data} starts in the stream of handshake bytes. */
  readonly offset: number;
  /** The bytes, a view. */
  readonly data: Uint8Array;
}

/** Frames that an Initial packet may hold (RFC 9000 §12.4). */
const FRAME = {
  padding: 0x00,
  ping: 0x01,
  ack: 0x02,
  ackEcn: 0x03,
  crypto: 0x06,
  connectionClose: 0x1c,
} as const;

/**
 * The CRYPTO frames among the frames of an Initial packet.
 *
 * @throws {DecodeError} If a length does not fit, or a frame is not allowed there.
 */
export function* readCryptoFrames(frames: Uint8Array): Generator<CryptoFrame> {
  const r = new Reader(frames, "QUIC frames");
  while (r.remaining > 0) {
    const type = r.u8();
    switch (type) {
      case FRAME.padding:
      case FRAME.ping:
        break;
      case FRAME.ack:
      case FRAME.ackEcn:
        skipAck(r, type === FRAME.ackEcn);
        break;
      case FRAME.crypto:
        yield { offset: readVarint(r), data: r.take(readVarint(r)) };
        break;
      case FRAME.connectionClose:
        readVarint(r);
        readVarint(r);
        r.take(readVarint(r));
        break;
      default:
        throw new DecodeError(r.what, `frame of type ${type}`);
    }
  }
}

/** Largest, delay, ranges: each two numbers but the first, which is one; then three counts with ECN (RFC 9000 §19.3). */
function skipAck(r: Reader, hasEcn: boolean): void {
  readVarint(r);
  readVarint(r);
  const ranges = readVarint(r);
  readVarint(r);
  for (let i = 0; i < ranges; i++) { // ends with the packet at the latest
    readVarint(r);
    readVarint(r);
  }
  for (let i = 0; hasEcn && i < 3; i++) readVarint(r);
}
