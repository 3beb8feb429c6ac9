import { HtxError } from "./error.ts";

/** Window of a stream at the start, in bytes (§5.4). */
export const INITIAL_STREAM_WINDOW = 65_535;

/** Window of the whole session at the start, in bytes: 16 streams' worth (profile G13). */
export const INITIAL_SESSION_WINDOW = 16 * INITIAL_STREAM_WINDOW;

/** Most credit a sender keeps, in bytes; a peer that grants more breaks the protocol. */
const MAX_CREDIT = 2 ** 40;

/** Shortest round trip that tuning assumes, in milliseconds: what timers and schedulers blur anyway. */
const MIN_TUNING_RTT_MS = 5;

/** How far a window of `initial` bytes may grow: only if both sides offered more (profile G13). */
export function tunedWindow(
  initial: number,
  local: number,
  remote: number,
): number {
  return remote > initial ? Math.max(initial, local) : initial;
}

/** What all windows of a session may grow by together, so that streams nobody reads leave room for the others. */
export class TuningBudget {
  #left: number;

  /** Starts with `bytes`. */
  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** Takes up to `bytes` and returns how many. */
  take(bytes: number): number {
    const taken = Math.min(bytes, this.#left);
    this.#left -= taken;
    return taken;
  }

  /** Puts `bytes` back. */
  give(bytes: number): void {
    this.#left += bytes;
  }
}

/** How much the peer may still send us: grants credit at half a window (§5.4) and grows when that limits the rate. */
export class ReceiveWindow {
  readonly #initialSize: number;
  readonly #maxSize: number;
  readonly #budget: TuningBudget;
  #size: number;
  #available: number;
  #consumed = 0;
  #updatedAtMs = -Infinity;

  /** Starts at `size` bytes and may grow to `maxSize`, as far as `budget` goes. */
  constructor(size: number, maxSize = size, budget = new TuningBudget(0)) {
    this.#initialSize = this.#size = this.#available = size;
    this.#maxSize = maxSize;
    this.#budget = budget;
  }

  /** The current window in bytes. */
  get size(): number {
    return this.#size;
  }

  /**
   * Counts `length` bytes that arrived.
   *
   * @throws {HtxError} `violation` if the peer had no credit for them.
   */
  receive(length: number): void {
    if (length > this.#available) {
      throw new HtxError("violation", "Peer sent beyond its window");
    }
    this.#available -= length;
  }

  /** Counts `length` bytes that were used up and returns the credit to grant now, 0 if none is due. */
  consume(length: number, nowMs: number, rttMs: number): number {
    this.#consumed += length;
    if (2 * this.#consumed < this.#size) return 0;
    let increment = this.#consumed;
    const fast = 2 * Math.max(rttMs, MIN_TUNING_RTT_MS);
    if (nowMs - this.#updatedAtMs < fast) {
      const most = Math.min(this.#size, this.#maxSize - this.#size);
      const growth = this.#budget.take(most);
      increment += growth;
      this.#size += growth;
    }
    this.#updatedAtMs = nowMs;
    this.#consumed = 0;
    this.#available += increment;
    return increment;
  }

  /** Puts back what it took of the budget; the stream is over. */
  release(): void {
    this.#budget.give(this.#size - this.#initialSize);
    this.#size = this.#initialSize;
  }
}

/** How much we may still send. */
export class SendWindow {
  #credit: number;

  /** Starts with `credit` bytes. */
  constructor(credit: number) {
    this.#credit = credit;
  }

  /** Bytes that may be sent now. */
  get credit(): number {
    return this.#credit;
  }

  /** Uses up `length` bytes of credit. */
  spend(length: number): void {
    this.#credit -= length;
  }

  /**
   * Adds what a WINDOW_UPDATE granted.
   *
   * @throws {HtxError} `violation` if that is nothing or far too much.
   */
  grant(increment: number): void {
    if (increment === 0 || this.#credit + increment > MAX_CREDIT) {
      throw new HtxError("violation", "Peer granted an impossible window");
    }
    this.#credit += increment;
  }
}
