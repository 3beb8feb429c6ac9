/**
 * A Sphinx mixnet.
 *
 * @module
 */
export * as beacon from "./beacon/mod.ts";
export * as directory from "./directory/mod.ts";
export type { ClientCounts, ClientDrop } from "./client/client_counts.ts";
export { CLIENT_LIMITS, type ClientLimits } from "./client/client_limits.ts";
export {
  DirectoryRoutes,
  type DirectoryRoutesOptions,
  type RouteDocument,
} from "./client/directory_routes.ts";
export { MixClientError, type MixClientErrorCode } from "./client/error.ts";
export type { InboxCounts, InboxLimits } from "./client/inbox.ts";
export type { LoopCounts } from "./client/loop_tally.ts";
export {
  decodeMixAddress,
  encodeMixAddress,
  formatMixAddress,
  MIX_ADDRESS_LENGTH,
  type MixAddress,
  parseMixAddress,
} from "./client/mix_address.ts";
export type { ClientLink } from "./client/gateway_connection.ts";
export {
  MixClient,
  type MixClientOptions,
  type MixClientStats,
  type MixMessage,
  type SendOptions,
} from "./client/mix_client.ts";
export type { ReplyCounts, ReplyLimits } from "./client/replies.ts";
export type { RequestLimits } from "./client/requests.ts";
export type { RoundTripOptions } from "./client/round_trip.ts";
export type { MixRoute, RouteSource } from "./client/route_source.ts";
export type { FrameSink } from "./client/send_paced.ts";
export { MIXNET_ERRORS, MixnetError, type MixnetErrorCode } from "./error.ts";
export {
  Gateway,
  type GatewayCounts,
  type GatewayDrop,
  type GatewayLink,
  type GatewayNode,
  type GatewayOptions,
} from "./gateway/gateway.ts";
export {
  MAILBOX_LIMITS,
  type MailboxCounts,
  type MailboxLimits,
  type MailboxRefusal,
} from "./gateway/mailbox.ts";
export {
  acceptLink,
  type AcceptLinkOptions,
  dialLink,
  type DialLinkOptions,
  type LinkOptions,
} from "./link/dial_link.ts";
export { Egress, type EgressOptions, type EgressStats } from "./link/egress.ts";
export type { FrameRate } from "./link/frame_budgets.ts";
export {
  type CollectedFrame,
  type LinkFrame,
  type MessageFrame,
  type PacketFrame,
  PADDING,
  type PaddingFrame,
} from "./link/link_frame.ts";
export type { LinkHandshakeOptions } from "./link/link_handshake.ts";
export {
  type ConnectionSource,
  LINK_REFUSALS,
  LinkListeners,
  type LinkListenersOptions,
  type LinkListenersStats,
  type LinkRefusal,
} from "./link/link_listeners.ts";
export {
  MixLink,
  type MixLinkOptions,
  type MixLinkStats,
} from "./link/mix_link.ts";
export {
  PacedSender,
  type PacedSenderOptions,
  type PacedSenderStats,
} from "./link/paced_sender.ts";
export type {
  EgressCounts,
  EgressDrop,
  EgressPeer,
  PeerSenderOptions,
} from "./link/peer_sender.ts";
export {
  PoissonTicks,
  type PoissonTicksOptions,
} from "./link/poisson_ticks.ts";
export * as node from "./node/mod.ts";
export { SphinxError, type SphinxErrorCode } from "./sphinx/error.ts";
export {
  COMPACT,
  HEADER_LENGTH,
  REGULAR,
  type SphinxGeometry,
  sphinxGeometry,
} from "./sphinx/geometry.ts";
export type { Route, RouteHop } from "./sphinx/header.ts";
export { createPacket, unwrapPacket, type Unwrapped } from "./sphinx/packet.ts";
export { recoverMessage } from "./sphinx/payload.ts";
export {
  createSurb,
  recoverReply,
  replyPacket,
  SURB_LENGTH,
  type SurbRecovery,
} from "./sphinx/surb.ts";
export {
  VRF_PROOF_LENGTH,
  vrfHash,
  vrfProve,
  vrfPublicKey,
  type VrfSuite,
  vrfVerify,
} from "./vrf/ecvrf.ts";
export {
  type BeaconComponents,
  type BeaconSet,
  beaconSet,
  fallbackBeaconSet,
} from "./beacon/beacon_set.ts";
export { mixSeed, type MixSeedInputs } from "./route/mix_seed.ts";
export {
  type DrawnRoute,
  drawRoute,
  PRIVACY_MODES,
  type PrivacyMode,
  type RouteNode,
  type RoutePlan,
} from "./route/draw_route.ts";
export {
  type ProvableRoute,
  RouteDrawer,
  type RouteDrawerOptions,
} from "./route/route_drawer.ts";
export {
  decodeRouteProof,
  encodeRouteProof,
  formatRouteProof,
  type PacketOrigin,
  parseRouteProof,
  type RouteProof,
  verifyRouteProof,
} from "./route/route_proof.ts";
export {
  type DirectoryDocument,
  type DirectoryNode,
  type DocumentInputs,
  joinDocument,
  makeDocument,
  signDocument,
  verifyDocument,
} from "./directory/directory_document.ts";
export {
  type Directory,
  DocumentHistory,
  type DocumentHistoryOptions,
} from "./directory/document_history.ts";
export type { DocumentTrust } from "./directory/document_trust.ts";
export { EpochKeys, type EpochKeysOptions } from "./directory/epoch_keys.ts";
export { DirectoryError, type DirectoryErrorCode } from "./directory/error.ts";
export type { NetworkParameters } from "./directory/network_parameters.ts";
export {
  type NodeDescriptor,
  type NodeRole,
  signDescriptor,
  verifyDescriptor,
} from "./directory/node_descriptor.ts";
export type { Random } from "./node/draw.ts";
