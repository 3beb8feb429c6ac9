const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION_REGEXP = /^(\d+)(ms|s|m|h|d)$/;

/**
 * Milliseconds of a duration such as `250ms`, `10s`, `5m`, `2h` or `1d`.
 *
 * ```ts
 * import { parseDuration } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseDuration("5m"), 300_000);
 * ```
 *
 * @throws {SyntaxError} If `text` is not an integer with one of these units, or beyond 2^53 − 1 ms.
 */
export function parseDuration(text: string): number {
  const [, count, unit] = DURATION_REGEXP.exec(text) ?? [];
  const ms = Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
  if (!Number.isSafeInteger(ms)) {
    throw new SyntaxError('Want a duration such as "250ms", "10s", "5m", "2h"');
  }
  return ms;
}

/**
 * The shortest text that {@link parseDuration} reads as `ms`: the largest unit that divides it.
 *
 * @throws {RangeError} If `ms` is not an integer in 0 … 2^53 − 1.
 */
export function formatDuration(ms: number): string {
  if (!Number.isSafeInteger(ms) || ms < 0) {
    throw new RangeError(`A duration must be an integer ≥ 0 ms: got ${ms}`);
  }
  const units = Object.entries(UNIT_MS).reverse();
  const [unit, size] = units.find(([, size]) => ms > 0 && ms % size === 0) ??
    ["ms", 1];
  return `${ms / size}${unit}`;
}
