import type { Bytes } from "../core/bytes/mod.ts";
import { MAX_HEADER_LENGTH, TAG_LENGTH } from "./frame.ts";

/** Size of an idle session's buffer: more than a frame of padding. */
const IDLE_BYTES = 4_096;
/** Size of a busy one, unless two frames need more. */
const BUSY_BYTES = 262_144;
/** Reads in a row that an idle buffer has room for, after which the buffer shrinks to that. */
const QUIET_READS = 16;

/** Bytes of a connection that are not whole frames yet; large while much arrives, small while little does. */
export class ReadBuffer {
  readonly #maxBytes: number;
  #bytes: Bytes;
  #length: number;
  #quiet = 0;

  /**
   * Starts with `received` in it.
   *
   * @param maxFrameBytes Longest plaintext of one frame.
   */
  constructor(received: Uint8Array, maxFrameBytes: number) {
    const frame = MAX_HEADER_LENGTH + maxFrameBytes + TAG_LENGTH;
    this.#maxBytes = Math.max(BUSY_BYTES, 2 * frame);
    this.#bytes = new Uint8Array(Math.max(IDLE_BYTES, received.length));
    this.#bytes.set(received);
    this.#length = received.length;
  }

  /** What was received and not consumed. */
  get received(): Bytes {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Where the next read goes; never empty. */
  get room(): Bytes {
    return this.#bytes.subarray(this.#length);
  }

  /** Counts `length` bytes that were read into {@link room}. */
  add(length: number): void {
    this.#quiet = length < IDLE_BYTES ? this.#quiet + 1 : 0;
    this.#length += length;
  }

  /** Drops the first `length` bytes, and resizes as the reads ask for. */
  consume(length: number): void {
    const full = this.#length === this.#bytes.length;
    if (length > 0 && length < this.#length) {
      this.#bytes.copyWithin(0, length, this.#length);
    }
    this.#length -= length;
    if (full) this.#resize(8 * this.#bytes.length);
    else if (this.#quiet > QUIET_READS) this.#resize(IDLE_BYTES);
  }

  #resize(wanted: number): void {
    const size = Math.max(
      Math.min(wanted, this.#maxBytes),
      this.#length + 1,
    );
    if (size === this.#bytes.length) return;
    const bytes = new Uint8Array(size);
    bytes.set(this.received);
    this.#bytes = bytes;
  }
}
