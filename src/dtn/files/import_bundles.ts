import type { Bytes } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { type Bundle, decodeBundle } from "../bundle/bundle.ts";
import { BundleError } from "../bundle/error.ts";
import type { BundleOptions } from "../bundle/quirk.ts";
import { withNextHop } from "../node/outgoing_bundle.ts";
import {
  type BundleFolder,
  digestInName,
  isBundleFile,
} from "./bundle_folder.ts";

/** What a node does with a bundle that it is given. */
export type ImportOutcome =
  | "stored"
  | "known" // it has it, or had it
  | "expired"
  | "refused"; // it has no room, or does not want it

/** Options of {@link importBundles}. */
export interface ImportOptions extends Pick<BundleOptions, "quirks"> {
  /** Where the files are. */
  readonly folder: BundleFolder;
  /** Checks files by their names. */
  readonly crypto: CryptoProvider;
  /** Gives the node a bundle, as `DtnNode.receive` takes it; resolves once it is as lasting as the node's store. */
  readonly insert: (bundle: Bundle) => Promise<ImportOutcome>;
  /** Whether files stay that the node has no need of any more; they are removed by default. */
  readonly keeps?: boolean;
  /** Longest file that is read; 64 MiB by default. */
  readonly maxBundleBytes?: number;
}

/** What became of the files of an import. */
export interface ImportCounts extends Record<ImportOutcome, number> {
  /** Files that hold no bundle, or not the one that their names say. */
  bad: number;
}

const MAX_BUNDLE_BYTES = 64 * 1024 * 1024;

/**
 * Gives a node the bundles of a folder: each file whose name ends in `.bundle`. A name that is a SHA-256 must be that of the bytes.
 *
 * Files of bundles that were stored, are known or have expired are removed; those that are bad or were refused are left.
 *
 * @throws What the folder or the node does; the file that was at hand is left.
 */
export async function importBundles(
  options: ImportOptions,
): Promise<ImportCounts> {
  const { folder, insert, keeps = false } = options;
  const { maxBundleBytes = MAX_BUNDLE_BYTES } = options;
  const counts = { stored: 0, known: 0, expired: 0, refused: 0, bad: 0 };
  for (const name of await folder.names()) {
    if (!isBundleFile(name)) continue;
    const bytes = await folder.read(name, maxBundleBytes);
    const bundle = bytes && bundleIn(name, bytes, options);
    if (!bundle) {
      counts.bad++;
      continue;
    }
    const outcome = await insert(bundle);
    counts[outcome]++;
    if (outcome !== "refused" && !keeps) await folder.remove(name);
  }
  return counts;
}

/** The bundle that a file holds; `undefined` if it is none, or not that of its name. */
function bundleIn(
  name: string,
  bytes: Bytes,
  { crypto, quirks = [] }: ImportOptions,
): Bundle | undefined {
  const digest = digestInName(name);
  if (digest && crypto.hash("sha256", bytes).toHex() !== digest) {
    return undefined;
  }
  try {
    const bundle = decodeBundle(bytes, { quirks });
    withNextHop(bundle); // throws what is wrong with its hop count
    return bundle;
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    return undefined;
  }
}
