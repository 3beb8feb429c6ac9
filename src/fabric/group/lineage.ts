import { type Bytes, encodeCbor } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { FieldReader } from "../field_reader.ts";
import { AGENT_ID_LENGTH, AgentId } from "../identity/agent_id.ts";
import { EPOCH_ID_LENGTH } from "./commit_rank.ts";
import type { GroupEpoch } from "./group_branches.ts";
import { decodeRules, encodeRules } from "./group_rules.ts";
import { epochOf, type Held } from "./held_epoch.ts";

/** Most epochs that who joins is told of. */
const MAX_LINEAGE = 32;
const MAX_MEMBERS = 1_024;
const MAX_RULES_BYTES = 65_536;
const ADMIN = 1;
const FINAL = 2;
const EMPTY: Bytes = new Uint8Array();
const read = new FieldReader("lineage of an epoch");

/**
 * What who joins is told of the epochs before, so that it can tell later whether its branch lost before it came: for each, newest
 * first, what differs from the one behind it.
 *
 * ```text
 * CBOR array, deterministic, of 1 to 32 × [32B name, 32B committer, 1 by an admin | 2 decided for, rules or null if the same,
 *    array of 32B members that came behind it, array of 32B members that went behind it]
 * ```
 *
 * @param lineage - Epochs that count, oldest first.
 * @param behind - What is held of the epoch behind the last of them, or of the last itself.
 */
export function encodeLineage(
  lineage: readonly GroupEpoch<Held>[],
  behind: Pick<Held, "members" | "rules">,
): Bytes {
  const newestFirst = lineage.slice(-MAX_LINEAGE).toReversed();
  return encodeCbor(newestFirst.map(({ id, rank, isFinal, state }, i) => {
    const next = i === 0 ? behind : newestFirst[i - 1]!.state;
    const [rules, nextRules] = [state.rules, next.rules].map(encodeRules);
    return [
      ...[Uint8Array.fromHex(id), state.committer.bytes],
      (rank.isAdmin ? ADMIN : 0) | (isFinal ? FINAL : 0),
      rules!.toHex() === nextRules!.toHex() ? null : rules!,
      without(next.members, state.members),
      without(state.members, next.members),
    ];
  }));
}

/**
 * The epochs of a lineage, oldest first; whoever sent it answers for it.
 *
 * @param last - The number of the last of them.
 * @param behind - What is held behind it.
 * @throws {DecodeError} If it is malformed.
 */
export function decodeLineage(
  crypto: CryptoProvider,
  group: Uint8Array,
  bytes: Uint8Array,
  last: number,
  behind: Held,
): readonly GroupEpoch<Held>[] {
  const items = read.list(bytes, MAX_LINEAGE, {
    maxDepth: 3,
    maxItems: MAX_LINEAGE * (2 * MAX_MEMBERS + 7) + 1,
  });
  const rows = items.map((item) => read.array(item, 6, 6));
  const names = rows.map(([id]) => read.bytes(id!, EPOCH_ID_LENGTH));
  let { rules, members } = behind;
  return rows.map(([, by, flags, own, came, went], i) => {
    const bits = read.unsigned(flags!);
    if (own !== null) {
      rules = decodeRules(read.bytesUpTo(own!, MAX_RULES_BYTES));
    }
    const gone = new Set(
      read.array(came!, MAX_MEMBERS).map(agentOf).map(String),
    );
    members = [
      ...members.filter((each) => !gone.has(`${each}`)),
      ...read.array(went!, MAX_MEMBERS).map(agentOf),
    ];
    if (members.length > MAX_MEMBERS || last < i) {
      throw read.malformed(`want at most ${MAX_MEMBERS} members, and numbers`);
    }
    const name = {
      ...{ group, id: names[i]!, parent: names[i + 1] ?? EMPTY },
      ...{ epoch: last - i, isByAdmin: (bits & ADMIN) !== 0 },
    };
    const held = { mls: undefined, committer: agentOf(by!), commit: EMPTY };
    const epoch = epochOf(crypto, name, { ...held, rules, members });
    return { ...epoch, isFinal: (bits & FINAL) !== 0 };
  }).toReversed();
}

function without(
  members: readonly AgentId[],
  others: readonly AgentId[],
): Bytes[] {
  const known = new Set(others.map(String));
  return members.filter((each) => !known.has(`${each}`))
    .map(({ bytes }) => bytes);
}

function agentOf(value: Parameters<FieldReader["bytes"]>[0]): AgentId {
  return new AgentId(read.bytes(value, AGENT_ID_LENGTH));
}
