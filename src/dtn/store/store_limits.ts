import type { Priority } from "./bundle_entry.ts";

/** Bounds of a bundle store. */
export interface BundleStoreLimits {
  /** Most bundles. */
  readonly maxBundles: number;
  /** Most bytes of bundles. */
  readonly maxBytes: number;
  /** Longest bundle. */
  readonly maxBundleBytes: number;
  /** Most ids of bundles that are gone and remembered, so that they are not taken again; beyond it they are forgotten. */
  readonly maxKnown: number;
  /** How much of bundles and bytes a class of service may fill together with those below it: bulk, normal, expedited. */
  readonly shares: readonly [number, number, number];
}

const MIB = 1024 * 1024;

/** Bounds that apply when no others are given. */
export const BUNDLE_STORE_LIMITS: BundleStoreLimits = {
  maxBundles: 1_000_000,
  maxBytes: 4_096 * MIB,
  maxBundleBytes: 256 * MIB,
  maxKnown: 1_000_000,
  shares: [0.8, 0.95, 1],
};

/** Why a store did not take a bundle. */
export type StoreRefusal =
  | "expired" // its lifetime is over
  | "too_large" // longer than any bundle may be
  | "priority_full" // its class of service has used up its share
  | "full"; // the store, or the disk, is full

/** How many bundles a store has, and their bytes, by class of service. */
export interface StoreTotals {
  /** Bulk, normal, expedited. */
  readonly bundles: readonly [number, number, number];
  /** Bulk, normal, expedited. */
  readonly bytes: readonly [number, number, number];
}

/** Why a store with `totals` has no room for `size` bytes of `priority`, if it has none. */
export function refusalOf(
  totals: StoreTotals,
  { size, priority }: { readonly size: number; readonly priority: Priority },
  limits: BundleStoreLimits,
): "full" | "priority_full" | undefined {
  const { maxBundles, maxBytes, shares } = limits;
  const all = sum(totals.bundles, 2);
  if (all + 1 > maxBundles || sum(totals.bytes, 2) + size > maxBytes) {
    return "full";
  }
  const share = shares[priority];
  const isOver = sum(totals.bundles, priority) + 1 > share * maxBundles ||
    sum(totals.bytes, priority) + size > share * maxBytes;
  return isOver ? "priority_full" : undefined;
}

/** Of the classes up to `priority`. */
function sum(
  [bulk, normal, expedited]: readonly [number, number, number],
  priority: Priority,
): number {
  return bulk + (priority > 0 ? normal : 0) + (priority > 1 ? expedited : 0);
}
