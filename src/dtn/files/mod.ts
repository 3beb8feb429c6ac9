/**
 * Bundles as files in a folder, so that they cross where no network does: what one node exports, another imports.
 *
 * @module
 */
export type { BundleFolder } from "./bundle_folder.ts";
export {
  exportBundles,
  type ExportCounts,
  type ExportedBundle,
  type ExportOptions,
} from "./export_bundles.ts";
export {
  importBundles,
  type ImportCounts,
  type ImportOptions,
  type ImportOutcome,
} from "./import_bundles.ts";
