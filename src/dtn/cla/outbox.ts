import { concat } from "../../core/bytes/mod.ts";
import type { Outgoing } from "./outgoing.ts";

/** What is gathered for one write; larger bundles are written from where they lie. */
const GATHER_BYTES = 65_536;

/** What one write takes: several small bundles, or one. */
export interface Batch {
  readonly bundles: readonly Outgoing[];
  /** Their bytes, heads included. */
  readonly chunks: readonly Uint8Array[];
}

/** Bundles that wait to be written, in order. */
export class Outbox {
  readonly #waiting = new Set<Outgoing>();

  /** Queues a bundle, and gives what takes it back and says whether it was still waiting. */
  add(outgoing: Outgoing): () => boolean {
    this.#waiting.add(outgoing);
    return () => this.#waiting.delete(outgoing);
  }

  /** Takes what the next write has, each bundle behind its `head`; `undefined` if none waits. */
  next(head: (bundle: Uint8Array) => Uint8Array): Batch | undefined {
    const bundles = this.#gather();
    if (bundles.length === 0) return undefined;
    const parts = bundles.flatMap(({ bundle }) => [head(bundle), bundle]);
    return { bundles, chunks: bundles.length > 1 ? [concat(...parts)] : parts };
  }

  /** Lets all go. */
  clear(): void {
    this.#waiting.clear();
  }

  #gather(): Outgoing[] {
    const bundles = [];
    let length = 0;
    for (const outgoing of this.#waiting) {
      length += outgoing.bundle.length;
      if (bundles.length > 0 && length > GATHER_BYTES) break;
      bundles.push(outgoing);
      this.#waiting.delete(outgoing);
    }
    return bundles;
  }
}
