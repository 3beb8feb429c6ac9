import { equal } from "../../core/bytes/mod.ts";
import type { AgentId } from "../identity/agent_id.ts";
import {
  type CommitRank,
  compareCommits,
  epochIdOf,
  turnOf,
} from "./commit_rank.ts";
import type { NewEpoch } from "./group_branches.ts";
import type { GroupHistory } from "./group_history.ts";
import type { ReceivedGroupMessage } from "./group_message.ts";
import { commitFault } from "./group_rules.ts";
import type { GroupSessionOptions } from "./session_parts.ts";
import { epochOf, type Held, heldOf, isByAdmin } from "./held_epoch.ts";
import type { Rival, UnreadCommit } from "./old_forks.ts";
import type { SessionMail } from "./session_mail.ts";

/** A commit as it came. */
export interface IncomingCommit {
  /** What it says. */
  readonly message: ReceivedGroupMessage & { readonly signer: AgentId };
  /** As it was signed. */
  readonly bytes: Uint8Array;
  /** When, in milliseconds since 1970-01-01 UTC. */
  readonly nowMs: number;
}

/** What is to be done about a commit. */
export type CommitFinding =
  | { readonly kind: "add"; readonly epoch: NewEpoch<Held> } // it is valid
  | { readonly kind: "wait" } // the epoch that it is for is not here yet
  | { readonly kind: "rival"; readonly rival: Rival } // it began another branch than ours before what is kept whole
  | { readonly kind: "elsewhere" } // it is for an epoch of another branch, which parted from ours before what is kept whole
  | { readonly kind: "done" }; // nothing

const DONE: CommitFinding = { kind: "done" };
/** Most commits that lost as they came and are kept as they are. */
const MAX_BEATEN = 64;
/** Most commits that could not be carried out and are remembered. */
const MAX_UNREAD = 32;

/** Judges commits of others: whether they are valid, within the rules, in time, and the only ones of their committers. */
export class CommitIntake {
  readonly #options: GroupSessionOptions;
  readonly #history: GroupHistory;
  readonly #mail: SessionMail;
  /** Commits that lost as they came, by the names of the epochs that they begin: they are carried out when something needs them. */
  readonly #beaten = new Map<
    string,
    { commit: IncomingCommit; rank: CommitRank }
  >();

  /** Commits of which MLS makes nothing here, by the names of the epochs that they begin. */
  readonly #unread = new Map<string, UnreadCommit>();

  /** Judges by what `history` has. */
  constructor(
    options: GroupSessionOptions,
    history: GroupHistory,
    mail: SessionMail,
  ) {
    this.#options = options;
    this.#history = history;
    this.#mail = mail;
  }

  /** Everything is anew. */
  reset(): void {
    this.#beaten.clear();
    this.#unread.clear();
  }

  /** Commits of which MLS makes nothing here: others, for whom they were made otherwise, may follow them. */
  get unread(): readonly UnreadCommit[] {
    return [...this.#unread.values()];
  }

  /** Whether a commit that begins an epoch lost as it came. */
  isBeaten(id: string): boolean {
    return this.#beaten.has(id);
  }

  /** Commits that lost as they came and would not now. */
  risen(): readonly string[] {
    const { branches } = this.#history;
    const ids: string[] = [];
    for (const [id, { commit, rank }] of this.#beaten) {
      const parent = commit.message.at.toHex();
      if (!branches.get(parent)) this.#beaten.delete(id);
      else if (branches.isBest(id, parent, rank)) ids.push(id);
    }
    return ids;
  }

  /** Carries out a commit that lost as it came; gives its epoch if it is valid, and of use still. */
  async raise(id: string): Promise<NewEpoch<Held> | undefined> {
    const { commit } = this.#beaten.get(id) ?? {};
    if (!commit) return undefined;
    this.#beaten.delete(id);
    const finding = await this.#judge(commit, true);
    return finding.kind === "add" ? finding.epoch : undefined;
  }

  /** What is to be done about a commit. */
  judge(commit: IncomingCommit): Promise<CommitFinding> {
    return this.#judge(commit, false);
  }

  async #judge(
    commit: IncomingCommit,
    isNeeded: boolean,
  ): Promise<CommitFinding> {
    const { counts } = this.#mail;
    const { crypto, group } = this.#options;
    const { message: { at, epoch, body, signer }, bytes, nowMs } = commit;
    const id = epochIdOf(crypto, at, body);
    const parent = at.toHex();
    const { branches } = this.#history;
    if (this.#history.past(id.toHex()) || this.isBeaten(id.toHex())) {
      return this.#copy();
    }
    const before = branches.get(parent);
    const name = {
      ...{ group, id, parent: at, epoch: epoch + 1 },
      isByAdmin: before !== undefined && isByAdmin(before.state, signer),
    };
    const turn = turnOf(crypto, group, epoch, signer);
    const rank = { isAdmin: name.isByAdmin, turn, id };
    const { kind } = branches.place(
      id.toHex(),
      parent,
      epoch,
      before && rank,
    );
    switch (kind) {
      case "known":
        return this.#copy();
      case "unknown":
        return { kind: "wait" };
      case "stale":
        counts.stale++;
        return this.#weigh(commit, id);
      case "final":
        counts.late++;
        this.#compareWithOthers(commit);
        this.#mail.accuse("late", signer, nowMs, bytes);
        return DONE;
      case "beaten":
        counts.beaten++;
        this.#compareWithOthers(commit);
        return DONE;
    }
    if (before!.epoch !== epoch) {
      counts.invalid++;
      return DONE;
    }
    if (!isNeeded && !branches.isBest(id.toHex(), parent, rank)) {
      return this.#set(id.toHex(), commit, rank);
    }
    const held = await this.#apply(before!.state, commit);
    if (held === "unread") {
      this.#unread.set(id.toHex(), { id: id.toHex(), parent });
      const [oldest] = this.#unread.keys();
      if (this.#unread.size > MAX_UNREAD) this.#unread.delete(oldest!);
      return DONE;
    }
    if (!held) return DONE;
    this.#compareWithOthers(commit);
    return { kind: "add", epoch: epochOf(crypto, name, held) };
  }

  /** Keeps a commit that lost as it is: what MLS makes of it is of use only if its branch counts, or somebody publishes there. */
  #set(id: string, commit: IncomingCommit, rank: CommitRank): CommitFinding {
    this.#compareWithOthers(commit);
    const message = { ...commit.message, body: commit.message.body.slice() };
    const kept = { ...commit, message, bytes: commit.bytes.slice() };
    this.#beaten.set(id, { commit: kept, rank });
    if (this.#beaten.size > MAX_BEATEN) {
      const [worst] = [...this.#beaten].sort(([, a], [, b]) =>
        compareCommits(b.rank, a.rank)
      );
      this.#beaten.delete(worst![0]);
      this.#mail.counts.beaten++;
    }
    return DONE;
  }

