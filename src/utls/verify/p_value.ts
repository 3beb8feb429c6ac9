/**
 * The chance of a χ² variable with `degrees` of freedom to be at least `statistic`: the regularised upper incomplete gamma
 * function Q(degrees/2, statistic/2), by series or continued fraction (NIST DLMF 8.7.1, 8.9.2), to about 1e-12 relative.
 *
 * @throws {RangeError} If `degrees` is not positive or `statistic` is negative or no number.
 */
export function chiSquareP(statistic: number, degrees: number): number {
  if (!(degrees > 0 && statistic >= 0)) {
    throw new RangeError(
      `Want degrees > 0 and statistic >= 0, got ${degrees} and ${statistic}`,
    );
  }
  const a = degrees / 2;
  const x = statistic / 2;
  if (x === 0) return 1;
  if (x === Infinity) return 0;
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a));
  return x < a + 1
    ? Math.max(0, 1 - scale * lowerSeries(a, x))
    : scale * upperFraction(a, x);
}

/** The chance of a standard normal variable to be at least `z` away from zero, on either side. */
export function normalP(z: number): number {
  return chiSquareP(z * z, 1);
}

/** The chance of at least `hits` of `draws` when each hits with chance `share`. */
export function binomialP(hits: number, draws: number, share: number): number {
  let sum = 0;
  for (let k = hits; k <= draws; k++) {
    sum += Math.exp(
      logGamma(draws + 1) - logGamma(k + 1) - logGamma(draws - k + 1) +
        k * Math.log(share) + (draws - k) * Math.log1p(-share),
    );
  }
  return Math.min(1, sum);
}

const PRECISION = 1e-15;
const MAX_TERMS = 10_000;

function lowerSeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < MAX_TERMS && term > sum * PRECISION; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum;
}

/** Lentz's method, as modified by Thompson and Barnett. */
function upperFraction(a: number, x: number): number {
  const tiny = 1e-300;
  let b = x + 1 - a;
  let c = 1 / tiny;
  let d = 1 / b;
  let value = d;
  for (let i = 1; i < MAX_TERMS; i++) {
    const an = -i * (i - a);
    b += 2;
    d = 1 / nonZero(an * d + b, tiny);
    c = nonZero(b + an / c, tiny);
    value *= c * d;
    if (Math.abs(c * d - 1) < PRECISION) break;
  }
  return value;
}

function nonZero(value: number, tiny: number): number {
  return Math.abs(value) < tiny ? tiny : value;
}

/** log Γ(x) for x > 0: Stirling's series (NIST DLMF 5.11.1) from 10 on, the recurrence below. */
function logGamma(x: number): number {
  let shift = 0;
  while (x < 10) shift -= Math.log(x++);
  const y = 1 / (x * x);
  const series = (1 / 12 - y * (1 / 360 - y * (1 / 1_260 - y / 1_680))) / x;
  return shift + (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 +
    series;
}
