import { type Bytes, Writer } from "../../core/bytes/mod.ts";
import { FabricError } from "../error.ts";
import type { AgentId } from "../identity/agent_id.ts";
import { epochIdOf } from "./commit_rank.ts";
import type { GroupEpoch, NewEpoch } from "./group_branches.ts";
import { encodeGroupMessage, encodeList } from "./group_message.ts";
import type { GroupCounts } from "./group_output.ts";
import { commitFault, isAdmin } from "./group_rules.ts";
import type { GroupSessionOptions } from "./session_parts.ts";
import { epochOf, type Held, heldOf } from "./held_epoch.ts";
import { encodeLineage } from "./lineage.ts";
import type { GroupState, MadeCommit } from "./mls/group_crypto.ts";
import { type Change, isFulfilled } from "./wish.ts";
import type { WishList } from "./wish_list.ts";

/** A commit of our own. */
export interface OwnCommit {
  /** The epoch that it begins. */
  readonly epoch: NewEpoch<Held>;
  /** For the members of the epoch before. */
  readonly commit: Bytes;
  /** For those it adds, if it adds any. */
  readonly welcome: Bytes | undefined;
  /** Those it adds. */
  readonly added: readonly AgentId[];
}

/** Makes commits of what this member wants. */
export class OwnCommits {
  readonly #options: GroupSessionOptions;
  readonly #wishes: WishList;
  #welcomedMs = 0;
  readonly #counts: Pick<GroupCounts, "unfulfilled">;

  /** Makes commits of `wishes`. */
  constructor(
    options: GroupSessionOptions,
    wishes: WishList,
    counts: Pick<GroupCounts, "unfulfilled">,
  ) {
    this.#options = options;
    this.#wishes = wishes;
    this.#counts = counts;
  }

  /** A commit for the last epoch of a lineage, of all that is wanted now and the rules allow; `undefined` if that is nothing. */
  async make(
    lineage: readonly GroupEpoch<Held>[],
    nowMs: number,
  ): Promise<OwnCommit | undefined> {
    const tip = lineage.at(-1);
    const state = tip?.state.mls;
    if (!state) return undefined;
    const { changes, sequences, impossible } = await this.#wishes.take(
      nowMs,
      async (change) => {
        if (isFulfilled(change, tip.state)) return "fulfilled";
        return await this.#canDo(change, tip.state) ? "wanted" : "impossible";
      },
      tip.id,
    );
    this.#counts.unfulfilled += impossible;
    if (changes.length === 0) return undefined;
    const own = await this.#commit(lineage, state, changes, nowMs);
    if (own) this.#wishes.committed(sequences, own.epoch.id);
    else this.#counts.unfulfilled += this.#wishes.giveUp(sequences);
    return own;
  }

  async #commit(
    lineage: readonly GroupEpoch<Held>[],
    state: GroupState,
    changes: readonly Change[],
    nowMs: number,
  ): Promise<OwnCommit | undefined> {
    const tip = lineage.at(-1)!;
    const { mls, agent, crypto, group } = this.#options;
    const adding = changes.filter((each) => each.kind === "add");
    const settings = changes.findLast((each) => each.kind === "rules")?.rules;
    let made: MadeCommit;
    try {
      made = await mls.commit(state, {
        add: adding.map(({ keyPackage }) => keyPackage),
        remove: changes.filter((each) => each.kind === "remove")
          .map((each) => each.agent),
        ...settings && { settings },
      });
    } catch (error) {
      if (!(error instanceof FabricError)) throw error;
      return undefined;
    }
    const at = Uint8Array.fromHex(tip.id);
    const commit = encodeGroupMessage(agent, {
      ...{ kind: "commit", group, epoch: tip.epoch, at, body: made.commit },
    });
    const held = heldOf(made.state, agent.id, commit);
    const { rules, members } = tip.state;
    const fault = commitFault(rules, {
      committer: agent.id,
      before: members,
      after: held.members,
      rules: held.rules,
    });
    if (fault) return undefined;
    const id = epochIdOf(crypto, at, made.commit);
    const epoch = tip.epoch + 1;
    const isBy = isAdmin(rules, agent.id);
    const name = { group, id, parent: at, epoch, isByAdmin: isBy };
    return {
      epoch: epochOf(crypto, name, held),
      commit,
      welcome: made.welcome && encodeGroupMessage(agent, {
        ...{ kind: "welcome", group, epoch, at: id },
        body: encodeList([
          ...[made.welcome, commit, this.#timeOf(nowMs)],
          encodeLineage(lineage, held),
        ]),
      }),
      added: adding.map((each) => each.agent),
    };
  }

  /** The time of a Welcome: each has a later one than those before it. */
  #timeOf(nowMs: number): Bytes {
    this.#welcomedMs = Math.max(nowMs, this.#welcomedMs + 1);
    return new Writer(8).u64(BigInt(this.#welcomedMs)).finish();
  }

  /** Whether the rules let us make a change, and it can be made. */
  async #canDo(change: Change, { rules }: Held): Promise<boolean> {
    const { agent, mls } = this.#options;
    const isAllowed = isAdmin(rules, agent.id);
    switch (change.kind) {
      case "update":
        return true;
      case "rules":
        return isAllowed;
      case "remove":
        return !change.agent.equals(agent.id) &&
          (isAllowed || !rules.isAdminOnlyRemove);
    }
    if (rules.isAdminOnlyAdd && !isAllowed) return false;
    try {
      const { id } = await mls.readKeyPackage(change.keyPackage);
      return id.equals(change.agent);
    } catch (error) {
      if (!(error instanceof FabricError)) throw error;
      return false;
    }
  }
}
