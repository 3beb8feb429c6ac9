import type { Bytes } from "../../core/bytes/mod.ts";
import type { AgentId } from "../identity/agent_id.ts";
import type { Priority } from "../message/message.ts";
import type { Evidence } from "./group_evidence.ts";
import type { DueRow } from "./group_rows.ts";

/** What a member's part of a group wants done, or says. */
export type GroupOutput =
  | {
    readonly kind: "send"; // bytes for another agent
    readonly to: AgentId;
    readonly bytes: Bytes;
    readonly priority: Priority;
    /** How long it is of use, in milliseconds; as long as messages of groups are if absent. */
    readonly lifetimeMs?: number;
    /** The epoch to which they let it in, in hexadecimal, if they do: they come again until the outbox has them. */
    readonly welcome?: string;
  }
  | { readonly kind: "due"; readonly row: DueRow } // a member published something
  | {
    readonly kind: "epoch"; // the newest epoch is another
    readonly epoch: number;
    /** Whether the one before it does not count any more. */
    readonly isRollback: boolean;
    readonly members: readonly AgentId[];
    /** Whether we are one of them. */
    readonly isMember: boolean;
  }
  | { readonly kind: "evidence"; readonly evidence: Evidence }
  | { readonly kind: "healing"; readonly from: AgentId }; // ours is the lesser branch of an old fork, `from` is on the other

/** What a member's part of a group did with what came. */
export interface GroupCounts {
  /** Messages that do not decode, or whose signature does not verify. */
  malformed: number;
  /** Messages that MLS does not take. */
  invalid: number;
  /** Commits and acknowledgements that were here. */
  copies: number;
  /** Commits for epochs before those kept. */
  stale: number;
  /** Commits for epochs that the members have decided about. */
  late: number;
  /** Commits that enough better ones beat. */
  beaten: number;
  /** Commits that break the rules of the group. */
  forbidden: number;
  /** Commits that lost after they had been part of the branch that counted. */
  rolledBack: number;
  /** Messages for which there was no room while they waited for an epoch. */
  unparked: number;
  /** Messages that waited for an epoch that never came. */
  abandoned: number;
  /** Application messages of epochs that are not kept. */
  tooOld: number;
  /** Application messages of branches that do not count. */
  fromDeadBranch: number;
  /** Application messages read. */
  read: number;
  /** Application messages for which there was no room, as too many wait for a handler. */
  full: number;
  /** Copies of application messages that were read. */
  copiesRead: number;
  /** Application messages that break the rules of the group, or of one that is no member any more. */
  unwelcome: number;
  /** Messages of those who are no members. */
  strangers: number;
  /** Wishes given up, as they break the rules or their key package is of no use. */
  unfulfilled: number;
}

/** Counts that start at 0. */
export function noCounts(): GroupCounts {
  return {
    ...{ malformed: 0, invalid: 0, copies: 0, stale: 0, late: 0, beaten: 0 },
    ...{ forbidden: 0, rolledBack: 0, unparked: 0, abandoned: 0, tooOld: 0 },
    ...{ fromDeadBranch: 0, read: 0, full: 0, copiesRead: 0, unwelcome: 0 },
    ...{ strangers: 0, unfulfilled: 0 },
  };
}
