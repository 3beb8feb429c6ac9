import { type CommitRank, compareCommits } from "./commit_rank.ts";

/** One epoch on one branch. */
export interface GroupEpoch<State> {
  /** Its name, in hexadecimal. */
  readonly id: string;
  /** Its number. */
  readonly epoch: number;
  /** The epoch before it; that of the oldest is not here. */
  readonly parent: string;
  /** What decides between it and others behind the same epoch. */
  readonly rank: CommitRank;
  /** Weights of its members, by agent: they decide what comes next. */
  readonly electors: ReadonlyMap<string, number>;
  /** Whether members of more than half of the weight of the epoch before have decided for it. */
  readonly isFinal: boolean;
  /** What its member holds. */
  state: State;
}

/** An epoch that is to be added. */
export type NewEpoch<State> = Omit<GroupEpoch<State>, "isFinal">;

/** Limits of {@link GroupBranches}. */
export interface BranchLimits {
  /** Most epochs behind the oldest that is kept; 8 by default. */
  readonly maxEpochs?: number;
  /** Most commits for one epoch that are kept, the best of them; 3 by default. */
  readonly maxRivals?: number;
  /** Most epochs on all branches; 64 by default. */
  readonly maxBranchEpochs?: number;
}

/** {@link BranchLimits} that hold if nothing else is said. */
export const BRANCH_LIMITS: Required<BranchLimits> = {
  maxEpochs: 8,
  maxRivals: 3,
  maxBranchEpochs: 64,
};

/** What becomes of a commit. */
export type Placing =
  | { readonly kind: "known" } // it is here
  | { readonly kind: "unknown" } // the epoch that it is for is not here
  | { readonly kind: "stale" } // the epoch that it is for is older than all that are kept
  | { readonly kind: "final" } // the members have decided for another
  | { readonly kind: "beaten" } // enough better ones are here
  | { readonly kind: "open" }; // it may be added

interface Node<State> extends Omit<GroupEpoch<State>, "isFinal"> {
  readonly children: Set<Node<State>>;
  isFinal: boolean;
}

/**
 * Every valid commit of the last epochs of a group, as a tree, and the one branch of it that counts. Which one that is depends on the
 * commits and acknowledgements that are here alone, not on the order in which they came.
 *
 * At a fork goes first what members of more than half of the weight have acknowledged, then what leads to such an epoch, then the
 * commit of the better rank.
 */
export class GroupBranches<State> {
  readonly #limits: Required<BranchLimits>;
  readonly #nodes = new Map<string, Node<State>>();
  /** Who acknowledged what, of epochs that are here or may come, by name. */
  readonly #acks = new Map<string, { epoch: number; by: Set<string> }>();
  #root: Node<State>;
  #tip: Node<State>;

  /** Starts with the one epoch `oldest`. */
  constructor(oldest: NewEpoch<State>, limits: BranchLimits = {}) {
    this.#limits = { ...BRANCH_LIMITS, ...limits };
    this.#root = { ...oldest, children: new Set(), isFinal: false };
    this.#tip = this.#root;
    this.#nodes.set(oldest.id, this.#root);
  }

  /** The oldest epoch that is kept: what was before it is not changed any more. */
  get root(): GroupEpoch<State> {
    return this.#root;
  }

  /** The newest epoch of the branch that counts. */
  get tip(): GroupEpoch<State> {
    return this.#tip;
  }

  /** Epochs on all branches. */
  get size(): number {
    return this.#nodes.size;
  }