  #copy(): CommitFinding {
    this.#mail.counts.copies++;
    return DONE;
  }

  /** What is held behind a commit, if it is valid and within the rules; `unread` if MLS makes nothing of it. */
  async #apply(
    before: Held,
    { message: { signer, body }, bytes, nowMs }: IncomingCommit,
  ): Promise<Held | "unread" | undefined> {
    const { counts } = this.#mail;
    const { mls, agent } = this.#options;
    const { mls: state } = before;
    if (!state) return void counts.invalid++;
    const done = await this.#mail.tried(() => mls.process(state, body));
    if (!done) return "unread";
    if (done.kind !== "commit" || !done.committer.equals(signer)) {
      return void counts.invalid++;
    }
    const held = this.#mail.decoded((): Held =>
      done.state.isMember ? heldOf(done.state, signer, bytes.slice()) : {
        ...{ mls: undefined, rules: before.rules, committer: signer },
        commit: bytes.slice(),
        members: before.members.filter((each) => !each.equals(agent.id)),
      }
    );
    if (!held) return undefined;
    const fault = commitFault(before.rules, {
      committer: signer,
      before: before.members,
      after: held.mls && held.members,
      rules: held.rules,
    });
    if (!fault) return held;
    counts.forbidden++;
    this.#mail.accuse("forbidden", signer, nowMs, bytes);
  }

  /** Whether the committer of a commit for an epoch made another one for it. */
  #compareWithOthers(
    { message: { at, signer }, bytes, nowMs }: IncomingCommit,
  ): void {
    for (const each of this.#history.branches.entries()) {
      const { commit, committer } = each.state;
      if (each.parent !== at.toHex() || !committer.equals(signer)) continue;
      return this.#mail.accuse("equivocation", signer, nowMs, commit, bytes);
    }
    for (const { commit } of this.#beaten.values()) {
      const { message, bytes: other } = commit;
      if (!equal(message.at, at) || !message.signer.equals(signer)) continue;
      if (equal(other, bytes)) continue;
      return this.#mail.accuse("equivocation", signer, nowMs, other, bytes);
    }
  }

  /** A commit for an epoch that is not kept whole. */
  #weigh(
    { message: { at, signer }, bytes, nowMs }: IncomingCommit,
    id: Uint8Array<ArrayBuffer>,
  ): CommitFinding {
    const { crypto, group } = this.#options;
    const parent = at.toHex();
    const before = this.#history.past(parent);
    if (!before) return { kind: "elsewhere" };
    const ours = this.#history.lineage.find((each) => each.parent === parent);
    const isByMember = before.state.members.some((each) => each.equals(signer));
    if (!ours || !isByMember) return DONE;
    const { commit, committer } = ours.state;
    if (!committer.equals(signer)) {
      this.#mail.accuse("fork", signer, nowMs, bytes);
    } else if (commit.length > 0) {
      this.#mail.accuse("equivocation", signer, nowMs, commit, bytes);
    }
    const rank = {
      isAdmin: isByAdmin(before.state, signer),
      turn: turnOf(crypto, group, before.epoch, signer),
      id,
    };
    return { kind: "rival", rival: { id: id.toHex(), parent, rank } };
  }
}
