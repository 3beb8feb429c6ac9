/**
 * Agents that address each other by identity, and messages that get through: live over HTX, or later as bundles.
 *
 * @module
 */
export { FABRIC_ERRORS, FabricError, type FabricErrorCode } from "./error.ts";
export { Agent } from "./identity/agent.ts";
export { AgentId } from "./identity/agent_id.ts";
export { endpointOf, formatAgentName } from "./identity/agent_name.ts";
export { parseAgentName } from "./identity/agent_name.ts";
export type { AgentName } from "./identity/agent_name.ts";
export { formatAgentRecord } from "./identity/agent_record.ts";
export { parseAgentRecord, signAgentRecord } from "./identity/agent_record.ts";
export { verifyAgentRecord } from "./identity/agent_record.ts";
export type { AgentNode, AgentRecord } from "./identity/agent_record.ts";
export { AgentBook } from "./identity/agent_book.ts";
export type { AgentBookOptions, KnownAgent } from "./identity/agent_book.ts";
export {
  decodeMessage,
  encodeMessage,
  MAX_PAYLOAD_BYTES,
  type Message,
  MESSAGE_KINDS,
  type MessageKind,
  type MessageOrder,
  PRIORITIES,
  type Priority,
} from "./message/message.ts";
export { openMessage, SEALED_OVERHEAD } from "./message/sealed_message.ts";
export { sealMessage } from "./message/sealed_message.ts";
export {
  formatReceipts,
  MAX_RECEIPTS,
  parseReceipts,
  type Receipt,
  RECEIPT_STATES,
  type ReceiptState,
  signReceipts,
  verifyReceipts,
} from "./receipt/receipt.ts";
export { ReceiptLog, type ReceiptLogOptions } from "./receipt/receipt_log.ts";
export { chooseWay } from "./way/choose_way.ts";
export type { WayChoice, WayFacts, WayName } from "./way/choose_way.ts";
export { Fabric } from "./agent/fabric.ts";
export type { ResentMessage, SentMessage } from "./agent/sent_message.ts";
export type { SendOptions, StreamOptions } from "./agent/new_message.ts";
export type { Handler, Incoming } from "./agent/handlers.ts";
export { FabricNode } from "./node/fabric_node.ts";
export type { FabricNodeOptions, JoinOptions } from "./node/fabric_node.ts";
export type { FabricOptions } from "./agent/fabric.ts";
export type { FabricStream } from "./stream/fabric_stream.ts";
export type {
  StreamCounts,
  StreamHandler,
  StreamLimits,
} from "./stream/streams.ts";
export type {
  BundleWay,
  Delivery,
  DeliveryEvents,
  DeliveryOptions,
  LiveWay,
} from "./agent/delivery.ts";
export type { Handled, Handlers } from "./agent/handlers.ts";
export type { ReceiptsDue } from "./agent/receipts_due.ts";
export type {
  Reception,
  ReceptionCounts,
  ReceptionOptions,
  Route,
} from "./agent/reception.ts";
export type { Admission, Inbox, InboxLimits, Kept } from "./inbox/inbox.ts";
export type { Outcome } from "./inbox/inbox_rows.ts";
export type { BundleBridgeCounts } from "./node/bundle_bridge.ts";
export type { BundlePort } from "./node/bundle_port.ts";
export type { FabricNodeCounts } from "./node/fabric_node.ts";
export type { DialNode, Links, LinksCounts } from "./node/links.ts";
export type { LinksOptions } from "./node/links.ts";
export type {
  AcceptOptions,
  Outbox,
  OutboxCounts,
  OutboxLimits,
  OutgoingMessage,
} from "./outbox/outbox.ts";
export type { DeadLetter, OutboxEntry } from "./outbox/outbox_rows.ts";
export type { Hello, Status, StatusCode } from "./rpc/frame.ts";
export type {
  RpcLink,
  RpcLinkOptions,
  SendLiveOptions,
  Sent,
} from "./rpc/rpc_link.ts";
export { defineService } from "./service/service.ts";
export type {
  Method,
  Methods,
  NotifyMethod,
  RequestMethod,
  Service,
  StreamMethod,
} from "./service/service.ts";
export { serve } from "./service/serve.ts";
export type { Implementation, Implementations } from "./service/serve.ts";
export { type Call, type Client, client } from "./service/client.ts";
export type { TypedStream } from "./service/typed_stream.ts";
export type {
  InputOf,
  OutputOf,
  Schema,
  SchemaIssue,
  SchemaResult,
} from "./service/schema.ts";
export { agentApp, type AgentAppOptions } from "./app/agent_app.ts";
export { AgentGroups } from "./app/agent_groups.ts";
export type { Follower, GroupFeed } from "./app/group_feed.ts";
export { Mailboxes } from "./app/mailboxes.ts";
export type { Letter, LetterTaker, Mailbox } from "./app/mailbox.ts";
export { Group } from "./group/group.ts";
export type { GroupEvent, GroupOptions, Published } from "./group/group.ts";
export type { PublishedId, PublishOptions, Subscriber } from "./group/group.ts";
export { Groups } from "./group/groups.ts";
export type { GroupSettings, GroupsOptions } from "./group/groups.ts";
export type { Invitation } from "./group/groups.ts";
export { GROUP_KINDS } from "./group/group_rules.ts";
export type { GroupKind, GroupRules } from "./group/group_rules.ts";
export { ALERT_SEVERITIES } from "./group/kind_rules.ts";
export type { Alert, AlertSeverity } from "./group/kind_rules.ts";
export type { TrainingPayloads } from "./group/kind_rules.ts";
export { decodeEvidence, encodeEvidence } from "./group/group_evidence.ts";
export { formatEvidence, parseEvidence } from "./group/group_evidence.ts";
export { EVIDENCE_KINDS, isEquivocation } from "./group/group_evidence.ts";
export type { Evidence, EvidenceKind } from "./group/group_evidence.ts";
export type { EvidenceLog } from "./group/group_evidence.ts";
export { CHOICES, isDoubleBallot } from "./group/ballot.ts";
export type { Ballot, Choice, Proposal, SignedBallot } from "./group/ballot.ts";
export type { SignedProposal } from "./group/ballot.ts";
export { formatTally, parseTally, verifyTally } from "./group/tally.ts";
export type { Tally } from "./group/tally.ts";
export { Votes } from "./group/votes.ts";
export type { ProposeOptions, VoteCounts } from "./group/votes.ts";
export type { VoteSettings, VotesOptions } from "./group/votes.ts";
export { MlsGroupCrypto } from "./group/mls/mls_group_crypto.ts";
export type { CommitChanges, GroupCrypto } from "./group/mls/group_crypto.ts";
export type { GroupMember } from "./group/mls/group_crypto.ts";
export type { GroupMessageHeader } from "./group/mls/group_crypto.ts";
export type { GroupState } from "./group/mls/group_crypto.ts";
export type { KeyPackageContent } from "./group/mls/group_crypto.ts";
export type { MadeCommit, MadeKeyPackage } from "./group/mls/group_crypto.ts";
export type { PendingProposal, Processed } from "./group/mls/group_crypto.ts";
export type { ProposedChange } from "./group/mls/group_crypto.ts";
export { GROUP_CIPHER_SUITES } from "./group/mls/cipher_suite.ts";
export type { GroupCipherSuite } from "./group/mls/cipher_suite.ts";
export type { CommitRank } from "./group/commit_rank.ts";
export type { BranchLimits, GroupBranches } from "./group/group_branches.ts";
export type { GroupEpoch, NewEpoch, Placing } from "./group/group_branches.ts";
export type { GroupHistory } from "./group/group_history.ts";
export type { GroupCounts, GroupOutput } from "./group/group_output.ts";
export type { AckRow, DueRow, GroupRows } from "./group/group_rows.ts";
export type {
  GroupRowsOptions,
  SentRow,
  WelcomeRow,
} from "./group/group_rows.ts";
export type { GroupSession } from "./group/group_session.ts";
export type { GroupSessionOptions } from "./group/session_parts.ts";
export type { GroupTimes } from "./group/group_times.ts";
export type { LostFork } from "./group/old_forks.ts";
export type { Held } from "./group/held_epoch.ts";
export type { PublishedMessage } from "./group/published_message.ts";
export type { Change, Wish } from "./group/wish.ts";
export type { JoinedEpoch } from "./group/group_start.ts";
