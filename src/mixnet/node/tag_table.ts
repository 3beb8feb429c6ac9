/** Bytes of a tag that are kept: 2^40 tags collide with probability 2^-49. */
export const TAG_LENGTH = 16;

const WORDS = TAG_LENGTH / 4;
const PARTS = 256;
const FIRST_SLOTS = 16;

/**
 * A set of 16-byte tags: open addressing with linear probing in typed arrays, at most half full.
 *
 * It is cut into 256 parts that grow on their own, so that no insertion moves more than 1/256 of the tags. Where a tag lies depends
 * on a random key: senders can choose tags, by trying, and would otherwise make all of theirs collide.
 */
export class TagTable {
  readonly #parts: Uint32Array[] = [];
  readonly #sizes = new Uint32Array(PARTS);
  readonly #key: Uint32Array;
  readonly #words = new Uint32Array(WORDS);
  #size = 0;

  /** Starts empty; `key` has 8 random bytes. */
  constructor(key: Uint8Array) {
    const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
    this.#key = Uint32Array.of(view.getUint32(0), view.getUint32(4));
    for (let i = 0; i < PARTS; i++) {
      this.#parts.push(new Uint32Array(FIRST_SLOTS * WORDS));
    }
  }

  /** Number of tags held. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds the first 16 bytes of `tag`; says whether they were absent.
   *
   * A tag of 16 zero bytes, which nobody can find a packet for, counts as present.
   */
  add(tag: Uint8Array): boolean {
    const words = this.#read(tag);
    const hash = this.#hash(words);
    const part = hash >>> 24;
    const at = probe(this.#parts[part]!, words, hash);
    if (at < 0) return false;
    this.#parts[part]!.set(words, at);
    this.#size++;
    this.#sizes[part]!++;
    this.#growIfHalfFull(part);
    return true;
  }

  /** Whether {@link add} would find the tag absent. */
  lacks(tag: Uint8Array): boolean {
    const words = this.#read(tag);
    const hash = this.#hash(words);
    return probe(this.#parts[hash >>> 24]!, words, hash) >= 0;
  }

  #read(tag: Uint8Array): Uint32Array {
    const words = this.#words;
    for (let i = 0; i < WORDS; i++) {
      const at = 4 * i;
      words[i] = tag[at]! << 24 | tag[at + 1]! << 16 | tag[at + 2]! << 8 |
        tag[at + 3]!;
    }
    return words;
  }

  #hash(words: Uint32Array): number {
    let hash = this.#key[0]!;
    for (let i = 0; i < WORDS; i++) {
      hash = Math.imul(hash ^ words[i]! ^ this.#key[1]!, 0x9e3779b1);
      hash ^= hash >>> 15;
      hash = Math.imul(hash, 0x85ebca77);
      hash ^= hash >>> 13;
    }
    return hash >>> 0;
  }

  #growIfHalfFull(part: number) {
    const old = this.#parts[part]!;
    if (this.#sizes[part]! * 2 * WORDS < old.length) return;
    const grown = new Uint32Array(old.length * 2);
    for (let i = 0; i < old.length; i += WORDS) {
      const words = old.subarray(i, i + WORDS);
      if (isEmpty(words, 0)) continue;
      grown.set(words, probe(grown, words, this.#hash(words)));
    }
    this.#parts[part] = grown;
  }
}

/** Where `words` belong in `slots`, or -1 if they are there. */
function probe(slots: Uint32Array, words: Uint32Array, hash: number): number {
  const mask = slots.length / WORDS - 1;
  if (isEmpty(words, 0)) return -1;
  for (let slot = hash & mask;; slot = (slot + 1) & mask) {
    const at = slot * WORDS;
    if (isEmpty(slots, at)) return at;
    if (
      slots[at] === words[0] && slots[at + 1] === words[1] &&
      slots[at + 2] === words[2] && slots[at + 3] === words[3]
    ) return -1;
  }
}

function isEmpty(words: Uint32Array, at: number): boolean {
  return (words[at]! | words[at + 1]! | words[at + 2]! | words[at + 3]!) === 0;
}
