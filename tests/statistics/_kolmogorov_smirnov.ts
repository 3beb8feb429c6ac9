/** The largest distance of two distribution functions, and how likely one so large is by chance. */
export interface KolmogorovSmirnov {
  /** The largest distance, 0 to 1. */
  readonly distance: number;
  /** The chance of this distance or a larger one if nothing differs. */
  readonly p: number;
}

/** Whether `a` and `b` are drawn from one continuous distribution. */
export function twoSampleKs(
  a: readonly number[],
  b: readonly number[],
): KolmogorovSmirnov {
  const [x, y] = [Float64Array.from(a).sort(), Float64Array.from(b).sort()];
  let [i, j, distance] = [0, 0, 0];
  while (i < x.length && j < y.length) {
    const next = Math.min(x[i]!, y[j]!);
    while (x[i]! <= next) i++;
    while (y[j]! <= next) j++;
    distance = Math.max(distance, Math.abs(i / x.length - j / y.length));
  }
  const n = x.length * y.length / (x.length + y.length);
  return { distance, p: kolmogorovP(distance, n) };
}

/** Whether `values` are drawn from the distribution with this distribution function. */
export function oneSampleKs(
  values: readonly number[],
  cdf: (value: number) => number,
): KolmogorovSmirnov {
  const sorted = Float64Array.from(values).sort();
  let distance = 0;
  sorted.forEach((value, i) => {
    const share = cdf(value);
    distance = Math.max(
      distance,
      share - i / sorted.length,
      (i + 1) / sorted.length - share,
    );
  });
  return { distance, p: kolmogorovP(distance, sorted.length) };
}

/** Kolmogorov's limit law with the correction for finite `n` of Stephens (1970). */
function kolmogorovP(distance: number, n: number): number {
  const root = Math.sqrt(n);
  const lambda = (root + 0.12 + 0.11 / root) * distance;
  if (lambda < 0.3) return 1; // 1 − 10⁻⁵; the series converges slowly there
  let sum = 0;
  for (let k = 1; k <= 100; k++) {
    sum += (k % 2 ? 2 : -2) * Math.exp(-2 * k * k * lambda * lambda);
  }
  return Math.min(1, Math.max(0, sum));
}
