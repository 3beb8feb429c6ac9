import type { StreamState } from "./stream_state.ts";

/** Bytes a stream of weight 1 may send in a turn; one of the default weight sends a full frame. */
const QUANTUM = 4_096;

/**
 * Weighted fair order of the streams that have something to send (deficit round robin).
 *
 * A stream that runs dry keeps what is left of its turn and goes on with it when it has more, so that weights also count
 * for streams whose data comes in small pieces.
 */
export class Scheduler {
  readonly #ready = new Set<StreamState>();
  readonly #inTurn = new Set<StreamState>();

  /** How many streams have something to send. */
  get size(): number {
    return this.#ready.size + this.#inTurn.size;
  }

  /** Lets `stream` take part. */
  add(stream: StreamState): void {
    if (this.#ready.has(stream)) return;
    if (stream.deficit > 0) this.#inTurn.add(stream);
    else this.#ready.add(stream);
  }

  /** Takes `stream` out. */
  remove(stream: StreamState): void {
    this.#ready.delete(stream);
    this.#inTurn.delete(stream);
  }

  /** The stream whose turn it is; its `deficit` says how many bytes it may send. */
  next(): StreamState | undefined {
    const current = first(this.#inTurn);
    if (current) return current;
    const stream = first(this.#ready);
    if (!stream) return undefined;
    stream.deficit += stream.weight * QUANTUM;
    this.#ready.delete(stream);
    this.#inTurn.add(stream);
    return stream;
  }

  /** Counts `length` bytes that `stream` sent, and ends its turn when they are used up. */
  spend(stream: StreamState, length: number): void {
    stream.deficit -= length;
    if (stream.deficit > 0) return;
    this.#inTurn.delete(stream);
    this.#ready.add(stream);
  }
}

function first<T>(set: Set<T>): T | undefined {
  return set.values().next().value;
}
