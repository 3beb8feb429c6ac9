/** The area under a ROC curve. */
export interface Auc {
  /** The chance that a positive scores above a negative; ties count half. */
  readonly area: number;
  /** Its variance, by DeLong, DeLong and Clarke-Pearson (1988). */
  readonly variance: number;
}

/**
 * The area under the ROC curve of scores, and the variance of the estimate.
 *
 * @throws {RangeError} If there are not at least two of each.
 */
export function aucOf(
  positives: readonly number[],
  negatives: readonly number[],
): Auc {
  const [m, n] = [positives.length, negatives.length];
  if (m < 2 || n < 2) {
    throw new RangeError(`Want two scores of each or more, got ${m} and ${n}`);
  }
  const above = placements(positives, negatives);
  const below = placements(negatives, positives);
  const area = mean(above);
  return { area, variance: variance(above) / m + variance(below) / n };
}

/** One point for each score that some have, from (0, 0) to (1, 1): shares of negatives and positives that score higher. */
export function rocCurve(
  positives: readonly number[],
  negatives: readonly number[],
): [falsePositives: number, truePositives: number][] {
  const all = [
    ...positives.map((score) => ({ score, positive: 1 })),
    ...negatives.map((score) => ({ score, positive: 0 })),
  ].sort((a, b) => b.score - a.score);
  const points: [number, number][] = [[0, 0]];
  let [hits, alarms] = [0, 0];
  all.forEach(({ score, positive }, i) => {
    hits += positive;
    alarms += 1 - positive;
    if (score === all[i + 1]?.score) return;
    points.push([alarms / negatives.length, hits / positives.length]);
  });
  return points;
}

/** For each of `scores` the share of `others` below it. */
function placements(
  scores: readonly number[],
  others: readonly number[],
): number[] {
  const sorted = Float64Array.from(others).sort();
  return scores.map((score) =>
    (countBelow(sorted, (x) => x < score) +
      countBelow(sorted, (x) => x <= score)) / 2 / sorted.length
  );
}

/** How many at the start of `sorted` are below, by bisection. */
function countBelow(
  sorted: Float64Array,
  isBelow: (x: number) => boolean,
): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBelow(sorted[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}

function variance(values: readonly number[]): number {
  const center = mean(values);
  return values.reduce((sum, x) => sum + (x - center) ** 2, 0) /
    (values.length - 1);
}
