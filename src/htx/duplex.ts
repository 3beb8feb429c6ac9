import { concat } from "../core/bytes/mod.ts";
import type { Connection } from "../core/transport/mod.ts";

/** The part of a {@link Connection} that a tunnel uses. */
export type Duplex =
  & Pick<Connection, "read" | "write" | "closeWrite" | "close">
  & {
    /** As {@link Connection.closed}, where it is known without reading. */
    readonly closed?: Promise<void> | undefined;
  };

/** Bytes asked for at a time while a message is awaited. */
const FILL_BYTES = 4096;

/** A duplex whose coming bytes can be looked at before they are taken. */
export class BufferedDuplex implements Duplex {
  readonly #inner: Duplex;
  #buffered: Uint8Array;
  #filling: Promise<boolean> | undefined;

  /** Takes over the reading of `inner`, of which `buffered` was read already. */
  constructor(inner: Duplex, buffered: Uint8Array = new Uint8Array(0)) {
    this.#inner = inner;
    this.#buffered = buffered;
  }

  /** What was read from the connection and not yet taken. */
  get buffered(): Uint8Array {
    return this.#buffered;
  }

  /**
   * Waits for more bytes; `false` once the peer has ended its side. The caller bounds how much it lets pile up.
   *
   * A caller that gives up waiting leaves the bytes to whoever fills or reads next.
   */
  fill(): Promise<boolean> {
    const filling = this.#filling ??= this.#fill();
    filling.catch(() => {});
    return filling;
  }

  async #fill(): Promise<boolean> {
    try {
      return await this.#readMore();
    } finally {
      this.#filling = undefined;
    }
  }

  async #readMore(): Promise<boolean> {
    const buffer = new Uint8Array(FILL_BYTES);
    const n = await this.#inner.read(buffer);
    if (n === null) return false;
    this.#buffered = concat(this.#buffered, buffer.subarray(0, n));
    return true;
  }

  /** As {@link Connection.closed}, where it is known. */
  get closed(): Promise<void> | undefined {
    return this.#inner.closed;
  }

  /** Takes the first `length` buffered bytes. */
  skip(length: number): void {
    this.#buffered = length < this.#buffered.length
      ? this.#buffered.subarray(length)
      : new Uint8Array(0);
  }

  /**
   * Takes the message that `decode` finds at the start, reading until it does; `undefined` if the peer ended before.
   *
   * @throws Whatever `decode` throws; it must refuse messages beyond its limit.
   */
  async take<T extends { readonly length: number }>(
    decode: (bytes: Uint8Array) => T | undefined,
  ): Promise<T | undefined> {
    for (;;) {
      const message = this.#buffered.length > 0
        ? decode(this.#buffered)
        : undefined;
      if (message) {
        this.skip(message.length);
        return message;
      }
      if (!await this.fill()) return undefined;
    }
  }

  /** As {@link Connection.read}, buffered bytes first. */
  async read(buffer: Uint8Array): Promise<number | null> {
    if (this.#filling && this.#buffered.length === 0) await this.#filling;
    if (this.#buffered.length === 0) return await this.#inner.read(buffer);
    const n = Math.min(buffer.length, this.#buffered.length);
    buffer.set(this.#buffered.subarray(0, n));
    this.skip(n);
    return n;
  }

  /** As {@link Connection.write}. */
  write(bytes: Uint8Array): Promise<void> {
    return this.#inner.write(bytes);
  }

  /** As {@link Connection.closeWrite}. */
  closeWrite(): Promise<void> {
    return this.#inner.closeWrite();
  }

  /** As {@link Connection.close}. */
  close(): void {
    this.#inner.close();
  }
}
