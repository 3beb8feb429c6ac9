import type { Bytes } from "../../core/bytes/mod.ts";
import type { AgentId } from "../identity/agent_id.ts";
import type { BranchLimits, GroupEpoch, NewEpoch } from "./group_branches.ts";
import { GroupBranches } from "./group_branches.ts";
import type { AckRow, GroupRows } from "./group_rows.ts";
import type { Held } from "./held_epoch.ts";
import type { GroupState } from "./mls/group_crypto.ts";

/** Most epochs that count and whose names are kept behind those that are kept whole. */
const MAX_PAST_EPOCHS = 64;

/** The epochs of a group, those that may change and the names of those before, as they are stored. */
export class GroupHistory {
  readonly #rows: GroupRows;
  readonly #limits: BranchLimits;
  #branches: GroupBranches<Held>;
  #past: GroupEpoch<Held>[];

  private constructor(
    rows: GroupRows,
    limits: BranchLimits,
    branches: GroupBranches<Held>,
    past: GroupEpoch<Held>[],
  ) {
    this.#rows = rows;
    this.#limits = limits;
    this.#branches = branches;
    this.#past = past;
  }

  /**
   * Starts with one epoch.
   *
   * @param past - What is known of those before it, oldest first.
   */
  static start(
    rows: GroupRows,
    limits: BranchLimits,
    oldest: NewEpoch<Held>,
    past: readonly GroupEpoch<Held>[] = [],
  ): GroupHistory {
    const branches = new GroupBranches(oldest, limits);
    rows.setEpoch(oldest);
    for (const each of past) rows.addPast(each);
    return new GroupHistory(rows, limits, branches, [...past]);
  }

  /** Reads what is stored; `undefined` if nothing is. */
  static restore(
    rows: GroupRows,
    limits: BranchLimits,
  ): GroupHistory | undefined {
    const [oldest, ...epochs] = rows.epochs();
    if (!oldest) return undefined;
    const branches = new GroupBranches(oldest, limits);
    const history = new GroupHistory(rows, limits, branches, [...rows.past()]);
    for (const { id, epoch, member } of rows.acks()) {
      branches.acknowledge(id, epoch, `${member}`);
    }
    for (const each of epochs) {
      const { kind } = branches.place(
        each.id,
        each.parent,
        each.epoch - 1,
        each.rank,
      );
      if (kind === "open") history.#leave(branches.add(each));
      else rows.deleteEpoch(each.id);
    }
    return history;
  }

  /** Epochs that may change. */
  get branches(): Omit<GroupBranches<Held>, "add" | "acknowledge"> {
    return this.#branches;
  }

  /** The newest epoch of the branch that counts. */
  get tip(): GroupEpoch<Held> {
    return this.#branches.tip;
  }

  /** Epochs that count, oldest first, of which the first are known by name alone. */
  get lineage(): readonly GroupEpoch<Held>[] {
    return [...this.#past, ...this.#branches.path()];
  }

  /** An epoch that counts before all that are kept whole. */
  past(id: string): GroupEpoch<Held> | undefined {
    return this.#past.find((each) => each.id === id);
  }

  /** Whether an epoch is here, on whatever branch, or one that counts before those kept whole. */
  has(id: string): boolean {
    return this.#branches.get(id) !== undefined || this.past(id) !== undefined;
  }

  /** Whether an agent is a member in an epoch that counts, as far back as is known. */
  knows(agent: AgentId): boolean {
    return this.lineage.some(({ electors }) => electors.has(`${agent}`));
  }

  /** Adds an epoch whose place is open. */
  append(entry: NewEpoch<Held>): void {
    this.#rows.setEpoch(entry);
    this.#leave(this.#branches.add(entry));
  }

  /** A member has decided for an epoch; `false` if that is not news. */
  acknowledge(row: AckRow): boolean {
    const { id, epoch, member } = row;
    const dropped = this.#branches.acknowledge(id, epoch, `${member}`);
    if (!dropped) return false;
    this.#rows.addAck(row);
    this.#leave(dropped);
    return true;
  }

  /** A key of an epoch was used: there is a new state in place of the old. */
  advance(id: string, mls: GroupState): void {
    const epoch = this.#branches.get(id);
    if (!epoch) return;
    epoch.state = { ...epoch.state, mls };
    this.#rows.setEpoch(epoch);
  }

  /** Names of the epochs that count, oldest first, for who is asked what comes behind. */
  names(): readonly Bytes[] {
    const { lineage } = this;
    const [first] = lineage;
    const all = [first!.parent, ...lineage.map(({ id }) => id)];
    return all.filter((each) => each !== "").map((each) =>
      Uint8Array.fromHex(each)
    );
  }

  /** Epochs that count behind the newest of `names` that does; `undefined` if none does. */
  after(
    names: readonly Uint8Array[],
  ): readonly GroupEpoch<Held>[] | undefined {
    const known = new Set(names.map((each) => each.toHex()));
    const { lineage } = this;
    const at = lineage.findLastIndex(({ id }) => known.has(id));
    if (at >= 0) return lineage.slice(at + 1);
    return known.has(lineage[0]!.parent) ? lineage : undefined;
  }

  /** Starts again with one epoch and what is known of those before; what was here is erased. */
  restart(oldest: NewEpoch<Held>, past: readonly GroupEpoch<Held>[]): void {
    for (const { id } of this.#branches.entries()) this.#rows.deleteEpoch(id);
    for (const { epoch } of this.#past) this.#rows.deletePast(epoch);
    this.#rows.deleteAllAcks();
    this.#branches = new GroupBranches(oldest, this.#limits);
    this.#past = [...past];
    this.#rows.setEpoch(oldest);
    for (const each of past) this.#rows.addPast(each);
  }

  /** Erases epochs that are not kept any more, and keeps the names of those that count. */
  #leave(dropped: readonly GroupEpoch<Held>[]): void {
    if (dropped.length === 0) return;
    const { root } = this.#branches;
    const byId = new Map(dropped.map((each) => [each.id, each]));
    for (const { id } of dropped) this.#rows.deleteEpoch(id);
    const left: GroupEpoch<Held>[] = [];
    for (
      let at = byId.get(root.parent);
      at;
      at = byId.get(at.parent)
    ) {
      const state = { ...at.state, mls: undefined };
      left.unshift({ ...at, state, isFinal: at.isFinal });
    }
    for (const each of left) {
      this.#past.push(each);
      this.#rows.addPast(each);
    }
    const excess = Math.max(0, this.#past.length - MAX_PAST_EPOCHS);
    for (const { epoch } of this.#past.splice(0, excess)) {
      this.#rows.deletePast(epoch);
    }
    // The oldest is as if nothing could come beside it: it is stored as such.
    this.#rows.setEpoch(root);
    this.#rows.deleteAcks(root.epoch);
  }
}
