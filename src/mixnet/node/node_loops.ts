import { encodeHex } from "../../core/bytes/mod.ts";
import { drawExponential, type Random } from "./draw.ts";
import { type LinkQuality, LinkTally } from "./link_tally.ts";

/** A loop that is about to leave. */
export interface Loop {
  /** Node ids, 32 bytes each, in order: ours, those of its hops, ours again. */
  readonly path: readonly Uint8Array[];
  /** Sum of its delays, in milliseconds. */
  readonly delaysMs: number;
  /** Its identifier, 16 bytes, by which it is known when it comes back. */
  readonly identifier: Uint8Array;
}

/** Options of {@link NodeLoops}. */
export interface NodeLoopsOptions {
  /** Loops per second, λ_M, whatever the traffic. */
  readonly perSecond: number;
  /** Fewest loops per second, whatever {@link perSecond} says: an idle node must not fall silent; 0.1 by default. */
  readonly floorPerSecond?: number;
  /** How much longer than its delays a loop may take before it counts as lost, in milliseconds; 10 s by default. */
  readonly graceMs?: number;
  /** Most loops waited for; beyond, the oldest counts as lost; 4,096 by default. */
  readonly maxPending?: number;
  /** Most links remembered; 4,096 by default. */
  readonly maxLinks?: number;
  /** Draws when to send. */
  readonly random: Random;
}

/** What became of loops. */
export interface NodeLoopCounts {
  /** Sent. */
  sent: number;
  /** Came back, each once. */
  returned: number;
  /** Came back with another payload: somebody tagged them. */
  tampered: number;
  /** Did not come back in time. */
  lost: number;
}

/** Who comes later than this was stopped or asleep: a burst of loops would tell. */
const PAUSE_MS = 1_000;

interface Pending {
  readonly path: readonly string[];
  readonly sentMs: number;
  readonly delaysMs: number;
}

/**
 * When a node sends loops, and what became of them; without IO. All times are monotonic milliseconds of the caller.
 *
 * The times are a Poisson process that nothing else influences: not traffic, not lost loops. A caller that comes a little late gets
 * all that were due; after a pause of the process, what was missed is not made up for.
 */
export class NodeLoops {
  readonly #options: Required<NodeLoopsOptions>;
  readonly #meanMs: number;
  /** By identifier in hex, oldest first. */
  readonly #pending = new Map<string, Pending>();
  readonly #tally: LinkTally;
  readonly #counts: NodeLoopCounts = {
    sent: 0,
    returned: 0,
    tampered: 0,
    lost: 0,
  };
  #nextMs: number;

  /**
   * Draws the time of the first loop.
   *
   * @throws {RangeError} If `perSecond` is negative or not finite, or `floorPerSecond` not above 0.
   */
  constructor(nowMs: number, options: NodeLoopsOptions) {
    this.#options = {
      floorPerSecond: 0.1,
      graceMs: 10_000,
      maxPending: 4_096,
      maxLinks: 4_096,
      ...options,
    };
    const { perSecond, floorPerSecond, maxLinks } = this.#options;
    if (!(perSecond >= 0 && perSecond < Infinity && floorPerSecond > 0)) {
      throw new RangeError(
        `Want perSecond >= 0 and floorPerSecond > 0: got ${perSecond} and ${floorPerSecond}`,
      );
    }
    this.#meanMs = 1000 / Math.max(perSecond, floorPerSecond);
    this.#tally = new LinkTally(maxLinks);
    this.#nextMs = nowMs + this.#drawGapMs();
  }

  /** When the next loop is due. */
  get nextMs(): number {
    return this.#nextMs;
  }

  /** Loops on their way. */
  get pending(): number {
    return this.#pending.size;
  }

  /** What became of loops so far. */
  get counts(): Readonly<NodeLoopCounts> {
    return this.#counts;
  }

  /** What they say of links. */
  get links(): readonly LinkQuality[] {
    return this.#tally.links;
  }

  /** Number of loops due by `nowMs`; draws the time of the next one. */
  take(nowMs: number): number {
    this.#expire(nowMs);
    if (nowMs - this.#nextMs > PAUSE_MS) this.#nextMs = nowMs;
    let due = 0;
    for (; this.#nextMs <= nowMs; due++) this.#nextMs += this.#drawGapMs();
    return due;
  }

  /** Notes a loop that left. */
  left({ path, delaysMs, identifier }: Loop, nowMs: number): void {
    if (this.#pending.size >= this.#options.maxPending) this.#loseOldest();
    this.#pending.set(encodeHex(identifier), {
      path: path.map(encodeHex),
      sentMs: nowMs,
      delaysMs,
    });
    this.#counts.sent++;
  }

  /** Notes a packet for ourselves that came; `false` if it is no loop on its way, and so comes late, twice or from others. */
  came(identifier: Uint8Array, isIntact: boolean, nowMs: number): boolean {
    this.#expire(nowMs);
    const key = encodeHex(identifier);
    const loop = this.#pending.get(key);
    if (!loop) return false;
    this.#pending.delete(key);
    this.#counts.returned++;
    if (!isIntact) this.#counts.tampered++;
    this.#tally.count(loop.path, nowMs - loop.sentMs - loop.delaysMs);
    return true;
  }

  /**
   * Counts loops as lost whose time is over.
   *
   * They are looked at in the order in which they left, so one waits at most for the delays of those before it.
   */
  #expire(nowMs: number) {
    for (const { sentMs, delaysMs } of this.#pending.values()) {
      if (nowMs <= sentMs + delaysMs + this.#options.graceMs) return;
      this.#loseOldest();
    }
  }

  #loseOldest() {
    for (const [key, { path }] of this.#pending) {
      this.#pending.delete(key);
      this.#counts.lost++;
      this.#tally.count(path, undefined);
      return;
    }
  }

  #drawGapMs(): number {
    return drawExponential(this.#options.random, this.#meanMs);
  }
}
