/**
 * Bundles in capture files.
 *
 * @module
 */
export type { CarriedBundle } from "./bundle_stream.ts";
export {
  type BundleDrop,
  bundlesIn,
  type CaptureBundles,
  type FoundBundle,
} from "./bundles_in.ts";
