/**
 * Agents that address each other by identity, and messages that get through: live over HTX, or later as bundles.
 *
 * @module
 */
export { FABRIC_ERRORS, FabricError, type FabricErrorCode } from "./error.ts";
export { Agent } from "./identity/agent.ts";
export { AgentId } from "./identity/agent_id.ts";
export {
  type AgentName,
  endpointOf,
  formatAgentName,
  parseAgentName,
} from "./identity/agent_name.ts";
export {
  type AgentNode,
  type AgentRecord,
  formatAgentRecord,
  parseAgentRecord,
  signAgentRecord,
  verifyAgentRecord,
} from "./identity/agent_record.ts";
export {
  AgentBook,
  type AgentBookOptions,
  type KnownAgent,
} from "./identity/agent_book.ts";
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
export {
  openMessage,
  SEALED_OVERHEAD,
  sealMessage,
} from "./message/sealed_message.ts";
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
export {
  chooseWay,
  type WayChoice,
  type WayFacts,
  type WayName,
} from "./way/choose_way.ts";
export { Fabric, type SendOptions, type SentMessage } from "./agent/fabric.ts";
export type { Handler, Incoming } from "./agent/handlers.ts";
export {
  FabricNode,
  type FabricNodeOptions,
  type JoinOptions,
} from "./node/fabric_node.ts";
export type { FabricOptions, StreamOptions } from "./agent/fabric.ts";
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
export type { DialNode, Links, LinksOptions } from "./node/links.ts";
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
export {
  type Implementation,
  type Implementations,
  serve,
} from "./service/serve.ts";
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
export { Mailboxes } from "./app/mailboxes.ts";
export type { Letter, LetterTaker, Mailbox } from "./app/mailbox.ts";
export * from "./group/mod.ts";
