import { BoundedQueue } from "../../core/async/mod.ts";
import type { Bytes } from "../../core/bytes/mod.ts";
import type { ReceivedBundle, RefusalReason } from "./convergence_layer.ts";
import type { WindowOptions } from "./window.ts";

/** Hears what the node decided about a bundle: `undefined` if it takes it. */
export type Settle = (refusal: RefusalReason | undefined) => void;

/** Bundles that came and that the node has not decided about yet. A layer reads on only while there is room. */
export class Inbox implements AsyncIterable<ReceivedBundle> {
  readonly #options: WindowOptions;
  readonly #queue = new BoundedQueue<ReceivedBundle>({ capacity: Infinity });
  #unsettled = 0;
  #unsettledBytes = 0;

  /** Starts empty. */
  constructor(options: WindowOptions) {
    this.#options = options;
  }

  /** Whether another bundle may come. */
  get hasRoom(): boolean {
    const { maxCount, maxBytes } = this.#options;
    return this.#unsettled < maxCount && this.#unsettledBytes < maxBytes;
  }

  /** Puts a bundle in; `settle` is called once, when there is room again. */
  deliver(bytes: Bytes, settle: Settle): void {
    this.#unsettled++;
    this.#unsettledBytes += bytes.length;
    let isSettled = false;
    const decide = (refusal: RefusalReason | undefined) => {
      if (isSettled) return;
      isSettled = true;
      this.#unsettled--;
      this.#unsettledBytes -= bytes.length;
      settle(refusal);
    };
    this.#queue.offer({
      bytes,
      accept: () => decide(undefined),
      refuse: (reason) => decide(reason),
    });
  }

  /** Takes out what nobody has taken yet. */
  drain(): ReceivedBundle[] {
    return this.#queue.drain();
  }

  /** Ends the iteration after what is in. */
  close(): void {
    this.#queue.close();
  }

  /** Takes bundles until closed and empty. */
  [Symbol.asyncIterator](): AsyncIterator<ReceivedBundle> {
    return this.#queue[Symbol.asyncIterator]();
  }
}
