import { chiSquareP } from "../../src/utls/verify/p_value.ts";

const VALUES = 256;

/** How often each byte value was seen, over all and at each place of messages of one length. */
export class ByteTally {
  readonly #length: number;
  readonly #places: Uint32Array;
  readonly #all = new Float64Array(VALUES);
  #messages = 0;

  /** Starts with none; places are counted of messages of `length` bytes. */
  constructor(length: number) {
    this.#length = length;
    this.#places = new Uint32Array(length * VALUES);
  }

  /** Bytes seen. */
  get bytes(): number {
    return this.#all.reduce((sum, count) => sum + count, 0);
  }

  /** Messages whose places were counted. */
  get messages(): number {
    return this.#messages;
  }

  /** Counts a message. */
  add(message: Uint8Array): void {
    for (const byte of message) this.#all[byte]!++;
    if (message.length !== this.#length) return;
    this.#messages++;
    for (let i = 0; i < message.length; i++) {
      this.#places[i * VALUES + message[i]!]!++;
    }
  }

  /** The χ² test that all values are equally likely. */
  uniform(): { readonly statistic: number; readonly p: number } {
    return uniform(this.#all);
  }

  /** The same at every place: that of the smallest p, which is Bonferroni's. */
  uniformPlaces(): { readonly place: number; readonly p: number } {
    let [place, least] = [0, 1];
    for (let i = 0; i < this.#length; i++) {
      const start = i * VALUES;
      const { p } = uniform(this.#places.subarray(start, start + VALUES));
      if (p < least) [place, least] = [i, p];
    }
    return { place, p: Math.min(1, least * this.#length) };
  }

  /** The χ² test that both count draws of one distribution. */
  compare(
    other: ByteTally,
  ): { readonly statistic: number; readonly p: number } {
    const [n, m] = [this.bytes, other.bytes];
    let statistic = 0;
    this.#all.forEach((a, value) => {
      const b = other.#all[value]!;
      if (a + b > 0) {
        statistic += (a * Math.sqrt(m / n) - b * Math.sqrt(n / m)) ** 2 /
          (a + b);
      }
    });
    return { statistic, p: chiSquareP(statistic, VALUES - 1) };
  }
}

function uniform(counts: Float64Array | Uint32Array) {
  let total = 0;
  for (const count of counts) total += count;
  if (total === 0) return { statistic: 0, p: 1 };
  const expected = total / VALUES;
  let statistic = 0;
  for (const count of counts) statistic += (count - expected) ** 2 / expected;
  return { statistic, p: chiSquareP(statistic, VALUES - 1) };
}
