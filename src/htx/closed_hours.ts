/**
 * The ticket hours that are closed for good, as ranges.
 *
 * ```text
 * n times, ascending and apart:  4B first hour, 4B last hour
 * ```
 *
 * @module
 */
import { type Bytes, DecodeError, Reader, Writer } from "../core/bytes/mod.ts";

/** Most ranges; beyond, the two earliest become one, and the hours between them are closed too. */
const MAX_RANGES = 64;
const RANGE_LENGTH = 8;

interface Range {
  readonly first: number;
  readonly last: number;
}

/** An immutable set of hours in bounded memory. */
export class ClosedHours {
  /** Holds nothing. */
  static readonly NONE = new ClosedHours([]);

  readonly #ranges: readonly Range[];

  private constructor(ranges: readonly Range[]) {
    this.#ranges = ranges;
  }

  /**
   * What {@link encode} gave.
   *
   * @throws {DecodeError} If it is anything else.
   */
  static decode(bytes: Uint8Array): ClosedHours {
    const r = new Reader(bytes, "closed hours");
    if (bytes.length > MAX_RANGES * RANGE_LENGTH) {
      throw new DecodeError(r.what, "too many ranges");
    }
    const ranges: Range[] = [];
    while (r.remaining > 0) {
      const range = { first: r.u32(), last: r.u32() };
      const before = ranges.at(-1)?.last ?? -2;
      if (range.first <= before + 1 || range.last < range.first) {
        throw new DecodeError(r.what, "ranges out of order");
      }
      ranges.push(range);
    }
    return new ClosedHours(ranges);
  }

  /** Its ranges, 8 bytes each. */
  encode(): Bytes {
    const w = new Writer(this.#ranges.length * RANGE_LENGTH);
    for (const { first, last } of this.#ranges) w.u32(first).u32(last);
    return w.finish();
  }

  /** Whether `hour` is closed. */
  has(hour: number): boolean {
    return this.#ranges.some(({ first, last }) =>
      first <= hour && hour <= last
    );
  }

  /** These hours and `hour`. */
  with(hour: number): ClosedHours {
    const ranges: Range[] = [];
    const sorted = [...this.#ranges, { first: hour, last: hour }]
      .sort((a, b) => a.first - b.first);
    for (const range of sorted) {
      const before = ranges.at(-1);
      if (before && range.first <= before.last + 1) {
        ranges[ranges.length - 1] = join(before, range);
      } else ranges.push(range);
    }
    if (ranges.length > MAX_RANGES) {
      ranges.splice(0, 2, join(ranges[0]!, ranges[1]!));
    }
    return new ClosedHours(ranges);
  }
}

function join(a: Range, b: Range): Range {
  return { first: a.first, last: Math.max(a.last, b.last) };
}