  /** Every epoch, those before others first. */
  *entries(): IterableIterator<GroupEpoch<State>> {
    for (const node of below(this.#root)) yield node;
  }

  /** An epoch, by its name. */
  get(id: string): GroupEpoch<State> | undefined {
    return this.#nodes.get(id);
  }

  /** Whether an epoch is on the branch that counts. */
  isCanonical(id: string): boolean {
    return this.path().some((each) => each.id === id);
  }

  /** The branch that counts, from the oldest epoch to the newest. */
  path(): readonly GroupEpoch<State>[] {
    return this.pathTo(this.#tip.id);
  }

  /** The branch of an epoch, from the oldest to it; empty if it is not here. */
  pathTo(id: string): readonly GroupEpoch<State>[] {
    const path: GroupEpoch<State>[] = [];
    for (let at = this.#nodes.get(id); at; at = this.#nodes.get(at.parent)) {
      path.unshift(at);
    }
    return path;
  }

  /** What would become of a commit for the epoch `parent`, which has the number `epoch`. */
  place(id: string, parent: string, epoch: number, rank?: CommitRank): Placing {
    if (this.#nodes.has(id)) return { kind: "known" };
    const node = this.#nodes.get(parent);
    if (!node) {
      const isStale = epoch <= this.#root.epoch;
      return { kind: isStale ? "stale" : "unknown" };
    }
    if (this.#isChosen(id, node)) return { kind: "open" };
    const rivals = [...node.children];
    if (rivals.some(({ isFinal }) => isFinal)) return { kind: "final" };
    const isBeaten = rank !== undefined &&
      rivals.length >= this.#limits.maxRivals &&
      rivals.every((each) => compareCommits(each.rank, rank) < 0);
    return { kind: isBeaten ? "beaten" : "open" };
  }

  /** Whether an epoch that may be added behind `parent` would go before all that are there. */
  isBest(id: string, parent: string, rank: CommitRank): boolean {
    const before = this.#nodes.get(parent);
    const first = before && best(before);
    if (!first || this.#isChosen(id, before)) return true;
    return levelOf(first) === 0 && compareCommits(rank, first.rank) < 0;
  }

  /**
   * Adds an epoch behind its parent, whose {@link place} is open.
   *
   * @returns Epochs that are not kept any more.
   * @throws {RangeError} If it is not open.
   */
  add(entry: NewEpoch<State>): readonly GroupEpoch<State>[] {
    const { id, parent, epoch, rank } = entry;
    const { kind } = this.place(id, parent, epoch - 1, rank);
    if (kind !== "open") throw new RangeError(`The epoch is ${kind}`);
    const before = this.#nodes.get(parent)!;
    const node: Node<State> = {
      ...entry,
      children: new Set(),
      isFinal: this.#isChosen(id, before),
    };
    this.#nodes.set(id, node);
    before.children.add(node);
    const dropped = this.#thin(before);
    return [...dropped, ...this.#advance()];
  }

  /**
   * A member of the epoch before has decided for the epoch `id`.
   *
   * @returns Epochs that are not kept any more; `undefined` if it was known, is too old or too new, or the member has named enough
   *   others that are not here.
   */
  acknowledge(
    id: string,
    epoch: number,
    member: string,
  ): readonly GroupEpoch<State>[] | undefined {
    const { maxEpochs } = this.#limits;
    if (
      epoch <= this.#root.epoch || epoch > this.#tip.epoch + maxEpochs
    ) return undefined;
    const acks = this.#acks.get(id) ?? { epoch, by: new Set() };
    if (acks.by.has(member) || acks.epoch !== epoch) return undefined;
    const node = this.#nodes.get(id);
    if (node && node.epoch !== epoch) return undefined;
    if (!node && this.ackedBy(member, epoch).length >= MAX_UNKNOWN) {
      return undefined;
    }
    acks.by.add(member);
    this.#acks.set(id, acks);
    if (!node || node.isFinal) return [];
    node.isFinal = this.#isChosen(id, this.#nodes.get(node.parent)!);
    return node.isFinal ? this.#advance() : [];
  }

  /** Epochs of a number that a member has decided for: more than one if it equivocates. */
  ackedBy(member: string, epoch: number): readonly string[] {
    return [...this.#acks].filter(([, acks]) =>
      acks.epoch === epoch && acks.by.has(member)
    ).map(([id]) => id);
  }

  /** Whether members of more than half of the weight of `parent` decided for the epoch `id`. */
  #isChosen(id: string, { electors }: GroupEpoch<State>): boolean {
    const by = this.#acks.get(id)?.by ?? new Set();
    let all = 0;
    let decided = 0;
    for (const [member, weight] of electors) {
      all += weight;
      if (by.has(member)) decided += weight;
    }
    return 2 * decided > all;
  }

  /** Finds the branch that counts, and leaves epochs behind that are too old. */
  #advance(): Node<State>[] {
    const path: Node<State>[] = [this.#root];
    for (let at = best(this.#root); at; at = best(at)) path.push(at);
    this.#tip = path.at(-1)!;
    const excess = this.#tip.epoch - this.#root.epoch - this.#limits.maxEpochs;
    const dropped: Node<State>[] = [];
    for (const next of path.slice(1, 1 + Math.max(0, excess))) {
      this.#root.children.delete(next);
      dropped.push(...this.#drop(this.#root));
      this.#root = next;
    }
    for (const [id, { epoch }] of this.#acks) {
      if (epoch <= this.#root.epoch) this.#acks.delete(id);
    }
    return [...dropped, ...this.#bound()];
  }

  /** Keeps the best commits for an epoch. */
  #thin(parent: Node<State>): Node<State>[] {
    const ranked = [...parent.children].sort(compare);
    return ranked.slice(this.#limits.maxRivals).flatMap((each) =>
      each.isFinal ? [] : this.#drop(each)
    );
  }

  /** Gives up the worst of the branches that do not count, oldest forks first, while there are too many epochs. */
  #bound(): Node<State>[] {
    const dropped: Node<State>[] = [];
    const path = this.path() as readonly Node<State>[];
    for (const node of path) {
      const rivals = [...node.children].sort(compare).slice(1);
      while (this.size > this.#limits.maxBranchEpochs && rivals.length > 0) {
        dropped.push(...this.#drop(rivals.pop()!));
      }
    }
    return dropped;
  }

  #drop(top: Node<State>): Node<State>[] {
    this.#nodes.get(top.parent)?.children.delete(top);
    const all = [...below(top)];
    for (const { id } of all) this.#nodes.delete(id);
    return all;
  }
}

/** Most epochs of a number that a member may name which are not here. */
const MAX_UNKNOWN = 2;

function* below<State>(top: Node<State>): IterableIterator<Node<State>> {
  yield top;
  for (const child of top.children) yield* below(child);
}

function best<State>({ children }: Node<State>): Node<State> | undefined {
  return [...children].sort(compare)[0];
}

function compare<State>(a: Node<State>, b: Node<State>): number {
  return levelOf(b) - levelOf(a) || compareCommits(a.rank, b.rank);
}

/** 2 if the members have decided for it, 1 if for an epoch behind it. */
function levelOf<State>(node: Node<State>): number {
  if (node.isFinal) return 2;
  for (const { isFinal } of below(node)) if (isFinal) return 1;
  return 0;
}
