import { chiSquareP } from "./p_value.ts";

/** How often each value was seen. */
export type Counts = ReadonlyMap<string | number, number>;

/** One statistical test. */
export interface Trial {
  /** What was compared, e.g. an extension. */
  readonly label: string;
  /** χ², or the number of hellos that show what the reference never shows. */
  readonly statistic: number;
  /** The chance of such a statistic, or a larger one, if nothing differs. */
  readonly p: number;
}

/** χ² is trusted where every cell expects this many; rarer values are counted as one. */
const MIN_EXPECTED = 5;

/** A reference of so few values, each seen so often, has no others: one that only ours has is no matter of chance. */
const MAX_CLOSED_VALUES = 32;
const MIN_CLOSED_SEEN = 20;

/** A reference of a single value has no other of chance `rarest` if it would show one in all but this share of samples. */
const MAX_MISSED = 1e-6;

/** Counts what `pick` gives for each of `items`, leaving out `undefined`. */
export function count<T>(
  items: readonly T[],
  pick: (item: T) => string | number | undefined,
): Counts {
  const counts = new Map<string | number, number>();
  for (const item of items) {
    const value = pick(item);
    if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}

/**
 * Tests whether `ours` and `reference` count draws of one distribution: the χ² test of homogeneity.
 *
 * Where the reference shows a single value, or up to 32 values 20 times each, a single other one of ours gives p = 0, and so does
 * a sample of ours that has none. Other values that only ours has count by the chance that all of them fall to our side.
 *
 * @param rarest - The chance of the rarest value that the reference may have, in (0, 1]: a reference of a single value is taken
 * to have no other only if it is large enough to show one of that chance. Default 1: however small it is.
 */
export function compareCounts(
  label: string,
  ours: Counts,
  reference: Counts,
  rarest = 1,
): Trial {
  if (ours.size === 0 && reference.size === 0) {
    return { label, statistic: 0, p: 1 };
  }
  if (ours.size === 0) return { label, statistic: total(reference), p: 0 };
  const closed = isClosed(reference, rarest);
  if (closed && reference.size <= 1) {
    const strays = total(ours) - (ours.get([...reference.keys()][0]!) ?? 0);
    return {
      label,
      statistic: strays,
      p: strays > 0 ? 0 : 1,
    };
  }
  const stray = strayTrial(label, ours, reference, closed);
  const cells = pooled(ours, reference);
  if (cells.length < 2) return stray;
  const [n, m] = [total(ours), total(reference)];
  let statistic = 0;
  for (const [a, b] of cells) {
    statistic += (a * Math.sqrt(m / n) - b * Math.sqrt(n / m)) ** 2 / (a + b);
  }
  const p = chiSquareP(statistic, cells.length - 1);
  return stray.p < p ? stray : { label, statistic, p };
}

/** Whether a value that `reference` lacks is no matter of chance. */
function isClosed(reference: Counts, rarest: number): boolean {
  if (reference.size <= 1) {
    return reference.size === 0 ||
      (1 - rarest) ** total(reference) <= MAX_MISSED;
  }
  return reference.size <= MAX_CLOSED_VALUES &&
    Math.min(...reference.values()) >= MIN_CLOSED_SEEN;
}

/** What the value that ours has most often of those that the reference has not says. */
function strayTrial(
  label: string,
  ours: Counts,
  reference: Counts,
  closed: boolean,
): Trial {
  const strays = [...ours].filter(([value]) => !reference.has(value))
    .map(([, seen]) => seen);
  const most = Math.max(0, ...strays);
  const share = total(ours) / (total(ours) + total(reference));
  return {
    label,
    statistic: most,
    p: most === 0 ? 1 : closed ? 0 : Math.min(1, strays.length * share ** most),
  };
}

/** Tests whether `counts` are draws from `values` equally likely values. */
export function compareUniform(
  label: string,
  counts: Counts,
  values: number,
): Trial {
  const expected = total(counts) / values;
  let statistic = (values - counts.size) * expected;
  for (const seen of counts.values()) {
    statistic += (seen - expected) ** 2 / expected;
  }
  return { label, statistic, p: chiSquareP(statistic, values - 1) };
}

/** How many were counted. */
function total(counts: Counts): number {
  let sum = 0;
  for (const seen of counts.values()) sum += seen;
  return sum;
}

/** Pairs of counts by value, those of rare values as one. */
function pooled(a: Counts, b: Counts): [a: number, b: number][] {
  const [n, m] = [total(a), total(b)];
  const least = MIN_EXPECTED * (n + m) / Math.min(n, m);
  const cells: [number, number][] = [];
  const rare: [number, number] = [0, 0];
  for (const value of new Set([...a.keys(), ...b.keys()])) {
    const cell: [number, number] = [a.get(value) ?? 0, b.get(value) ?? 0];
    if (cell[0] + cell[1] >= least) cells.push(cell);
    else {
      rare[0] += cell[0];
      rare[1] += cell[1];
    }
  }
  if (rare[0] + rare[1] >= least) cells.push(rare);
  return cells;
}
