import { concat } from "../core/bytes/mod.ts";
import {
  connectionPreface,
  decodeFrame,
  type Frame,
  FRAME_HEADER_LENGTH,
} from "./frame.ts";
import { Http2Error } from "./http2_error.ts";

/** Cuts what is received into frames; holds at most one that is not whole. */
export class FrameReader {
  readonly #maxFrameBytes: number;
  #preface: Uint8Array;
  #left: Uint8Array = new Uint8Array(0);

  /** Takes payloads of up to `maxFrameBytes`, behind the preface if `expectPreface`. */
  constructor(maxFrameBytes: number, { expectPreface = false } = {}) {
    this.#maxFrameBytes = maxFrameBytes;
    this.#preface = expectPreface ? connectionPreface() : new Uint8Array(0);
  }

  /**
   * The frames that `bytes` complete, each read when it is asked for; they view `bytes`. Take all, or read no more.
   *
   * @throws {Http2Error} `protocolError` for another preface, `frameSizeError` for a frame that is too long.
   */
  *read(bytes: Uint8Array): Generator<Frame> {
    let left = this.#left.length > 0 ? concat(this.#left, bytes) : bytes;
    left = this.#skipPreface(left);
    while (this.#preface.length === 0) {
      const frame = decodeFrame(left, this.#maxFrameBytes);
      if (!frame) break;
      left = left.subarray(FRAME_HEADER_LENGTH + frame.payload.length);
      yield frame;
    }
    this.#left = left.slice();
  }

  #skipPreface(bytes: Uint8Array): Uint8Array {
    const length = Math.min(this.#preface.length, bytes.length);
    if (this.#preface.subarray(0, length).some((b, i) => b !== bytes[i])) {
      throw new Http2Error("protocolError", "Not the preface of HTTP/2");
    }
    this.#preface = this.#preface.subarray(length);
    return bytes.subarray(length);
  }
}
