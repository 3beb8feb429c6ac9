import type { GroupRows } from "./group_rows.ts";
import type { Change, Wish } from "./wish.ts";

/** What became of wishes when the branch that counts changed. */
export interface WishReview {
  /** Whether an epoch counts for good. */
  readonly isSettled: (epoch: string) => boolean;
  /** Whether an epoch does not count. */
  readonly isLost: (epoch: string) => boolean;
  /** When a change may be committed again that was committed so often in vain. */
  readonly againMs: (attempts: number) => number;
}

/** Changes that are to be made now. */
export interface TakenWishes {
  /** The changes. */
  readonly changes: readonly Change[];
  /** Their places. */
  readonly sequences: readonly number[];
  /** How many were given up. */
  readonly impossible: number;
}

/** Most wishes that wait. */
const MAX_WISHES = 1_024;

/** Changes that a member wants to be part of the branch that counts. */
export class WishList {
  readonly #rows: GroupRows;
  readonly #wishes = new Map<number, Wish>();
  #sequence = 0;

  /** Goes on with what is stored. */
  constructor(rows: GroupRows) {
    this.#rows = rows;
    for (const wish of rows.wishes()) {
      this.#wishes.set(wish.sequence, wish);
      this.#sequence = wish.sequence + 1;
    }
  }

  /** When the next may be committed. */
  get nextMs(): number | undefined {
    const open = [...this.#wishes.values()].filter(({ by }) =>
      by === undefined
    );
    if (open.length === 0) return undefined;
    return Math.min(...open.map(({ notBeforeMs }) => notBeforeMs));
  }

  /** Adds a wish, unless there is the same. */
  add(change: Change, notBeforeMs: number): void {
    if (this.#wishes.size >= MAX_WISHES || this.#has(change)) return;
    const sequence = this.#sequence++;
    this.#set({ sequence, change, notBeforeMs, attempts: 0, by: undefined });
  }

  /**
   * Changes whose time has come and that are wanted in the epoch `tip`; others are fulfilled by it or given up.
   *
   * @param judge - Says which.
   */
  async take(
    nowMs: number,
    judge: (change: Change) => Promise<"wanted" | "fulfilled" | "impossible">,
    tip: string,
  ): Promise<TakenWishes> {
    const taken: Wish[] = [];
    let impossible = 0;
    for (const wish of [...this.#wishes.values()]) {
      if (wish.by !== undefined || wish.notBeforeMs > nowMs) continue;
      switch (await judge(wish.change)) {
        case "fulfilled":
          this.#set({ ...wish, by: tip });
          break;
        case "impossible":
          impossible += this.giveUp([wish.sequence]);
          break;
        case "wanted":
          taken.push(wish);
      }
    }
    return {
      changes: taken.map(({ change }) => change),
      sequences: taken.map(({ sequence }) => sequence),
      impossible,
    };
  }

  /** An epoch fulfills wishes. */
  committed(sequences: readonly number[], by: string): void {
    for (const sequence of sequences) {
      const wish = this.#wishes.get(sequence);
      if (wish) this.#set({ ...wish, by });
    }
  }

  /** Gives wishes up; says how many. */
  giveUp(sequences: readonly number[]): number {
    for (const sequence of sequences) {
      this.#wishes.delete(sequence);
      this.#rows.deleteWish(sequence);
    }
    return sequences.length;
  }

  /** Forgets wishes that are fulfilled for good, and wants again what epochs fulfilled that lost. */
  review({ isSettled, isLost, againMs }: WishReview): void {
    for (const wish of [...this.#wishes.values()]) {
      const { by, sequence } = wish;
      if (by === undefined) continue;
      if (isSettled(by)) this.giveUp([sequence]);
      else if (isLost(by)) {
        const attempts = wish.attempts + 1;
        const notBeforeMs = againMs(attempts);
        this.#set({ ...wish, attempts, notBeforeMs, by: undefined });
      }
    }
  }

  #has(change: Change): boolean {
    return [...this.#wishes.values()].some((wish) =>
      wish.by === undefined && nameOf(wish.change) === nameOf(change)
    );
  }

  #set(wish: Wish): void {
    this.#wishes.set(wish.sequence, wish);
    this.#rows.setWish(wish);
  }
}

function nameOf(change: Change): string {
  const { kind } = change;
  return kind === "add" || kind === "remove" ? `${kind}${change.agent}` : kind;
}
