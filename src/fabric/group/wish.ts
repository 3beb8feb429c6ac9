import { type Bytes, encodeCbor } from "../../core/bytes/mod.ts";
import { FieldReader } from "../field_reader.ts";
import { AGENT_ID_LENGTH, AgentId } from "../identity/agent_id.ts";
import { encodeRules } from "./group_rules.ts";
import type { Held } from "./held_epoch.ts";

/** What a member wants a commit to do. */
export type Change =
  | {
    readonly kind: "add";
    readonly agent: AgentId;
    readonly keyPackage: Bytes;
  }
  | { readonly kind: "remove"; readonly agent: AgentId }
  | { readonly kind: "rules"; readonly rules: Bytes }
  | { readonly kind: "update" }; // new keys of its own

/** A change that a member wants until it is part of the branch that counts, for good. */
export interface Wish {
  /** Its place among the wishes. */
  readonly sequence: number;
  /** What is wanted. */
  readonly change: Change;
  /** When it may be committed, in milliseconds since 1970-01-01 UTC. */
  readonly notBeforeMs: number;
  /** How often it was committed in vain. */
  readonly attempts: number;
  /** The epoch that fulfilled it, in hexadecimal; it is wanted again if that loses. */
  readonly by: string | undefined;
}

const KINDS = ["add", "remove", "rules", "update"] as const;
const MAX_BYTES = 1024 * 1024;
const read = new FieldReader("wish");

/** Whether a change is made in an epoch; new keys are made by nobody else. */
export function isFulfilled(change: Change, { members, rules }: Held): boolean {
  switch (change.kind) {
    case "add":
      return members.some((each) => each.equals(change.agent));
    case "remove":
      return !members.some((each) => each.equals(change.agent));
    case "rules":
      return encodeRules(rules).toHex() === change.rules.toHex();
    case "update":
      return false;
  }
}

/** A wish as it is stored. */
export function encodeWish(
  { sequence, change, notBeforeMs, attempts, by }: Wish,
): Bytes {
  const { kind } = change;
  return encodeCbor([
    ...[sequence, notBeforeMs, attempts],
    by === undefined ? null : Uint8Array.fromHex(by),
    KINDS.indexOf(kind),
    kind === "add" || kind === "remove" ? change.agent.bytes : null,
    kind === "add" ? change.keyPackage : kind === "rules" ? change.rules : null,
  ]);
}

/** What {@link encodeWish} gave. */
export function decodeWish(bytes: Uint8Array): Wish {
  const [sequence, notBeforeMs, attempts, by, kind, agent, rest] = read.items(
    bytes,
    7,
    { maxDepth: 1, maxItems: 8 },
  );
  const name = read.name(kind!, KINDS);
  const whom = () => new AgentId(read.bytes(agent!, AGENT_ID_LENGTH));
  const more = () => read.bytesUpTo(rest!, MAX_BYTES);
  const changes: Record<typeof name, () => Change> = {
    add: () => ({ kind: "add", agent: whom(), keyPackage: more() }),
    remove: () => ({ kind: "remove", agent: whom() }),
    rules: () => ({ kind: "rules", rules: more() }),
    update: () => ({ kind: "update" }),
  };
  return {
    sequence: read.unsigned(sequence!),
    notBeforeMs: read.unsigned(notBeforeMs!),
    attempts: read.unsigned(attempts!),
    by: by === null ? undefined : read.bytesUpTo(by!, 32).toHex(),
    change: changes[name](),
  };
}
