/** How packets are mixed: each by its own delay, or in batches by number or time. */
export type MixStrategyName = "poisson" | "threshold" | "timed";

/** Why a strategy takes a packet no further: its delay is above the cap, or the pool is full. */
export type MixRefusal = "delay_cap" | "pool_full";

/** Decides when packets leave a node, and in which order. All times are monotonic milliseconds of the caller. */
export interface MixStrategy<T> {
  /** Its name. */
  readonly name: MixStrategyName;
  /** Number of packets held. */
  readonly size: number;
  /** When {@link take} has packets next; infinite if it waits for more of them. */
  readonly nextMs: number;
  /**
   * Takes a packet, or says why not.
   *
   * @param delayMs What its sender asks for.
   * @param arrivedMs When it arrived; what it has waited since counts.
   */
  offer(item: T, delayMs: number, arrivedMs: number): MixRefusal | undefined;
  /** Takes what leaves by `nowMs`, in the order of leaving. */
  take(nowMs: number): T[];
  /** Takes all that is held, in random order. */
  flush(): T[];
}
