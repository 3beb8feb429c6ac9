import {
  connectionPreface,
  decodeFrame,
  type Frame,
  FRAME_HEADER_LENGTH,
  FRAME_TYPE,
  frameLength,
} from "./frame.ts";
import { Http2Error } from "./http2_error.ts";

/** Longest payload that is kept until it is whole, even if our SETTINGS allow more, as those of nginx do with 2^24 − 1. */
const MAX_PAYLOAD_BYTES = 65_536;

const EMPTY = new Uint8Array(0);

/** Cuts what is received into frames; holds at most one that is not whole, and nothing of a type it does not know. */
export class FrameReader {
  readonly #maxFrameBytes: number;
  #preface: Uint8Array;
  #input: Uint8Array = EMPTY;
  /** The start of a frame whose rest has not come, in a buffer for all of it once its header is whole. */
  #held: Uint8Array = EMPTY;
  #heldLength = 0;
  #toSkip = 0;

  /** Takes payloads of up to `maxFrameBytes`, behind the preface if `expectPreface`. */
  constructor(maxFrameBytes: number, { expectPreface = false } = {}) {
    this.#maxFrameBytes = maxFrameBytes;
    this.#preface = expectPreface ? connectionPreface() : EMPTY;
  }

  /**
   * The frames that `bytes` complete, each read when it is asked for; they view `bytes`. Take all, or read no more. One of a type
   * that is not in `FRAME_TYPE` may come as soon as its header has, and without its payload.
   *
   * @throws {Http2Error} `protocolError` for another preface, `frameSizeError` for a frame that is too long.
   */
  *read(bytes: Uint8Array): Generator<Frame> {
    this.#input = this.#skipPreface(bytes);
    if (this.#preface.length > 0) return;
    for (let frame; (frame = this.#next());) yield frame;
  }

  #next(): Frame | undefined {
    this.#toSkip -= this.#take(this.#toSkip).length;
    if (this.#input.length === 0) return undefined;
    if (this.#heldLength > 0) return this.#completeHeld();
    const frame = this.#decode(this.#input);
    if (!frame) return this.#completeHeld();
    this.#take(FRAME_HEADER_LENGTH + frame.payload.length);
    return frame;
  }

  /** The frame that was begun; only what is missing is copied, once. */
  #completeHeld(): Frame | undefined {
    if (!this.#hold(FRAME_HEADER_LENGTH)) return undefined;
    const length = frameLength(this.#held);
    const whole = this.#decode(this.#held.subarray(0, this.#heldLength));
    if (!whole && !isKnown(this.#held)) {
      this.#toSkip = length - FRAME_HEADER_LENGTH;
      this.#held.fill(0, 0, 3); // its length
    } else if (!whole && !this.#hold(length)) return undefined;
    const frame = this.#decode(this.#held);
    this.#held = EMPTY;
    this.#heldLength = 0;
    return frame;
  }

  /** Takes what lacks of the first `length` bytes of a frame, and says whether they are there. */
  #hold(length: number): boolean {
    if (this.#held.length < length) {
      const held = new Uint8Array(length);
      held.set(this.#held);
      this.#held = held;
    }
    if (this.#heldLength < length) {
      const part = this.#take(length - this.#heldLength);
      this.#held.set(part, this.#heldLength);
      this.#heldLength += part.length;
    }
    return this.#heldLength >= length;
  }

  #decode(bytes: Uint8Array): Frame | undefined {
    const most = isKnown(bytes) ? MAX_PAYLOAD_BYTES : Infinity;
    return decodeFrame(bytes, Math.min(this.#maxFrameBytes, most));
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

/** Whether the frame that `bytes` start with is of a type in `FRAME_TYPE`, as far as its header tells. */
function isKnown(bytes: Uint8Array): boolean {
  return (bytes[3] ?? 0) <= FRAME_TYPE.continuation;
}
