import type { Bytes } from "../../core/bytes/mod.ts";
import type { SurbRecovery } from "../sphinx/surb.ts";

/** What a SURB that we gave away brings back. */
export interface GivenSurb<T> {
  /** What to read the reply with. */
  readonly recovery: SurbRecovery;
  /** When nodes stop to accept it, in milliseconds since 1970. */
  readonly expiresMs: number;
  /** What its return means. */
  readonly meaning: T;
}

/** SURBs that we gave away and that may still come back, by id; each comes back once. */
export class SurbBook<T> {
  readonly #given = new Map<string, GivenSurb<T>>();
  readonly #capacity: number;
  #evicted = 0;

  /** At most `capacity`; beyond, the oldest is forgotten and counted. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** How many may still come back. */
  get size(): number {
    return this.#given.size;
  }

  /** How many were forgotten because there were too many. */
  get evicted(): number {
    return this.#evicted;
  }

  /** Notes a SURB given away. */
  give(id: Bytes, surb: GivenSurb<T>): void {
    this.#given.set(id.toHex(), surb);
    if (this.#given.size <= this.#capacity) return;
    const [oldest] = this.#given.keys();
    this.#given.delete(oldest!);
    this.#evicted++;
  }

  /** Takes the SURB with this id out. */
  take(id: Uint8Array): GivenSurb<T> | undefined {
    const key = id.toHex();
    const surb = this.#given.get(key);
    this.#given.delete(key);
    return surb;
  }

  /** Forgets those that no node accepts any more, or whose return means nothing. */
  tick(wallMs: number, isMoot: (meaning: T) => boolean): void {
    for (const [key, { expiresMs, meaning }] of this.#given) {
      if (expiresMs <= wallMs || isMoot(meaning)) this.#given.delete(key);
    }
  }
}
