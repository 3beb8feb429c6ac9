const UNIT_BYTES = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};
const SIZE_REGEXP = /^(\d+)([kKMGT]B|[KMGT]iB|B)$/;
const PREFERRED = ["TiB", "GiB", "MiB", "KiB", "TB", "GB", "MB", "kB"] as const;

/**
 * Bytes of a size such as `512B`, `64KiB` (1024 each), `8GiB`, or `1MB` (1000 each).
 *
 * ```ts
 * import { parseSize } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseSize("64KiB"), 65_536);
 * ```
 *
 * @throws {SyntaxError} If `text` is not an integer with one of these units, or beyond 2^53 − 1 bytes.
 */
export function parseSize(text: string): number {
  const [, count, unit] = SIZE_REGEXP.exec(text) ?? [];
  const bytes = Number(count) * UNIT_BYTES[unit as keyof typeof UNIT_BYTES];
  if (!Number.isSafeInteger(bytes)) {
    throw new SyntaxError('Want a size such as "512B", "64KiB", "8GiB", "1MB"');
  }
  return bytes;
}

/**
 * A text that {@link parseSize} reads as `bytes`: the largest binary, else decimal unit that divides it.
 *
 * @throws {RangeError} If `bytes` is not an integer in 0 … 2^53 − 1.
 */
export function formatSize(bytes: number): string {
  if (!Number.isSafeInteger(bytes) || bytes < 0) {
    throw new RangeError(`A size must be an integer ≥ 0 bytes: got ${bytes}`);
  }
  const unit =
    PREFERRED.find((unit) => bytes > 0 && bytes % UNIT_BYTES[unit] === 0) ??
      "B";
  return `${bytes / UNIT_BYTES[unit]}${unit}`;
}
