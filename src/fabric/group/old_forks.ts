import type { AgentId } from "../identity/agent_id.ts";
import { type CommitRank, compareCommits } from "./commit_rank.ts";
import type { GroupHistory } from "./group_history.ts";

/** The first epoch of a branch that parted from ours before what is kept whole. */
export interface Rival {
  /** Its name, in hexadecimal. */
  readonly id: string;
  /** The name of the epoch at which it parted, which is one of ours. */
  readonly parent: string;
  /** What decides between it and ours. */
  readonly rank: CommitRank;
}

/** A commit for an epoch of ours that could not be carried out here. */
export interface UnreadCommit {
  /** The name of the epoch that it begins, in hexadecimal. */
  readonly id: string;
  /** The name of the epoch that it is for, in hexadecimal. */
  readonly parent: string;
}

/** Where our branch lost. */
export interface LostFork {
  /** The number of the first epoch that does not count. */
  readonly number: number;
  /** The name that ours has, in hexadecimal; zeros if there is none of ours. */
  readonly ours: string;
  /** Whether that is so by what members decided, not by rank alone. */
  readonly isDecided: boolean;
}

/** Most rivals that are weighed; of more the best. */
const MAX_RIVALS = 32;
/** Most epochs of a number that one member may have decided for. */
const MAX_NAMED = 2;

/**
 * Forks that are older than what is kept whole. Whether our branch lost at one depends on what is known of it alone: the commits that
 * began the others, and what members decided for.
 */
export class OldForks {
  readonly #history: GroupHistory;
  readonly #rivals = new Map<string, Rival>();
  /** Who decided for epochs that are not here, by number and name. */
  readonly #decided = new Map<number, Map<string, Set<string>>>();

  /** Weighs against the branch that counts in `history`. */
  constructor(history: GroupHistory) {
    this.#history = history;
  }

  /** Everything is anew. */
  reset(): void {
    this.#rivals.clear();
    this.#decided.clear();
  }

  /** A branch that parted from ours. */
  addRival(rival: Rival): void {
    this.#rivals.set(rival.id, rival);
    if (this.#rivals.size <= MAX_RIVALS) return;
    const [worst] = [...this.#rivals.values()].sort((a, b) =>
      compareCommits(b.rank, a.rank)
    );
    this.#rivals.delete(worst!.id);
  }

  /** A member has decided for an epoch that is not here. */
  addDecision(id: string, number: number, member: AgentId): void {
    if (this.#electorsOf(number)?.get(`${member}`) === undefined) return;
    const named = this.#decided.get(number) ?? new Map<string, Set<string>>();
    const count = [...named.values()].filter((by) => by.has(`${member}`));
    if (count.length >= MAX_NAMED) return;
    const by = named.get(id) ?? new Set<string>();
    this.#decided.set(number, named.set(id, by.add(`${member}`)));
  }

  /**
   * Where our branch lost first; `undefined` if it did not.
   *
   * @param unread - Commits that we cannot follow: where others decided for one, we are left behind.
   */
  judge(unread: readonly UnreadCommit[] = []): LostFork | undefined {
    if (this.#rivals.size === 0 && this.#decided.size === 0) return undefined;
    const { lineage, branches } = this.#history;
    const first = lineage[0]!.epoch;
    for (const number of this.#decided.keys()) {
      if (number <= first) this.#decided.delete(number);
    }
    const isFinalFrom = (number: number) =>
      lineage.slice(number - first).some(({ isFinal }) => isFinal);
    const elsewhere = [...this.#decided.keys()].filter((number) =>
      this.#isDecidedElsewhere(number)
    ).sort((a, b) => a - b);
    const lost: LostFork[] = [];
    for (const { id, parent, rank } of [...this.#rivals.values()]) {
      const at = lineage.findIndex((each) => each.id === parent);
      const ours = lineage[at + 1];
      if (at < 0 || !ours || ours.id === id || branches.get(parent)) {
        this.#rivals.delete(id);
        continue;
      }
      const isOurs = isFinalFrom(ours.epoch);
      const isTheirs = elsewhere.some((number) => number >= ours.epoch);
      const isBetter = isOurs === isTheirs
        ? compareCommits(rank, ours.rank) < 0
        : isTheirs;
      if (!isBetter) continue;
      lost.push({ number: ours.epoch, ours: ours.id, isDecided: isTheirs });
    }
    for (const { id, parent } of unread) {
      const at = lineage.findIndex((each) => each.id === parent);
      if (at < 0 || !this.#isDecided(lineage[at]!.epoch + 1, id)) continue;
      const ours = lineage[at + 1]?.id ?? NO_EPOCH;
      lost.push({ number: lineage[at]!.epoch + 1, ours, isDecided: true });
    }
    // What members decided shows that we are elsewhere, though not since when.
    const old = elsewhere.find((number) =>
      number <= branches.root.epoch && !isFinalFrom(number)
    );
    if (old !== undefined) {
      const { id } = lineage[old - first]!;
      lost.push({ number: old, ours: id, isDecided: true });
    }
    return lost.sort((a, b) =>
      Number(b.isDecided) - Number(a.isDecided) || a.number - b.number
    )[0];
  }

  /** Weights of those who decide about epochs of a number, as far as we know. */
  #electorsOf(number: number): ReadonlyMap<string, number> | undefined {
    const { lineage, tip } = this.#history;
    const first = lineage[0]!.epoch;
    if (number <= first || number > tip.epoch + MAX_AHEAD) return undefined;
    return (lineage[number - 1 - first] ?? tip).electors;
  }

  /** Whether members of more than half of the weight decided for one epoch of a number that is not here. */
  #isDecidedElsewhere(number: number): boolean {
    return [...this.#decided.get(number)!.keys()].some((id) =>
      this.#isDecided(number, id)
    );
  }

  /** Whether they decided for the epoch `id` of that number, which is not here. */
  #isDecided(number: number, id: string): boolean {
    const electors = this.#electorsOf(number);
    const by = this.#decided.get(number)?.get(id);
    if (!electors || !by || this.#history.has(id)) return false;
    const all = [...electors.values()].reduce((sum, each) => sum + each, 0);
    let weight = 0;
    for (const member of by) weight += electors.get(member) ?? 0;
    return 2 * weight > all;
  }
}

/** The name of no epoch. */
const NO_EPOCH = "00".repeat(32);

/** Most epochs ahead of ours of which decisions are kept. */
const MAX_AHEAD = 64;
