import type { CreationTimestamp } from "./primary_block.ts";

/** Milliseconds from 1970-01-01 to 2000-01-01 UTC, where DTN time begins (RFC 9171 §4.2.6); neither counts leap seconds. */
const DTN_EPOCH_UNIX_MS = 946_684_800_000;

/** DTN time of `unixMs`, in milliseconds since 2000-01-01 UTC; 0, which says that there is no clock, is never meant by it. */
export function dtnTime(unixMs: number): number {
  return Math.max(1, Math.floor(unixMs) - DTN_EPOCH_UNIX_MS);
}

/** Milliseconds since 1970-01-01 UTC of the DTN time `dtnMs`. */
export function unixTime(dtnMs: number): number {
  return dtnMs + DTN_EPOCH_UNIX_MS;
}

/** Hands out creation timestamps that differ, whatever the clock does (RFC 9171 §4.2.7). */
export class CreationTimestamps {
  #timeMs = 0;
  #sequence: number;

  /**
   * Begins anew.
   *
   * @param firstSequence Of the first timestamp without a clock: one that was not used before, as such bundles all have time 0.
   */
  constructor(firstSequence = 0) {
    this.#sequence = firstSequence - 1;
  }

  /**
   * The next timestamp.
   *
   * @param unixMs The time, `undefined` without a clock. One that went back counts as if it stood still.
   */
  next(unixMs: number | undefined): CreationTimestamp {
    const timeMs = unixMs === undefined ? 0 : dtnTime(unixMs);
    if (timeMs > this.#timeMs) {
      this.#timeMs = timeMs;
      this.#sequence = 0;
    } else this.#sequence++;
    return { timeMs: this.#timeMs, sequence: this.#sequence };
  }
}
