/** How far behind the highest number one may come: numbers are kept in words of 32 bits. */
export const REPLAY_WINDOW = 1_024;

const WORDS = REPLAY_WINDOW / 32 + 1;

/** What a number is to a {@link ReplayWindow}. */
export type Freshness = "new" | "seen" | "old";

/** Remembers which of the last 1,024 numbers came (RFC 6479): what came is not taken again, and what is older is not taken at all. */
export class ReplayWindow {
  readonly #words = new Uint32Array(WORDS);
  #highest = -1;

  /** The highest number that was taken, −1 before the first. */
  get highest(): number {
    return this.#highest;
  }

  /** What `number` is. */
  check(number: number): Freshness {
    if (number > this.#highest) return "new";
    if (this.#highest - number >= REPLAY_WINDOW) return "old";
    return this.#words[wordOf(number)]! & bitOf(number) ? "seen" : "new";
  }

  /** Takes a number that {@link check} calls new. */
  take(number: number): void {
    if (number > this.#highest) {
      const last = Math.floor(number / 32);
      let word = Math.floor(this.#highest / 32);
      if (last - word > WORDS) this.#words.fill(0);
      else while (word < last) this.#words[++word % WORDS] = 0;
      this.#highest = number;
    }
    this.#words[wordOf(number)]! |= bitOf(number);
  }
}

function wordOf(number: number): number {
  return Math.floor(number / 32) % WORDS;
}

function bitOf(number: number): number {
  return 1 << number % 32;
}
