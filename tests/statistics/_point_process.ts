import { chiSquareP } from "../../src/utls/verify/p_value.ts";

/** Counts of events in windows of `windowMs`, whole ones only. */
export function windowCounts(
  timesMs: readonly number[],
  fromMs: number,
  untilMs: number,
  windowMs: number,
): number[] {
  const counts = new Array<number>(
    Math.floor((untilMs - fromMs) / windowMs),
  ).fill(0);
  for (const timeMs of timesMs) {
    const window = Math.floor((timeMs - fromMs) / windowMs);
    if (timeMs >= fromMs && window < counts.length) counts[window]!++;
  }
  return counts;
}

/** Variance of counts over their mean: 1 for a Poisson process, 0 for a clock, more for bursts. */
export function dispersion(counts: readonly number[]): number {
  return varianceOf(counts) / meanOf(counts);
}

/**
 * The chance that independent counts of a Poisson process have a dispersion so far from 1: (n − 1) times it is χ² with n − 1 degrees of
 * freedom (Fisher's test).
 */
export function poissonDispersionP(value: number, n: number): number {
  const above = chiSquareP((n - 1) * value, n - 1);
  return Math.min(1, 2 * Math.min(above, 1 - above));
}

/** The correlation of each value with the one `lag` behind it. */
export function autocorrelation(
  values: readonly number[],
  lag: number,
): number {
  const mean = meanOf(values);
  let sum = 0;
  for (let i = lag; i < values.length; i++) {
    sum += (values[i]! - mean) * (values[i - lag]! - mean);
  }
  return sum / (varianceOf(values) * (values.length - 1));
}

/** The mean. */
export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The variance of the sample. */
export function varianceOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) /
    (values.length - 1);
}
