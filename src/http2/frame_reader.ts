import { concat } from "../core/bytes/mod.ts";
import {
  connectionPreface,
  decodeFrame,
  type Frame,
  FRAME_HEADER_LENGTH,
  frameLength,
} from "./frame.ts";
import { Http2Error } from "./http2_error.ts";

const EMPTY = new Uint8Array(0);

/** Cuts what is received into frames; holds at most one that is not whole. */
export class FrameReader {
  readonly #maxFrameBytes: number;
  #preface: Uint8Array;
  #input: Uint8Array = EMPTY;
  /** The start of a frame whose rest has not come. */
  #left: Uint8Array = EMPTY;

  /** Takes payloads of up to `maxFrameBytes`, behind the preface if `expectPreface`. */
  constructor(maxFrameBytes: number, { expectPreface = false } = {}) {
    this.#maxFrameBytes = maxFrameBytes;
    this.#preface = expectPreface ? connectionPreface() : EMPTY;
  }

  /**
   * The frames that `bytes` complete, each read when it is asked for; they view `bytes`. Take all, or read no more.
   *
   * @throws {Http2Error} `protocolError` for another preface, `frameSizeError` for a frame that is too long.
   */
  *read(bytes: Uint8Array): Generator<Frame> {
    this.#input = this.#skipPreface(bytes);
    if (this.#preface.length > 0) return;
    for (let frame; (frame = this.#next());) yield frame;
  }

  #next(): Frame | undefined {
    if (this.#left.length > 0) return this.#completeLeft();
    const frame = decodeFrame(this.#input, this.#maxFrameBytes);
    if (frame) this.#take(FRAME_HEADER_LENGTH + frame.payload.length);
    else this.#left = this.#take(this.#input.length).slice();
    return frame;
  }

  /** The frame that was begun; only what is missing is copied. */
  #completeLeft(): Frame | undefined {
    this.#fillLeft(FRAME_HEADER_LENGTH);
    this.#fillLeft(frameLength(this.#left));
    const frame = decodeFrame(this.#left, this.#maxFrameBytes);
    if (frame) this.#left = EMPTY;
    return frame;
  }

  #fillLeft(length: number): void {
    const missing = Math.max(0, length - this.#left.length);
    if (missing > 0) this.#left = concat(this.#left, this.#take(missing));
  }

  /** Up to `length` bytes of the input. */
  #take(length: number): Uint8Array {
    const taken = this.#input.subarray(0, length);
    this.#input = this.#input.subarray(length);
    return taken;
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
