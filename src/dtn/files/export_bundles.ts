import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { type Bundle, decodeBundle, encodeBundle } from "../bundle/bundle.ts";
import type { Eid } from "../bundle/eid.ts";
import type { BundleOptions } from "../bundle/quirk.ts";
import { encryptionOf } from "../guard/plaintext_guard.ts";
import { isStrictlyPrivate } from "../guard/privacy_guard.ts";
import { departing } from "../node/outgoing_bundle.ts";
import {
  bundleFileName,
  type BundleFolder,
  isPart,
  partName,
} from "./bundle_folder.ts";

/** A bundle that a node has. */
export interface ExportedBundle {
  /** Its bytes as they are stored. */
  readonly bytes: Uint8Array;
  /** How long it was there, in milliseconds. */
  readonly residenceMs: number;
}

/** Options of {@link exportBundles}. */
export interface ExportOptions extends Pick<BundleOptions, "quirks"> {
  /** Where the files go. */
  readonly folder: BundleFolder;
  /** The node that has the bundles. */
  readonly nodeId: Eid;
  /** Names files. */
  readonly crypto: CryptoProvider;
  /** Whether a bundle may leave unencrypted; none may by default. */
  readonly allowsPlaintext?: (bundle: Bundle) => boolean;
  /** Whether a bundle wants strict privacy, beside those that are marked: it does not leave. None does by default. */
  readonly wantsPrivacy?: (bundle: Bundle) => boolean;
}

/** What became of the bundles of an export. */
export interface ExportCounts {
  /** Files that were written. */
  readonly written: number;
  /** Bundles whose files were there already. */
  readonly known: number;
  /** Bundles that may not leave, as they are not encrypted. */
  readonly plaintext: number;
  /** Bundles that may not leave, as they want strict privacy. */
  readonly strict: number;
}

/**
 * Writes bundles to a folder as they would leave for a neighbour (RFC 9171 §5.4), each to a file of its own that is there whole or not
 * at all; parts that an export left when it died are removed. The node keeps them: it cannot know who gets the folder.
 *
 * @throws {BundleError} If bytes are no bundle.
 * @throws What the folder does.
 */
export async function exportBundles(
  bundles: AsyncIterable<ExportedBundle>,
  options: ExportOptions,
): Promise<ExportCounts> {
  const { folder, nodeId, crypto, allowsPlaintext, quirks = [] } = options;
  const counts = { written: 0, known: 0, plaintext: 0, strict: 0 };
  const names = new Set(await folder.names());
  for (const name of names) if (isPart(name)) await folder.remove(name);
  for await (const { bytes, residenceMs } of bundles) {
    const bundle = decodeBundle(bytes, { quirks });
    if (isStrictlyPrivate(bundle) || options.wantsPrivacy?.(bundle)) {
      counts.strict++;
      continue;
    }
    if (!encryptionOf(bundle) && !allowsPlaintext?.(bundle)) {
      counts.plaintext++;
      continue;
    }
    const leaving = encodeBundle(
      departing(bundle, { nodeId, residenceMs }),
      { quirks },
    );
    const name = bundleFileName(crypto.hash("sha256", leaving));
    if (names.has(name)) {
      counts.known++;
      continue;
    }
    await folder.write(partName(name), leaving);
    await folder.rename(partName(name), name);
    names.add(name);
    counts.written++;
  }
  return counts;
}
