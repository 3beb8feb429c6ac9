import type { Bundle } from "./bundle.ts";
import { bundleAgeOf } from "./extension_blocks.ts";

/** What a node knows about the time. */
export interface LocalTime {
  /** DTN time in milliseconds; `undefined` without a clock. */
  readonly dtnTimeMs: number | undefined;
  /** How long the bundle has been here, in milliseconds. */
  readonly residenceMs: number;
}

/**
 * How long `bundle` is of use yet, in milliseconds; 0 or less if it has expired (RFC 9171 §5.5).
 *
 * With a clock here and at its source, that is its creation time and lifetime; else its age, as far as we know: that in its bundle age
 * block, 0 without one, and its time here.
 *
 * @throws {BundleError} `extension` if the age is needed and malformed.
 */
export function remainingLifetimeMs(bundle: Bundle, now: LocalTime): number {
  const { creation, lifetimeMs } = bundle.primary;
  if (creation.timeMs !== 0 && now.dtnTimeMs !== undefined) {
    return Number(creation.timeMs) + Number(lifetimeMs) - now.dtnTimeMs;
  }
  return Number(lifetimeMs) - (bundleAgeOf(bundle) ?? 0) - now.residenceMs;
}
