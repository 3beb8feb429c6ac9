import { type Bytes, concat, equal } from "../core/bytes/mod.ts";
import { TransportError } from "../core/transport/mod.ts";
import { FRAME_HEADER_LENGTH } from "../http2/mod.ts";
import type { Duplex } from "./duplex.ts";

const READ_BYTES = 4_096;
const SETTINGS_ACK = Uint8Array.of(0, 0, 0, 4, 1, 0, 0, 0, 0);

/**
 * An origin whose first frames of HTTP/2 the visitor has got from us already: it has to begin with the same, which is then left out.
 *
 * Their order does not count, as it is free: some servers acknowledge the visitor's SETTINGS before they enlarge their window. If the
 * greeting has no acknowledgement, that of the origin is passed on.
 */
export class GreetedDuplex implements Duplex {
  readonly #inner: Duplex;
  readonly #onUnlike: () => void;
  /** The frames that are still to come. */
  readonly #expected: Uint8Array[];
  readonly #greetingLength: number;
  /** Frames in between that are the visitor's to hear. */
  readonly #passed: Uint8Array[] = [];
  /** What came and was not read. */
  #received: Bytes = new Uint8Array(0);

  /** Expects the frames of `greeting`; `onUnlike` is told if something else comes. */
  constructor(inner: Duplex, greeting: Uint8Array, onUnlike: () => void) {
    this.#inner = inner;
    this.#onUnlike = onUnlike;
    this.#expected = framesIn(greeting);
    this.#greetingLength = greeting.length;
  }

  /** As of the origin. */
  get closed(): Promise<void> | undefined {
    return this.#inner.closed;
  }

  /**
   * As {@link Duplex.read}, behind the greeting.
   *
   * @throws {TransportError} `malformed` if the origin begins with something else.
   */
  async read(buffer: Uint8Array): Promise<number | null> {
    while (this.#expected.length > 0) await this.#skip();
    if (this.#received.length === 0) return await this.#inner.read(buffer);
    const part = this.#received.subarray(0, buffer.length);
    buffer.set(part);
    this.#received = this.#received.subarray(part.length);
    return part.length;
  }

  /** As {@link Duplex.write}. */
  write(bytes: Uint8Array): Promise<void> {
    return this.#inner.write(bytes);
  }

  /** As {@link Duplex.closeWrite}. */
  closeWrite(): Promise<void> {
    return this.#inner.closeWrite();
  }

  /** As {@link Duplex.close}. */
  close(): void {
    this.#inner.close();
  }

  /** Reads once, and leaves out the frames that have come. */
  async #skip(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    const length = await this.#inner.read(buffer);
    if (length === null) throw this.#unlike();
    this.#received = concat(this.#received, buffer.subarray(0, length));
    while (this.#expected.length > 0) {
      const frame = firstFrame(this.#received);
      if (!frame) break;
      const at = this.#expected.findIndex((each) => equal(each, frame));
      if (at >= 0) this.#expected.splice(at, 1);
      else if (equal(frame, SETTINGS_ACK)) this.#passed.push(frame);
      else throw this.#unlike();
      this.#received = this.#received.subarray(frame.length);
    }
    const { length: left } = this.#received;
    const tooLong = left > this.#greetingLength || this.#passed.length > 1;
    if (this.#expected.length > 0 && tooLong) throw this.#unlike();
    if (this.#expected.length > 0) return;
    this.#received = concat(...this.#passed, this.#received);
  }

  #unlike(): TransportError {
    this.#onUnlike();
    return new TransportError("malformed", "Origin has another greeting");
  }
}

function framesIn(bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let left = bytes;;) {
    const frame = firstFrame(left);
    if (!frame) return frames;
    frames.push(frame);
    left = left.subarray(frame.length);
  }
}

/** The frame that `bytes` begin with, once it is whole. */
function firstFrame(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < FRAME_HEADER_LENGTH) return undefined;
  const [high, middle, low] = bytes as unknown as [number, number, number];
  const end = FRAME_HEADER_LENGTH + (high << 16 | middle << 8 | low);
  return bytes.length < end ? undefined : bytes.subarray(0, end);
}
