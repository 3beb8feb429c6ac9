/**
 * Delay-tolerant networking: bundles of Bundle Protocol version 7 (RFC 9171), and the layers that carry them.
 * @module
 */
export * as bpsec from "./bpsec/mod.ts";
export type { BpsecErrorCode } from "./bpsec/error.ts";
export type {
  SecurityPolicy,
  SecurityVerdict,
} from "./bpsec/security_policy.ts";
export * as capture from "./capture/mod.ts";
export * as cla from "./cla/mod.ts";
export { BLOCK_FLAG } from "./bundle/block_flags.ts";
export {
  type Bundle,
  bundleSize,
  decodeBundle,
  encodeBundle,
  payloadOf,
} from "./bundle/bundle.ts";
export { BUNDLE_FLAG, REPORT_FLAGS } from "./bundle/bundle_flags.ts";
export { BLOCK_TYPE, type CanonicalBlock } from "./bundle/canonical_block.ts";
export { crc16X25, crc32c, CRC_TYPE, type CrcType } from "./bundle/crc.ts";
export {
  type BundleInit,
  createBundle,
  type ExtensionInit,
} from "./bundle/create_bundle.ts";
export { Eid, type EidScheme } from "./bundle/eid.ts";
export { decodeEid, encodeEid } from "./bundle/eid_codec.ts";
export { BundleError, type BundleErrorCode } from "./bundle/error.ts";
export {
  blockOfType,
  bundleAgeOf,
  encodeBundleAge,
  encodeHopCount,
  type HopCount,
  hopCountOf,
  previousNodeOf,
  withBundleAge,
  withExtension,
  withHopCount,
  withPreviousNode,
} from "./bundle/extension_blocks.ts";
export {
  type CreationTimestamp,
  encodePrimaryBlock,
  type FragmentRange,
  type PrimaryBlock,
} from "./bundle/primary_block.ts";
export { type BundleOptions, type Quirk, QUIRKS } from "./bundle/quirk.ts";
export {
  type ReceptionFault,
  receptionFaults,
} from "./bundle/reception_rules.ts";
export {
  applyBlockFlags,
  type BlockFlagsOutcome,
} from "./bundle/apply_block_flags.ts";
export { bundleId } from "./bundle/bundle_id.ts";
export { CreationTimestamps, dtnTime, unixTime } from "./bundle/dtn_time.ts";
export { fragmentBundle } from "./bundle/fragment.ts";
export { type LocalTime, remainingLifetimeMs } from "./bundle/lifetime.ts";
export {
  PIECE_OVERHEAD_BYTES,
  Reassembly,
  type ReassemblyDrop,
  type ReassemblyLimits,
  type ReassemblyOutcome,
} from "./bundle/reassembly.ts";
export {
  ADMIN_RECORD_TYPE,
  adminRecordType,
  decodeStatusReport,
  encodeStatusReport,
  REPORT_REASON,
  type Status,
  STATUSES,
  type StatusReport,
  statusReportOn,
} from "./bundle/status_report.ts";
export type { Uint } from "./bundle/uint.ts";
export { ContactError, type ContactErrorCode } from "./cla/contact_error.ts";
export type {
  Contact,
  ContactCounts,
  ContactListener,
  ConvergenceLayer,
  ReceivedBundle,
  RefusalReason,
  SendOutcome,
} from "./cla/convergence_layer.ts";
export type { ConnectionLayerOptions } from "./cla/connection_layer.ts";
export type { WindowOptions } from "./cla/window.ts";
export type { SessionPolicy } from "./tcpcl/options.ts";
export { TcpclError, type TcpclErrorCode } from "./tcpcl/error.ts";
export {
  type Secure,
  TcpclLayer,
  type TcpclOptions,
} from "./tcpcl/tcpcl_layer.ts";
export { HttpLayer, type HttpOptions } from "./http/http_layer.ts";
export { MtcpLayer, type MtcpOptions } from "./mtcp/mtcp_layer.ts";
export { UdpLayer, type UdpOptions } from "./udp/udp_layer.ts";
export type { BundleEntry, Place, Priority } from "./store/bundle_entry.ts";
export {
  BundleStore,
  type BundleStoreOptions,
  type PutOutcome,
} from "./store/bundle_store.ts";
export {
  BUNDLE_STORE_LIMITS,
  type BundleStoreLimits,
  type StoreRefusal,
} from "./store/store_limits.ts";
export {
  type ContactGraph,
  contactGraph,
  type ContactGraphOptions,
  type ContactGraphRouter,
  contactGraphRouter,
  type ContactRoute,
  earliestArrival,
  type EpidemicOptions,
  epidemicRouter,
  formatContactPlan,
  type NextHop,
  parseContactPlan,
  parseStaticRoutes,
  type PlannedContact,
  PROPHET,
  type ProphetOptions,
  prophetRouter,
  type RoutedBundle,
  type RouteDecision,
  type RouteQuery,
  type Router,
  type RouterMessage,
  type SprayOptions,
  sprayRouter,
  type StaticRoute,
  staticRouter,
} from "./routing/mod.ts";
export {
  type LyapunovOptions,
  lyapunovScheduler,
} from "./schedule/lyapunov_scheduler.ts";
export {
  deadlineScheduler,
  fifoScheduler,
  type OrderedSchedulerOptions,
} from "./schedule/ordered_scheduler.ts";
export type {
  ContactCost,
  ScheduledBundle,
  Scheduler,
} from "./schedule/scheduler.ts";
export * as files from "./files/mod.ts";
export * as simulation from "./simulation/mod.ts";
export { type Encryption, encryptionOf } from "./guard/plaintext_guard.ts";
export {
  isStrictlyPrivate,
  PRIVACY_BLOCK_TYPE,
  withStrictPrivacy,
} from "./guard/privacy_guard.ts";
export {
  type Delivery,
  type DeliverySource,
  DtnNode,
  DtnNodeError,
  type DtnNodeErrorCode,
  type DtnNodeOptions,
  NODE_DROPS,
  type NodeCounts,
  type NodeDrop,
  type Registration,
  type SendBundleOptions,
  type SendingCost,
} from "./node/mod.ts";
export { restApp, type RestAppOptions } from "./app/mod.ts";
