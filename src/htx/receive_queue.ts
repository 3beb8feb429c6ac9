import type { Bytes } from "../core/bytes/mod.ts";

/** Data shorter than this is joined with its neighbours, so that a byte costs a byte and not an object. */
const JOIN_BELOW = 2_048;
const JOINED_CAPACITY = 8_192;

/** Bytes that arrived on a stream and were not read yet; flow control bounds them. */
export class ReceiveQueue {
  #chunks: Bytes[] = [];
  #head = 0;
  /** A chunk at the end with room for more, and how much of it is filled. */
  #tail: Bytes | undefined;
  #tailLength = 0;
  #length = 0;

  /** Bytes waiting. */
  get length(): number {
    return this.#length;
  }

  /** Appends `data`, which the queue takes over with its buffer. */
  push(data: Bytes): void {
    this.#length += data.length;
    if (this.#tail && this.#tailLength + data.length <= this.#tail.length) {
      this.#tail.set(data, this.#tailLength);
      this.#tailLength += data.length;
      return;
    }
    this.#sealTail();
    if (data.length >= JOIN_BELOW || this.#chunks.length === 0) {
      this.#chunks.push(data);
    } else {
      this.#tail = new Uint8Array(JOINED_CAPACITY);
      this.#tail.set(data);
      this.#tailLength = data.length;
    }
  }

  /** Moves as much as fits into `into` and returns how much that was. */
  read(into: Uint8Array): number {
    let filled = 0;
    while (filled < into.length && this.#length > 0) {
      if (this.#chunks.length === 0) this.#sealTail();
      const chunk = this.#chunks[0]!;
      const part = chunk.subarray(
        this.#head,
        this.#head + into.length - filled,
      );
      into.set(part, filled);
      filled += part.length;
      this.#head += part.length;
      this.#length -= part.length;
      if (this.#head === chunk.length) {
        this.#chunks.shift();
        this.#head = 0;
        // Garbage of this size would call for collections.
        if (chunk.length >= JOIN_BELOW) chunk.buffer.transfer(0);
      }
    }
    return filled;
  }

  /** Drops everything and returns how much that was. */
  clear(): number {
    const dropped = this.#length;
    this.#chunks = [];
    this.#tail = undefined;
    this.#head = this.#length = this.#tailLength = 0;
    return dropped;
  }

  #sealTail(): void {
    if (!this.#tail) return;
    this.#chunks.push(this.#tail.subarray(0, this.#tailLength));
    this.#tail = undefined;
    this.#tailLength = 0;
  }
}
