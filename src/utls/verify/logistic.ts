/** Weight of the L2 penalty against the mean loss; columns have variance 1. */
const PENALTY = 0.1;

const STEPS = 20;
const POWER_STEPS = 5;

/**
 * Trains a logistic regression and returns its weights: `rows` with standardised columns, `labels` 1 or 0.
 *
 * Nesterov's accelerated gradient descent, its step from the largest eigenvalue of the columns' covariance.
 */
export function trainLogistic(
  rows: readonly Float64Array[],
  labels: readonly (0 | 1)[],
): Float64Array {
  const width = rows[0]?.length ?? 0;
  const step = 1 / (1.1 * largestEigenvalue(rows, width) / 4 + PENALTY);
  let weights = new Float64Array(width);
  let ahead = weights.slice();
  for (let k = 0; k < STEPS; k++) {
    const gradient = ahead.map((weight) => PENALTY * weight);
    rows.forEach((row, i) => {
      const error = 1 / (1 + Math.exp(-score(ahead, row))) - labels[i]!;
      addScaled(gradient, row, error / rows.length);
    });
    const last = weights;
    weights = ahead.map((weight, j) => weight - step * gradient[j]!);
    const momentum = k / (k + 3);
    ahead = weights.map((weight, j) => weight + momentum * (weight - last[j]!));
  }
  return weights;
}

/** The linear score of `row`; the higher, the likelier is label 1. */
export function score(weights: Float64Array, row: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < row.length; j++) sum += weights[j]! * row[j]!;
  return sum;
}

/** Of the matrix of mean products of columns, by power iteration. */
function largestEigenvalue(
  rows: readonly Float64Array[],
  width: number,
): number {
  let vector = Float64Array.from({ length: width }, (_, j) => 1 + j % 7);
  let value = 1;
  for (let k = 0; k < POWER_STEPS; k++) {
    const length = Math.sqrt(score(vector, vector)) || 1;
    const unit = vector.map((x) => x / length);
    vector = new Float64Array(width);
    for (const row of rows) {
      addScaled(vector, row, score(unit, row) / rows.length);
    }
    value = score(unit, vector);
  }
  return value;
}

function addScaled(to: Float64Array, row: Float64Array, factor: number): void {
  for (let j = 0; j < row.length; j++) to[j]! += factor * row[j]!;
}
