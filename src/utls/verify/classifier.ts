import { aucOf, rocCurve } from "./auc.ts";
import { featuresOf } from "./features.ts";
import { score, trainLogistic } from "./logistic.ts";
import type { Observation } from "./observation.ts";

/** How well a trained classifier tells two samples apart. */
export interface Classification {
  /** Area under its ROC curve on hellos it was not trained with: 0.5 if it guesses, 1 if it is always right. */
  readonly auc: number;
  /** Standard error of {@link auc}. */
  readonly standardError: number;
  /** The curve: shares of the reference's and of our hellos above a threshold. */
  readonly roc: readonly (readonly [number, number])[];
  /** The columns that weigh most, the heaviest first. */
  readonly heaviest: readonly string[];
}

const FOLDS = 5;
const SHOWN_WEIGHTS = 5;
const SHUFFLE_SEED = 0x6265_7461;

/**
 * Trains a logistic regression to tell `ours` from `reference` and tests it on hellos it has not seen, by 5-fold
 * cross-validation; folds are drawn with a fixed seed, so that the same hellos give the same answer.
 *
 * The area is the mean over folds of DeLong's. Folds share most of their training data, so their areas are correlated; the
 * variance of the mean is that of one fold times 1/5 + 1/4 (Nadeau and Bengio 2003).
 */
export function classify(
  ours: readonly Observation[],
  reference: readonly Observation[],
): Classification {
  const { names, rows } = featuresOf(ours, reference);
  const labels = rows.map((_, i) => i < ours.length ? 1 : 0);
  const folds = [...foldsOf(ours.length), ...foldsOf(reference.length)];
  const scores: [number[], number[]] = [[], []];
  const weight = new Float64Array(names.length);
  let [area, variance] = [0, 0];
  for (let fold = 0; fold < FOLDS; fold++) {
    const training = folds.keys().filter((i) => folds[i] !== fold).toArray();
    const weights = trainLogistic(
      training.map((i) => rows[i]!),
      training.map((i) => labels[i]!),
    );
    const tested: [number[], number[]] = [[], []];
    folds.forEach((of, i) => {
      if (of === fold) tested[labels[i]!].push(score(weights, rows[i]!));
    });
    const auc = aucOf(tested[1], tested[0]);
    area += auc.area / FOLDS;
    variance += auc.variance / FOLDS;
    weights.forEach((w, j) => weight[j]! += Math.abs(w));
    scores[0].push(...tested[0]);
    scores[1].push(...tested[1]);
  }
  return {
    auc: area,
    standardError: Math.sqrt(variance * (1 / FOLDS + 1 / (FOLDS - 1))),
    roc: rocCurve(scores[1], scores[0]),
    heaviest: names.map((name, j) => [name, weight[j]!] as const)
      .sort((a, b) => b[1] - a[1]).slice(0, SHOWN_WEIGHTS)
      .map(([name]) => name),
  };
}

/** The fold of each of `count` hellos: as many in each, shuffled. */
function foldsOf(count: number): number[] {
  const folds = Array.from({ length: count }, (_, i) => i % FOLDS);
  let state = SHUFFLE_SEED;
  for (let i = count - 1; i > 0; i--) {
    state = Math.imul(state, 1_664_525) + 1_013_904_223 >>> 0; // Numerical Recipes' ranqd1
    const j = Math.floor(state / 2 ** 32 * (i + 1));
    [folds[i], folds[j]] = [folds[j]!, folds[i]!];
  }
  return folds;
}
