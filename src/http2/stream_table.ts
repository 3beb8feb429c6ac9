import { Http2Error } from "./http2_error.ts";
import type { Http2Stream } from "./http2_stream.ts";

/** Most streams that were reset and are remembered, oldest forgotten first. */
const MAX_REMEMBERED = 1_024;

/** The streams of a connection, all opened by the client, and what became of those that were reset (RFC 9113 §5.1). */
export class StreamTable {
  readonly #open = new Map<number, Http2Stream>();
  readonly #resetBy = new Map<number, "us" | "peer">();
  #lastId = 0;

  /** The highest stream that was ever opened; 0 for none. */
  get lastId(): number {
    return this.#lastId;
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /** The open ones. */
  [Symbol.iterator](): IterableIterator<Http2Stream> {
    return this.#open.values();
  }

  /** Adds `stream`, whose identifier is above {@link lastId}. */
  add(stream: Http2Stream): void {
    this.#lastId = stream.id;
    this.#open.set(stream.id, stream);
  }

  /** Counts stream `id` as opened and reset by us. */
  refuse(id: number): void {
    this.#lastId = id;
    this.reset(id, "us");
  }

  /** Whether stream `id` was never opened. */
  isIdle(id: number): boolean {
    return id > this.#lastId || id % 2 === 0;
  }

  /** Stream `id`, if it is open. */
  get(id: number): Http2Stream | undefined {
    return this.#open.get(id);
  }

  /**
   * The stream that the peer's DATA or HEADERS are for; `undefined` if they are to be dropped, since we have reset it.
   *
   * @throws {Http2Error} If the peer may not send on it.
   */
  receiving(id: number): Http2Stream | undefined {
    const stream = this.#open.get(id);
    if (stream && !stream.remoteEnded) return stream;
    if (this.isIdle(id)) {
      throw new Http2Error("protocolError", "Frame on an idle stream");
    }
    const resetBy = this.#resetBy.get(id);
    if (resetBy === "us") return undefined;
    const streamId = stream || resetBy ? id : 0;
    throw new Http2Error("streamClosed", "Frame on a closed stream", {
      streamId,
    });
  }

  /** Removes stream `id` as one that `by` has reset. */
  reset(id: number, by: "us" | "peer"): void {
    this.#open.delete(id);
    this.#resetBy.set(id, by);
    if (this.#resetBy.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#resetBy.keys()) {
      this.#resetBy.delete(oldest);
      break;
    }
  }

  /** Removes `stream` if it has ended both ways. */
  settle(stream: Http2Stream): void {
    if (stream.localEnded && stream.remoteEnded) this.#open.delete(stream.id);
  }
}
