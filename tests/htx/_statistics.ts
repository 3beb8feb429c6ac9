/**
 * The probability that a sample of this size lies this far from `cdf` or farther if it follows it (two-sided
 * Kolmogorov-Smirnov test, asymptotic form with Stephens' correction).
 */
export function kolmogorovP(
  sample: readonly number[],
  cdf: (x: number) => number,
): number {
  const sorted = [...sample].sort((a, b) => a - b);
  const n = sorted.length;
  const distance = sorted.reduce((most, x, i) => {
    const p = cdf(x);
    return Math.max(most, p - i / n, (i + 1) / n - p);
  }, 0);
  const lambda = (Math.sqrt(n) + 0.12 + 0.11 / Math.sqrt(n)) * distance;
  if (lambda < 0.2) return 1;
  let p = 0;
  for (let k = 1; k <= 100; k++) {
    p += (k % 2 ? 2 : -2) * Math.exp(-2 * k * k * lambda * lambda);
  }
  return p;
}

/** Pearson's chi-squared of whole numbers from 0 below `end` in `bins` bins of equal width. */
export function chiSquared(
  sample: readonly number[],
  end: number,
  bins: number,
): number {
  const counts = new Array<number>(bins).fill(0);
  for (const x of sample) counts[Math.floor(x * bins / end)]!++;
  const want = sample.length / bins;
  return counts.reduce((sum, n) => sum + (n - want) ** 2 / want, 0);
}

/** Pearson's correlation of `a` and `b`, as far as both go. */
export function correlation(
  a: readonly number[],
  b: readonly number[],
): number {
  const n = Math.min(a.length, b.length);
  const centred = [a, b].map((values) => {
    const some = values.slice(0, n);
    const mean = some.reduce((sum, x) => sum + x, 0) / n;
    return some.map((x) => x - mean);
  });
  const [x, y] = centred as [number[], number[]];
  const dot = (u: number[], v: number[]) =>
    u.reduce((sum, value, i) => sum + value * v[i]!, 0);
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
}

/** The uniform distribution from `min` to `max`. */
export function uniformCdf(min: number, max: number): (x: number) => number {
  return (x) => Math.min(1, Math.max(0, (x - min) / (max - min)));
}

/** The distribution of the product of two independent uniform numbers, integrated over the second in 2,000 steps. */
export function productCdf(
  [min, max]: readonly [number, number],
  [from, to]: readonly [number, number],
): (x: number) => number {
  const steps = 2_000;
  const first = uniformCdf(min, max);
  return (x) => {
    let sum = 0;
    for (let i = 0; i < steps; i++) {
      sum += first(x / (from + (i + 0.5) / steps * (to - from)));
    }
    return sum / steps;
  };
}
