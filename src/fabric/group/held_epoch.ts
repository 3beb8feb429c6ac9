import { type Bytes, encodeCbor } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { FieldReader } from "../field_reader.ts";
import { AGENT_ID_LENGTH, AgentId } from "../identity/agent_id.ts";
import { EPOCH_ID_LENGTH, turnOf } from "./commit_rank.ts";
import type { NewEpoch } from "./group_branches.ts";
import {
  decodeRules,
  encodeRules,
  type GroupRules,
  isAdmin,
  weightsOf,
} from "./group_rules.ts";
import type { GroupCrypto, GroupState } from "./mls/group_crypto.ts";

/** What a member holds of one epoch. */
export interface Held {
  /** The state of MLS; `undefined` if it is no member in this epoch. */
  readonly mls: GroupState | undefined;
  /** The rules of the group in it. */
  readonly rules: GroupRules;
  /** Its members. */
  readonly members: readonly AgentId[];
  /** Who began it. */
  readonly committer: AgentId;
  /** The commit that began it, as it was signed; empty for the first of all. */
  readonly commit: Bytes;
}

/** What names an epoch and says what began it. */
export interface EpochName {
  /** The group, 32 bytes. */
  readonly group: Uint8Array;
  /** Its name, 32 bytes. */
  readonly id: Uint8Array;
  /** The name of the epoch before it, 32 bytes. */
  readonly parent: Uint8Array;
  /** Its number. */
  readonly epoch: number;
  /** Whether its committer was an admin before it. */
  readonly isByAdmin: boolean;
}

const MAX_MEMBERS = 1_024;
const MAX_BYTES = 64 * 1024 * 1024;
const FIELDS = 9;
const read = new FieldReader("epoch of a group");

/** An epoch for the branches of its group. */
export function epochOf(
  crypto: CryptoProvider,
  { group, id, parent, epoch, isByAdmin }: EpochName,
  held: Held,
): NewEpoch<Held> {
  const turn = turnOf(crypto, group, Math.max(0, epoch - 1), held.committer);
  return {
    id: id.toHex(),
    parent: parent.toHex(),
    epoch,
    rank: { isAdmin: isByAdmin, turn, id: id.slice() },
    electors: weightsOf(held.rules, held.members),
    state: held,
  };
}

/** What a member holds of an epoch with a state of MLS. */
export function heldOf(
  mls: GroupState,
  committer: AgentId,
  commit: Bytes,
): Held {
  return {
    ...{ mls, committer, commit },
    rules: decodeRules(mls.settings),
    members: mls.members.map(({ id }) => id),
  };
}

/** Whether a committer is an admin under the rules of the epoch before. */
export function isByAdmin(before: Held, committer: AgentId): boolean {
  return isAdmin(before.rules, committer);
}

/** An epoch as it is stored, with its secrets unless `isBare`. */
export function encodeEpoch(
  { id, parent, epoch, rank, state, isFinal = false }: NewEpoch<Held> & {
    isFinal?: boolean;
  },
  isBare = false,
): Bytes {
  return encodeCbor([
    ...[Uint8Array.fromHex(id), Uint8Array.fromHex(parent), epoch],
    (rank.isAdmin ? 1 : 0) | (isFinal ? 2 : 0),
    ...[state.committer.bytes, state.commit, encodeRules(state.rules)],
    state.members.map(({ bytes }) => bytes),
    state.mls && !isBare ? state.mls.encode() : null,
  ]);
}

/** What {@link encodeEpoch} gave. */
export function decodeEpoch(
  crypto: CryptoProvider,
  mls: Pick<GroupCrypto, "decodeState">,
  group: Uint8Array,
  bytes: Uint8Array,
): NewEpoch<Held> & { readonly isFinal: boolean } {
  const [id, parent, epoch, flags, committer, commit, rules, members, state] =
    read.items(bytes, FIELDS, { maxDepth: 2, maxItems: FIELDS + MAX_MEMBERS });
  const bits = read.unsigned(flags!);
  const name: EpochName = {
    group,
    id: read.bytes(id!, EPOCH_ID_LENGTH),
    parent: read.bytesUpTo(parent!, EPOCH_ID_LENGTH),
    epoch: read.unsigned(epoch!),
    isByAdmin: (bits & 1) !== 0,
  };
  const held: Held = {
    mls: state === null
      ? undefined
      : mls.decodeState(read.bytesUpTo(state!, MAX_BYTES)),
    rules: decodeRules(read.bytesUpTo(rules!, MAX_BYTES)),
    members: read.array(members!, MAX_MEMBERS).map(agentOf),
    committer: agentOf(committer!),
    commit: read.bytesUpTo(commit!, MAX_BYTES),
  };
  return { ...epochOf(crypto, name, held), isFinal: (bits & 2) !== 0 };
}

function agentOf(value: Parameters<FieldReader["bytes"]>[0]): AgentId {
  return new AgentId(read.bytes(value, AGENT_ID_LENGTH));
}
