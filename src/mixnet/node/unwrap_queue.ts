import type { SphinxGeometry } from "../sphinx/geometry.ts";
import { UnwrapBatch } from "./unwrap_batch.ts";
import type { UnwrapPool } from "./unwrap_pool.ts";

/** A Sphinx packet off a link. */
export interface ReceivedPacket {
  /** Low 32 bits of the epoch whose key it is for. */
  readonly epoch: number;
  /** The packet. */
  readonly packet: Uint8Array;
}

/** Options of {@link UnwrapQueue}. */
export interface UnwrapQueueOptions {
  /** Who unwraps. */
  readonly pool: UnwrapPool;
  /** Sizes of the packets. */
  readonly geometry: SphinxGeometry;
  /** Most packets of a batch. */
  readonly maxBatch: number;
  /** Takes batches as they come back, in any order; it copies what it keeps. */
  readonly onBatch: (batch: UnwrapBatch) => void;
  /** Told how many packets a failed worker lost, and why. */
  readonly onLost: (count: number, error: unknown) => void;
}

/**
 * Makes batches of packets for an unwrap pool.
 *
 * While the pool has nothing to do, what comes in one read of a link goes to it at once; while it is busy, packets gather until it
 * takes the next batch. So there is no timer, an idle node adds no wait, and batches are as large as the load is high. When the
 * pool and the next batch are full, {@link add} waits, and with it whoever reads the link: nothing is dropped here.
 */
export class UnwrapQueue {
  readonly #options: UnwrapQueueOptions;
  #filling: UnwrapBatch;
  readonly #spare: UnwrapBatch[] = [];
  #inHand = 0;
  #inFlight = 0;
  readonly #waiting: (() => void)[] = [];

  /** Starts empty. */
  constructor(options: UnwrapQueueOptions) {
    this.#options = options;
    this.#filling = this.#empty();
  }

  /** Number of packets that it took and has not given back. */
  get size(): number {
    return this.#inHand + this.#filling.count;
  }

  /** Takes packets that arrived at `arrivedMs`; resolves when it has taken all. */
  async add(
    packets: readonly ReceivedPacket[],
    arrivedMs: number,
    onTaken: () => void,
  ): Promise<void> {
    for (const { epoch, packet } of packets) {
      while (!this.#filling.add(epoch, packet, arrivedMs)) {
        if (this.#give()) continue;
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
      onTaken();
    }
    this.#give();
  }

  /** Gives what has gathered to the pool, if that takes it. */
  #give(): boolean {
    const { pool } = this.#options;
    const batch = this.#filling;
    if (this.#inFlight >= pool.capacity || batch.count === 0) return false;
    this.#filling = this.#spare.pop() ?? this.#empty();
    this.#inFlight++;
    this.#inHand += batch.count;
    this.#unwrap(batch, batch.count);
    return true;
  }

  async #unwrap(batch: UnwrapBatch, count: number) {
    const { pool, onBatch, onLost } = this.#options;
    let unwrapped: UnwrapBatch | undefined;
    try {
      unwrapped = await pool.unwrap(batch);
    } catch (error) {
      onLost(count, error);
    }
    this.#inHand -= count;
    if (unwrapped) {
      onBatch(unwrapped);
      unwrapped.clear();
      this.#spare.push(unwrapped);
    }
    this.#inFlight--;
    this.#give();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #empty(): UnwrapBatch {
    const { geometry, maxBatch } = this.#options;
    return UnwrapBatch.withRoom(geometry, maxBatch);
  }
}
