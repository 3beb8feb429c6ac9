/**
 * Groups of agents: MLS (RFC 9420) for keys, and one order of commits that all members find by themselves.
 *
 * @module
 */
export {
  Group,
  type GroupEvent,
  type GroupOptions,
  type Published,
  type PublishedId,
  type PublishOptions,
  type Subscriber,
} from "./group.ts";
export {
  Groups,
  type GroupSettings,
  type GroupsOptions,
  type Invitation,
} from "./groups.ts";
export { GROUP_KINDS, type GroupKind, type GroupRules } from "./group_rules.ts";
export {
  type Alert,
  ALERT_SEVERITIES,
  type AlertSeverity,
  type TrainingPayloads,
} from "./kind_rules.ts";
export {
  decodeEvidence,
  encodeEvidence,
  type Evidence,
  EVIDENCE_KINDS,
  type EvidenceKind,
  type EvidenceLog,
  isEquivocation,
} from "./group_evidence.ts";
export type {
  Ballot,
  Choice,
  Proposal,
  SignedBallot,
  SignedProposal,
} from "./ballot.ts";
export { type Tally, verifyTally } from "./tally.ts";
export {
  type ProposeOptions,
  type VoteCounts,
  Votes,
  type VoteSettings,
  type VotesOptions,
} from "./votes.ts";
export { MlsGroupCrypto } from "./mls/mls_group_crypto.ts";
export type * from "./mls/group_crypto.ts";
export type { GroupCipherSuite } from "./mls/cipher_suite.ts";
export type { CommitRank } from "./commit_rank.ts";
export type {
  BranchLimits,
  GroupBranches,
  GroupEpoch,
  NewEpoch,
  Placing,
} from "./group_branches.ts";
export type { GroupHistory } from "./group_history.ts";
export type { GroupCounts, GroupOutput } from "./group_output.ts";
export type {
  AckRow,
  DueRow,
  GroupRows,
  GroupRowsOptions,
  SentRow,
} from "./group_rows.ts";
export type {
  GroupSession,
  GroupSessionOptions,
  GroupTimes,
} from "./group_session.ts";
export type { Held } from "./held_epoch.ts";
export type { PublishedMessage } from "./published_message.ts";
export type { Change, Wish } from "./wish.ts";
