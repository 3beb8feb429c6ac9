/** Options of {@link MixEntropy}. */
export interface MixEntropyOptions {
  /** Entropy below which the node warns, in bits. */
  readonly minBits: number;
  /** How long the entropy must stay below before it counts as low, in milliseconds; 10 s by default. */
  readonly holdMs?: number;
  /** How far above {@link minBits} it must rise before it counts as enough again, in bits; 0.5 by default. */
  readonly marginBits?: number;
  /** Over how long rates and delays are averaged, in milliseconds; 60 s by default. */
  readonly windowMs?: number;
  /** Told when the entropy becomes low, and when it is enough again. */
  readonly onChange?: (isLow: boolean, bits: number) => void;
}

/**
 * How well a node hides which arrival a departure was, measured as traffic flows, in constant memory (Loopix §4.1.3).
 *
 * The entropy is that of an observer's best guess which of the packets that ever came the one that leaves now is. Let l packets
 * have been in the pool after the last departure, whose entropy was H, and k come since. With delays without memory, or a random
 * choice from the pool, each of the n = k + l is equally likely to leave, those k are told apart by nothing but their arrival, and
 * of those l the last guess is still the best one. So the next entropy is, by the grouping property,
 *
 * ```text
 * H' = h(k/n) + (k/n) log2 k + (l/n) H        h(p) = -p log2 p - (1-p) log2 (1-p)
 * ```
 *
 * Packets that end here and loops that begin here do not pass the pool and are left out, so the figure is on the low side. It is
 * what this one node adds; a route adds up several.
 */
export class MixEntropy {
  readonly #options: Required<MixEntropyOptions>;
  #held = 0;
  #fresh = 0;
  #bits = 0;
  #lowSinceMs: number | undefined;
  #isLow = false;
  readonly #startMs: number;
  #atMs: number;
  /** Arrivals and departures, and the sum of the times that the latter stayed, each weighed less the older it is. */
  #arrivals = 0;
  #departures = 0;
  #stayedMs = 0;

  /** Starts with an empty pool. */
  constructor(nowMs: number, options: MixEntropyOptions) {
    this.#options = {
      holdMs: 10_000,
      marginBits: 0.5,
      windowMs: 60_000,
      onChange() {},
      ...options,
    };
    this.#startMs = this.#atMs = nowMs;
  }

  /** Entropy of the last departure, in bits. */
  get bits(): number {
    return this.#bits;
  }

  /** Number of equally likely arrivals that would give the same entropy. */
  get effectiveSetSize(): number {
    return 2 ** this.#bits;
  }

  /** Whether the entropy is below policy. */
  get isLow(): boolean {
    return this.#isLow;
  }

  /** Arrivals per second, λ. */
  arrivalsPerSecond(nowMs: number): number {
    const { windowMs } = this.#options;
    this.#decay(nowMs);
    const weight = windowMs *
      (1 - Math.exp(-(nowMs - this.#startMs) / windowMs));
    return weight > 0 ? this.#arrivals * 1000 / weight : 0;
  }

  /** Mean time in the pool, 1/μ, in milliseconds. */
  get meanStayMs(): number {
    return this.#departures > 0 ? this.#stayedMs / this.#departures : 0;
  }

  /** λ/μ: how many packets the pool holds on average (M/M/∞). */
  poolLoad(nowMs: number): number {
    return this.arrivalsPerSecond(nowMs) * this.meanStayMs / 1000;
  }

  /** Counts a packet that enters the pool. */
  arrive(nowMs: number): void {
    this.#decay(nowMs);
    this.#fresh++;
    this.#arrivals++;
  }

  /**
   * Counts a packet that leaves the pool after `stayedMs`.
   *
   * @throws {RangeError} If the pool is empty.
   */
  depart(nowMs: number, stayedMs: number): void {
    const all = this.#held + this.#fresh;
    if (all === 0) throw new RangeError("No packet can leave an empty pool");
    this.#decay(nowMs);
    const share = this.#fresh / all;
    this.#bits = binaryEntropy(share) +
      (this.#fresh > 0 ? share * Math.log2(this.#fresh) : 0) +
      (1 - share) * this.#bits;
    this.#held = all - 1;
    this.#fresh = 0;
    this.#departures++;
    this.#stayedMs += stayedMs;
    this.#judge(nowMs);
  }

  #judge(nowMs: number) {
    const { minBits, marginBits, holdMs, onChange } = this.#options;
    if (this.#bits >= minBits) this.#lowSinceMs = undefined;
    else this.#lowSinceMs ??= nowMs;
    const since = this.#lowSinceMs;
    const isLow = this.#isLow
      ? this.#bits < minBits + marginBits
      : since !== undefined && nowMs - since >= holdMs;
    if (isLow === this.#isLow) return;
    this.#isLow = isLow;
    onChange(isLow, this.#bits);
  }

  #decay(nowMs: number) {
    const factor = Math.exp((this.#atMs - nowMs) / this.#options.windowMs);
    this.#atMs = nowMs;
    this.#arrivals *= factor;
    this.#departures *= factor;
    this.#stayedMs *= factor;
  }
}

function binaryEntropy(p: number): number {
  if (p <= 0 || p >= 1) return 0;
  return -p * Math.log2(p) - (1 - p) * Math.log2(1 - p);
}
