import { type Bundle, decodeBundle } from "../bundle/bundle.ts";
import { QUIRKS } from "../bundle/quirk.ts";

/**
 * Reads the bytes of a store: what was taken once is read, even if the node has become stricter since.
 *
 * @throws {BundleError} If the disk has damaged them.
 */
export function decodeStored(bytes: Uint8Array): Bundle {
  return decodeBundle(bytes, { quirks: QUIRKS });
}
