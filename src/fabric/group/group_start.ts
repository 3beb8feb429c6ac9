import { DecodeError, Reader } from "../../core/bytes/mod.ts";
import { FabricError } from "../error.ts";
import type { AgentId } from "../identity/agent_id.ts";
import { epochIdOf, foundingIdOf } from "./commit_rank.ts";
import type { GroupEpoch, NewEpoch } from "./group_branches.ts";
import { GroupHistory } from "./group_history.ts";
import {
  decodeGroupMessage,
  decodeList,
  type GroupMessage,
} from "./group_message.ts";
import { encodeRules, type GroupRules, isAdmin } from "./group_rules.ts";
import { GroupSession } from "./group_session.ts";
import type { GroupSessionOptions } from "./session_parts.ts";
import { epochOf, type Held, heldOf } from "./held_epoch.ts";
import { decodeLineage } from "./lineage.ts";
import type { MadeKeyPackage } from "./mls/group_crypto.ts";

const EMPTY = new Uint8Array();

/** The epoch in which an agent joined, and what it was told of those before. */
export interface JoinedEpoch {
  /** The epoch. */
  readonly oldest: NewEpoch<Held>;
  /** Those before, oldest first. */
  readonly past: readonly GroupEpoch<Held>[];
  /** The time of the Welcome, as it says: the later of two from one agent counts. */
  readonly welcomedMs?: number;
}

/** A new group whose one member is the agent. */
export async function foundGroup(
  options: GroupSessionOptions,
  rules: GroupRules,
): Promise<GroupSession> {
  const { mls, agent, group, crypto, rows } = options;
  const made = await mls.createKeyPackage(agent);
  using _secret = made.secret;
  const state = await mls.createGroup(group, made, encodeRules(rules));
  const held = heldOf(state, agent.id, EMPTY);
  const id = foundingIdOf(crypto, group);
  const name = { group, id, parent: EMPTY, epoch: 0, isByAdmin: true };
  const epoch = epochOf(crypto, name, held);
  const history = GroupHistory.start(rows, options.branches ?? {}, epoch);
  rows.commit();
  return new GroupSession(options, history);
}

/** The part of a group that is stored; `undefined` if there is none. */
export function restoreGroup(
  options: GroupSessionOptions,
): GroupSession | undefined {
  const { rows, branches = {} } = options;
  const history = GroupHistory.restore(rows, branches);
  if (!history) return undefined;
  rows.commit();
  return new GroupSession(options, history);
}

/** Joins by a Welcome, as {@link readWelcome} has read it. */
export function joinGroup(
  options: GroupSessionOptions,
  { oldest, past, welcomedMs = 0 }: JoinedEpoch,
): GroupSession {
  const { rows, branches = {} } = options;
  rows.setWelcomedMs(welcomedMs);
  const history = GroupHistory.start(rows, branches, oldest, past);
  rows.commit();
  return new GroupSession(options, history);
}

/**
 * The epoch in which a Welcome lets its agent in.
 *
 * @throws {DecodeError} If it is malformed.
 * @throws {FabricError} `unauthenticated` if it does not belong to the commit that was signed; what MLS says of it.
 */
export async function readWelcome(
  { mls, crypto, group }: Pick<GroupSessionOptions, "mls" | "crypto" | "group">,
  from: AgentId,
  { at, epoch, body }: GroupMessage,
  made: MadeKeyPackage,
): Promise<JoinedEpoch> {
  const [welcome, signed, time, told] = decodeList(body, 4);
  if (!signed || !time || !told) {
    const text = "want the commit, the time and the lineage beside it";
    throw new DecodeError("welcome", text);
  }
  const commit = decodeGroupMessage(crypto, signed);
  const state = await mls.join(welcome!, made);
  const id = epochIdOf(crypto, commit.at, commit.body);
  const isRight = commit.kind === "commit" && commit.signer!.equals(from) &&
    [commit.group, state.groupId].every((each) =>
      each.toHex() === group.toHex()
    ) &&
    id.toHex() === at.toHex() && commit.epoch + 1 === epoch &&
    Number(state.epoch) === epoch;
  if (!isRight) {
    const text = "A Welcome belongs to the commit of who sends it";
    throw new FabricError("unauthenticated", text);
  }
  const held = heldOf(state, from, signed);
  const past = decodeLineage(crypto, group, told, commit.epoch, held);
  const before = past.at(-1)!;
  if (before.id !== commit.at.toHex()) {
    throw new DecodeError("welcome", "want the lineage of the commit");
  }
  const isBy = isAdmin(before.state.rules, from);
  const name = { group, id, parent: commit.at, epoch, isByAdmin: isBy };
  return {
    oldest: epochOf(crypto, name, held),
    past,
    welcomedMs: Number(new Reader(time, "welcome").u64()),
  };
}
