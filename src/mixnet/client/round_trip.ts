/** Bounds of {@link RoundTrip}. */
export interface RoundTripOptions {
  /** What to expect beyond a packet's own delays before the first measurement, in milliseconds; 2 s by default. */
  readonly initialMs?: number;
  /** Least time beyond the delays before a packet counts as lost, in milliseconds; 200 by default. */
  readonly minMs?: number;
  /** Most time beyond the delays, in milliseconds; 60 s by default. */
  readonly maxMs?: number;
}

/**
 * How long to wait for what a packet should bring back, beyond the delays that its routes were given: those are known, so only the
 * rest (links, queues, the downlink's pace) is estimated, as TCP does it (RFC 6298 §2).
 */
export class RoundTrip {
  readonly #minMs: number;
  readonly #maxMs: number;
  #smoothedMs: number;
  #variationMs: number;
  #measured = false;

  /** Starts with the initial guess. */
  constructor(options: RoundTripOptions = {}) {
    const { initialMs = 2_000, minMs = 200, maxMs = 60_000 } = options;
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    this.#smoothedMs = initialMs;
    this.#variationMs = initialMs / 2;
  }

  /** Smoothed time beyond the delays, in milliseconds. */
  get overheadMs(): number {
    return this.#smoothedMs;
  }

  /** Takes a measurement: what came back took `tookMs`, of which its routes' delays were `delaysMs`. */
  measure(tookMs: number, delaysMs: number): void {
    const sample = Math.max(0, tookMs - delaysMs);
    if (!this.#measured) {
      this.#measured = true;
      this.#smoothedMs = sample;
      this.#variationMs = sample / 2;
      return;
    }
    this.#variationMs += (Math.abs(this.#smoothedMs - sample) -
      this.#variationMs) / 4;
    this.#smoothedMs += (sample - this.#smoothedMs) / 8;
  }

  /** When to give up on a packet whose routes' delays are `delaysMs`, as a time after sending; doubled for each earlier `attempts`. */
  timeoutMs(delaysMs: number, attempts: number): number {
    const beyond = this.#smoothedMs + 4 * this.#variationMs;
    const backedOff = Math.max(this.#minMs, beyond) *
      2 ** Math.min(attempts, 10);
    return delaysMs + Math.min(this.#maxMs, backedOff);
  }
}
