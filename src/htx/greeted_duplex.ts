import { TransportError } from "../core/transport/mod.ts";
import type { Duplex } from "./duplex.ts";

/** An origin whose first bytes the visitor has got from us already: it has to say the same, which is then left out. */
export class GreetedDuplex implements Duplex {
  readonly #inner: Duplex;
  readonly #onUnlike: () => void;
  #greeting: Uint8Array;

  /** Expects `greeting`; `onUnlike` is told if something else comes. */
  constructor(inner: Duplex, greeting: Uint8Array, onUnlike: () => void) {
    this.#inner = inner;
    this.#greeting = greeting;
    this.#onUnlike = onUnlike;
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
    while (this.#greeting.length > 0) {
      const expected = this.#greeting.subarray(0, buffer.length);
      const length = await this.#inner.read(
        buffer.subarray(0, expected.length),
      );
      const same = length !== null &&
        buffer.subarray(0, length).every((byte, at) => byte === expected[at]);
      if (!same) {
        this.#onUnlike();
        throw new TransportError("malformed", "Origin has another greeting");
      }
      this.#greeting = this.#greeting.subarray(length);
    }
    return await this.#inner.read(buffer);
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
}
