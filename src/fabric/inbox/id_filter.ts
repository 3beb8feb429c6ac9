/** Bits for each id of a filter that is full: 1 of 200 ids that are not in it looks as if it were. */
const BITS_OF_ID = 16;
/** Bits that an id sets, each by four bytes of it. */
const HASHES = 3;

/**
 * Which ids may be in a set: of one that was put in it is always said, of others seldom (a Bloom filter). Ids are random; who chooses
 * them otherwise makes more of them look as if they were in it, no more.
 */
export class IdFilter {
  /** Ids that it is made for. */
  readonly capacity: number;
  readonly #words: Uint32Array;
  #count = 0;

  /** Starts empty; `capacity` is a power of two. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.#words = new Uint32Array(BITS_OF_ID * capacity / 32);
  }

  /** Whether as many were put in, some perhaps again, as it is made for. */
  get isFull(): boolean {
    return this.#count >= this.capacity;
  }

  /** Puts an id in, of 12 bytes at least. */
  add(id: Uint8Array): void {
    this.#count++;
    for (let i = 0; i < HASHES; i++) {
      const bit = this.#bitOf(id, 4 * i);
      this.#words[bit >>> 5]! |= 1 << (bit & 31);
    }
  }

  /** Whether an id may be in it: `false` only if it was not put in. */
  mayHold(id: Uint8Array): boolean {
    for (let i = 0; i < HASHES; i++) {
      const bit = this.#bitOf(id, 4 * i);
      if ((this.#words[bit >>> 5]! & 1 << (bit & 31)) === 0) return false;
    }
    return true;
  }

  #bitOf(id: Uint8Array, at: number): number {
    const word = id[at]! << 24 | id[at + 1]! << 16 | id[at + 2]! << 8 |
      id[at + 3]!;
    return word & (BITS_OF_ID * this.capacity - 1);
  }
}
