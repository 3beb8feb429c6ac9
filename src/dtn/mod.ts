/**
 * Delay-tolerant networking: bundles of Bundle Protocol version 7 (RFC 9171).
 *
 * @module
 */
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
export type { Uint } from "./bundle/uint.ts";
