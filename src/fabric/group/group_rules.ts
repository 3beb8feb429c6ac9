import { type Bytes, encodeCbor } from "../../core/bytes/mod.ts";
import { FieldReader } from "../field_reader.ts";
import { AGENT_ID_LENGTH, AgentId } from "../identity/agent_id.ts";

/** What groups are for, by their number on the wire. */
export const GROUP_KINDS = [
  "open", // members publish what they like
  "training", // rounds of training a model together
  "alert", // warnings, whose severity is their priority
  "vote", // proposals and ballots
  "broadcast", // admins publish, others listen
] as const;

/** One of {@link GROUP_KINDS}. */
export type GroupKind = typeof GROUP_KINDS[number];

/** What a group holds its members to: part of its MLS group context, so that all members have the same. */
export interface GroupRules {
  /** What it is for. */
  readonly kind: GroupKind;
  /** What it is called: 0 to 128 characters. */
  readonly name: string;
  /** Who may do what others may not: 1 to 64 agents. */
  readonly admins: readonly AgentId[];
  /** Whether only admins add members. */
  readonly isAdminOnlyAdd: boolean;
  /** Whether only admins remove members. */
  readonly isAdminOnlyRemove: boolean;
  /** Most members: 1 to 1,000. */
  readonly maxMembers: number;
  /** Weights of members that have not weight 1: 0 to 1,000,000 by agent id as text, of at most 1,000 agents. */
  readonly weights: ReadonlyMap<string, number>;
}

/** What a commit did. */
export interface CommitEffect {
  /** Who made it. */
  readonly committer: AgentId;
  /** Members before it. */
  readonly before: readonly AgentId[];
  /** Members behind it; `undefined` if we are not one of them, and cannot see. */
  readonly after: readonly AgentId[] | undefined;
  /** Rules behind it. */
  readonly rules: GroupRules;
}

/** Why a commit breaks the rules of its group. */
export type CommitFault =
  | "not_a_member" // its committer was none, and does not replace its own leaf
  | "adding" // only admins add
  | "removing" // only admins remove others
  | "too_many" // more members than allowed
  | "twice" // an agent is a member twice
  | "ruling"; // only admins change the rules

const FIELDS = 6;
const MAX_NAME = 128;
const MAX_ADMINS = 64;
const MAX_MEMBERS = 1_000;
const MAX_WEIGHT = 1_000_000;
const ADD = 1;
const REMOVE = 2;
const read = new FieldReader("group rules");

/** Rules of a new group: `admin` is its only admin, everyone may add and remove, and 100 members are most. */
export function rulesOf(
  admin: AgentId,
  fields: Partial<GroupRules> & Pick<GroupRules, "kind">,
): GroupRules {
  return {
    name: "",
    admins: [admin],
    isAdminOnlyAdd: false,
    isAdminOnlyRemove: false,
    maxMembers: 100,
    weights: new Map(),
    ...fields,
  };
}

/**
 * Encodes rules.
 *
 * ```text
 * CBOR array, deterministic: kind (0 open, 1 training, 2 alert, 3 vote, 4 broadcast), name, array of 1 to 64 × 32B admin,
 *    flags (1: admins add, 2: admins remove), most members, array of [32B agent, weight]
 * ```
 *
 * @throws {RangeError} If a field is out of range.
 */
export function encodeRules(rules: GroupRules): Bytes {
  const bytes = encodeCbor([
    GROUP_KINDS.indexOf(rules.kind),
    rules.name,
    rules.admins.map(({ bytes }) => bytes),
    (rules.isAdminOnlyAdd ? ADD : 0) | (rules.isAdminOnlyRemove ? REMOVE : 0),
    rules.maxMembers,
    [...rules.weights].map(([agent, weight]) => [
      AgentId.parse(agent).bytes,
      weight,
    ]),
  ]);
  try {
    decodeRules(bytes);
  } catch (cause) {
    throw new RangeError("Rules are out of range", { cause });
  }
  return bytes;
}

/**
 * Decodes rules; they keep nothing of `bytes`.
 *
 * @throws {DecodeError} If they are malformed.
 */
export function decodeRules(bytes: Uint8Array): GroupRules {
  const [kind, name, admins, flags, maxMembers, weights] = read.items(
    bytes,
    FIELDS,
    { maxDepth: 3, maxItems: FIELDS + MAX_ADMINS + 3 * MAX_MEMBERS },
  );
  const bits = read.unsigned(flags!);
  if (bits > (ADD | REMOVE)) throw read.malformed("want known flags");
  const most = read.unsigned(maxMembers!);
  if (most < 1 || most > MAX_MEMBERS) {
    throw read.malformed(`want 1 to ${MAX_MEMBERS} members`);
  }
  return {
    kind: read.name(kind!, GROUP_KINDS),
    name: read.text(name!, MAX_NAME),
    admins: read.array(admins!, MAX_ADMINS, 1).map(agentOf),
    isAdminOnlyAdd: (bits & ADD) !== 0,
    isAdminOnlyRemove: (bits & REMOVE) !== 0,
    maxMembers: most,
    weights: new Map(
      read.array(weights!, MAX_MEMBERS).map((each) => {
        const [agent, weight] = read.array(each, 2, 2);
        const value = read.unsigned(weight!);
        if (value > MAX_WEIGHT) throw read.malformed("want a lower weight");
        return [`${agentOf(agent!)}`, value] as const;
      }),
    ),
  };
}

/** Whether an agent is an admin. */
export function isAdmin(rules: GroupRules, agent: AgentId): boolean {
  return rules.admins.some((each) => each.equals(agent));
}

/** Weights of members, by agent. */
export function weightsOf(
  rules: GroupRules,
  members: readonly AgentId[],
): ReadonlyMap<string, number> {
  return new Map(
    members.map((each) => [`${each}`, rules.weights.get(`${each}`) ?? 1]),
  );
}

/** What is wrong with a commit under the rules of the epoch that it was made for. */
export function commitFault(
  rules: GroupRules,
  { committer, before, after, rules: next }: CommitEffect,
): CommitFault | undefined {
  const was = new Set(before.map(String));
  if (!was.has(`${committer}`)) return "not_a_member";
  const isAllowed = isAdmin(rules, committer);
  // We cannot see the rest: those who stay can.
  if (!after) {
    return rules.isAdminOnlyRemove && !isAllowed ? "removing" : undefined;
  }
  const is = new Set(after.map(String));
  if (is.size !== after.length) return "twice";
  if (after.length > rules.maxMembers && is.size > was.size) return "too_many";
  const isAdding = [...is].some((each) => !was.has(each));
  if (isAdding && rules.isAdminOnlyAdd && !isAllowed) return "adding";
  const isRemoving = [...was].some((each) => !is.has(each));
  if (isRemoving && rules.isAdminOnlyRemove && !isAllowed) return "removing";
  if (!isAllowed && !isSame(rules, next)) return "ruling";
}

function isSame(a: GroupRules, b: GroupRules): boolean {
  return encodeRules(a).toHex() === encodeRules(b).toHex();
}

function agentOf(value: Parameters<FieldReader["bytes"]>[0]): AgentId {
  return new AgentId(read.bytes(value, AGENT_ID_LENGTH));
}
