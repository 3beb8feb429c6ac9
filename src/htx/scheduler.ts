import type { StreamState } from "./stream_state.ts";

/** Bytes a stream of weight 1 may send in a turn; one of the default weight sends a full frame. */
const QUANTUM = 4_096;

/** Weighted fair order of the streams that have something to send (deficit round robin). */
export class Scheduler {
  readonly #ready = new Set<StreamState>();

  /** How many streams have something to send. */
  get size(): number {
    return this.#ready.size;
  }

  /** Lets `stream` take part, last in the round. */
  add(stream: StreamState): void {
    this.#ready.add(stream);
  }

  /** Takes `stream` out. */
  remove(stream: StreamState): void {
    if (this.#ready.delete(stream)) stream.deficit = 0;
  }

  /** The stream whose turn it is; its `deficit` says how many bytes it may send. */
  next(): StreamState | undefined {
    const stream = this.#ready.values().next().value;
    if (stream && stream.deficit <= 0) {
      stream.deficit += stream.weight * QUANTUM;
    }
    return stream;
  }

  /** Counts `length` bytes that `stream` sent, and ends its turn when they are used up. */
  spend(stream: StreamState, length: number): void {
    stream.deficit -= length;
    if (stream.deficit > 0) return;
    this.#ready.delete(stream);
    this.#ready.add(stream);
  }
}
