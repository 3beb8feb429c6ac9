/**
 * HTX: Betanet 1.1's covert, multiplexed, encrypted transport.
 *
 * A client shows a ticket in an ordinary web request; who has none sees a decoy. Behind it follow Noise XK with ML-KEM-768, and streams.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { htx } from "@aivillage/betanet";
 *
 * const policy = htx.parseTicketPolicy("v1; carriers=cookie:0.5,query:0.3,body:0.2; len=24..64");
 * assertEquals(policy, htx.DEFAULT_TICKET_POLICY);
 * ```
 *
 * @module
 */
export {
  type Carrier,
  CARRIERS,
  findTicket,
  makeTicketRequest,
  type NoTicket,
  type OutgoingTicketRequest,
  type TicketRequest,
  type TicketRequestOptions,
} from "./carrier.ts";
export {
  Calibrations,
  type CalibrationsOptions,
  type OriginTraits,
} from "./calibration.ts";
export { dialHtx, type DialHtxOptions } from "./client.ts";
export { Decoy, type DecoyCounts, type DecoyOptions } from "./decoy.ts";
export {
  decoySite,
  placeholderSite,
  type SiteFiles,
  type SiteHandler,
} from "./decoy_site.ts";
export type { Duplex } from "./duplex.ts";
export { HtxError, type HtxErrorCode } from "./error.ts";
export {
  type Cover,
  Fallback,
  type FallbackEvent,
  type FallbackOptions,
  type Retry,
} from "./fallback.ts";
export {
  Gate,
  GATE_REASONS,
  type GateOptions,
  type GateReason,
  type GateVerdict,
  type GateVisit,
} from "./gate.ts";
export { HYBRID_REQUIRED_FROM_MS, PROTOCOL_ID, SUITE } from "./handshake.ts";
export type { Http2OuterOptions } from "./http2_outer.ts";
export type { Http2Greeting } from "./http2_search.ts";
export {
  type ClientParts,
  exposeClient,
  exposeServer,
  type LatencyHooks,
  latencyHooks,
  type ServerParts,
} from "./metrics.ts";
export type { MuxStats } from "./mux.ts";
export {
  type Admission,
  type Outer,
  plainOuter,
  type Visit,
  webSocketOuter,
} from "./outer.ts";
export {
  DEFAULT_PARAMETERS,
  PARAMETER_RANGE,
  type ParameterRange,
  type Parameters,
} from "./parameters.ts";
export { CLOSE_CODE, type CloseInfo } from "./payload.ts";
export {
  formatServiceUri,
  parseServiceUri,
  peerId,
  type ServiceUri,
} from "./peer_id.ts";
export {
  greetingOf,
  type PageVisit,
  type PageVisitOptions,
  visitPage,
} from "./page_visit.ts";
export {
  formatPeerRecord,
  MAX_PEER_RECORD_LENGTH,
  parsePeerRecord,
  type PeerRecord,
  type PeerRecordCheck,
  signPeerRecord,
  verifyPeerRecord,
} from "./peer_record.ts";
export { type Protocol, PROTOCOLS } from "./protocol_tally.ts";
export { REKEY_LIMITS, type RekeyLimits } from "./protection.ts";
export {
  ReplayMemory,
  type ReplayMemoryOptions,
  type ReplayStore,
  type ReplayVerdict,
} from "./replay.ts";
export {
  HtxServer,
  type HtxServerCounts,
  type HtxServerOptions,
} from "./server.ts";
export {
  type CloseOptions,
  Session,
  type SessionEnd,
  type SessionOptions,
} from "./session.ts";
export type { DatagramStats, SessionDatagrams } from "./session_datagrams.ts";
export {
  SessionDialer,
  type SessionDialerCounts,
  type SessionDialerOptions,
} from "./session_dialer.ts";
export { SHAPING, type ShapingOptions } from "./shaping.ts";
export { Stream } from "./stream.ts";
export { DEFAULT_WEIGHT, MAX_WEIGHT, MIN_WEIGHT } from "./stream_state.ts";
export {
  decodeTicket,
  makeTicket,
  type NewTicket,
  type Ticket,
  TICKET_FIXED_LENGTH,
} from "./ticket.ts";
export {
  makeTicketKey,
  type TicketKey,
  TicketKeyRing,
  type TicketKeyRotation,
} from "./ticket_key_ring.ts";
export {
  DEFAULT_TICKET_POLICY,
  drawCarrier,
  formatTicketOffer,
  formatTicketPolicy,
  parseTicketOffer,
  parseTicketPolicy,
  type TicketOffer,
  type TicketPolicy,
} from "./ticket_policy.ts";
export { type TokenBucketOptions, TokenBuckets } from "./token_bucket.ts";
export type { SessionTotals } from "./totals.ts";
export type { SpliceEnd } from "./splice.ts";
export { tlsOuter, type TlsOuterOptions } from "./tls_outer.ts";
export * as tunnel from "./tunnel/mod.ts";
export type { TunnelStats } from "./tunnel/stats.ts";
// What a server or a client is put together from besides the above.
export {
  type CryptoProvider,
  defaultProvider,
  generateX25519,
  Secret,
  type X25519KeyPair,
  x25519KeyPair,
} from "../core/crypto/mod.ts";
export { Metrics } from "../core/metrics/mod.ts";
export { memoryStore, sqliteStore, type Store } from "../core/storage/mod.ts";
export {
  type Address,
  type CertificatePem,
  type Connection,
  dial,
  listen,
  type Listener,
  resolveHost,
  selfSigned,
} from "../core/transport/mod.ts";
