import type { Bytes } from "../../core/bytes/mod.ts";
import { type Bundle, decodeBundle, encodeBundle } from "../bundle/bundle.ts";
import { QUIRKS } from "../bundle/quirk.ts";

/**
 * Reads the bytes of a store: what was taken once is read, even if the node has become stricter since.
 *
 * @throws {BundleError} If the disk has damaged them.
 */
export function decodeStored(bytes: Uint8Array): Bundle {
  return decodeBundle(bytes, { quirks: QUIRKS });
}

/** The bytes of a bundle that {@link decodeStored} read, as it is or with blocks that changed: what was overlooked in it still is. */
export function encodeStored(bundle: Bundle): Bytes {
  return encodeBundle(bundle, { quirks: QUIRKS });
}
