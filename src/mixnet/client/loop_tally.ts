import type { Bytes } from "../../core/bytes/mod.ts";

/** What became of the loops. */
export interface LoopCounts {
  /** Sent so far. */
  readonly sent: number;
  /** Came back in time. */
  readonly returned: number;
  /** Did not come back in time, or had to be forgotten as too many were on their way. */
  readonly lost: number;
  /** Mean time from sending to return, in milliseconds; 0 before the first. */
  readonly meanMs: number;
  /** Mean of the part of it that no hop was asked for, in milliseconds. */
  readonly meanBeyondDelaysMs: number;
}

interface Pending {
  readonly sentMs: number;
  readonly delaysMs: number;
  readonly lostMs: number;
}

/** Loops on their way, by nonce, and what became of others. */
export class LoopTally {
  readonly #pending = new Map<string, Pending>();
  readonly #capacity: number;
  #sent = 0;
  #returned = 0;
  #lost = 0;
  #tookMs = 0;
  #beyondMs = 0;

  /** At most `capacity` on their way; beyond, the oldest counts as lost. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** What became of them so far. */
  get counts(): LoopCounts {
    const returned = Math.max(1, this.#returned);
    return {
      sent: this.#sent,
      returned: this.#returned,
      lost: this.#lost,
      meanMs: this.#tookMs / returned,
      meanBeyondDelaysMs: this.#beyondMs / returned,
    };
  }

  /** Notes a loop that left, and is lost at `lostMs`. */
  left(nonce: Bytes, sentMs: number, delaysMs: number, lostMs: number): void {
    this.#sent++;
    this.#pending.set(nonce.toHex(), { sentMs, delaysMs, lostMs });
    if (this.#pending.size <= this.#capacity) return;
    const [oldest] = this.#pending.keys();
    this.#pending.delete(oldest!);
    this.#lost++;
  }

  /** Notes a loop that came; how long it took in milliseconds, or `undefined` if it is none on its way. */
  returned(nonce: Bytes, nowMs: number): number | undefined {
    const key = nonce.toHex();
    const loop = this.#pending.get(key);
    if (!loop) return undefined;
    this.#pending.delete(key);
    const took = nowMs - loop.sentMs;
    this.#returned++;
    this.#tookMs += took;
    this.#beyondMs += Math.max(0, took - loop.delaysMs);
    return took;
  }

  /** Counts the loops as lost whose time is over. */
  tick(nowMs: number): void {
    for (const [key, { lostMs }] of this.#pending) {
      if (lostMs > nowMs) continue;
      this.#pending.delete(key);
      this.#lost++;
    }
  }
}
