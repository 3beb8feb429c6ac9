import { type Auc, aucOf } from "../../src/utls/verify/auc.ts";

const BINS = 32;
const ROUNDS = 80;
const LEARNING_RATE = 0.2;
const FOLDS = 5;
const Z95 = 1.959964;

/** How well a classifier tells samples apart that it has not seen. */
export interface Separation {
  /** Area under its ROC curve: 0.5 if it guesses. */
  readonly auc: number;
  /** 95 % interval of {@link auc}. */
  readonly interval: readonly [number, number];
  /** 95 % interval that the area falls into if nothing differs. */
  readonly byChance: readonly [number, number];
  /** Samples of each class, each tested once. */
  readonly n: readonly [number, number];
  /** The features that were asked for most, the first first. */
  readonly asked: readonly string[];
}

/** A question and what its answers are worth. */
interface Stump {
  readonly feature: number;
  /** Up to this bin is left. */
  readonly bin: number;
  readonly left: number;
  readonly right: number;
}

/**
 * Trains gradient-boosted decision stumps (Friedman 2001, logistic loss) to tell `positives` from `negatives` and tests them by 5-fold
 * cross-validation, fold by position, so that every sample is tested once by a model that has not seen it.
 *
 * Folds share most of their training data: the variance of the mean of their areas is that of one times 1/5 + 1/4 (Nadeau and Bengio
 * 2003).
 */
export function separate(
  names: readonly string[],
  positives: readonly Float64Array[],
  negatives: readonly Float64Array[],
): Separation {
  const rows = [...positives, ...negatives];
  const labels = rows.map((_, i) => i < positives.length ? 1 : 0);
  const fold = (i: number) =>
    (i < positives.length ? i : i - positives.length) % FOLDS;
  const binned = names.map((_, j) => bin(rows.map((row) => row[j]!)));
  const asked = new Map<string, number>();
  const areas: Auc[] = [];
  for (let held = 0; held < FOLDS; held++) {
    const training = rows.keys().filter((i) => fold(i) !== held).toArray();
    const stumps = train(binned, labels, training);
    for (const { feature } of stumps) {
      const name = names[feature]!;
      asked.set(name, (asked.get(name) ?? 0) + 1);
    }
    const scores: [number[], number[]] = [[], []];
    for (let i = 0; i < rows.length; i++) {
      if (fold(i) !== held) continue;
      scores[labels[i]!]!.push(scoreOf(stumps, binned, i));
    }
    areas.push(aucOf(scores[1], scores[0]));
  }
  const auc = areas.reduce((sum, { area }) => sum + area / FOLDS, 0);
  const shared = 1 / FOLDS + 1 / (FOLDS - 1);
  const variance = areas.reduce((sum, { variance }) => sum + variance, 0);
  const error = Math.sqrt(shared * variance / FOLDS);
  const [m, n] = [positives.length, negatives.length];
  // The variance of the Mann–Whitney statistic of one fold.
  const chance = Math.sqrt(shared * FOLDS * (m + n) / (12 * m * n));
  return {
    auc,
    interval: [auc - Z95 * error, auc + Z95 * error],
    byChance: [0.5 - Z95 * chance, 0.5 + Z95 * chance],
    n: [m, n],
    asked: [...asked].sort((a, b) => b[1] - a[1]).slice(0, 4)
      .map(([name]) => name),
  };
}

/** The quantile of each value, in {@link BINS} steps; equal values have the same. */
function bin(values: readonly number[]): Uint8Array {
  const sorted = Float64Array.from(values).sort();
  const edges = Float64Array.from(
    { length: BINS - 1 },
    (_, k) => sorted[Math.floor((k + 1) * sorted.length / BINS)]!,
  );
  return Uint8Array.from(values, (value) => {
    let [low, high] = [0, edges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (edges[middle]! <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  });
}

function train(
  binned: readonly Uint8Array[],
  labels: readonly number[],
  training: readonly number[],
): Stump[] {
  const stumps: Stump[] = [];
  const scores = new Float64Array(labels.length);
  for (let round = 0; round < ROUNDS; round++) {
    const gradient = new Float64Array(labels.length);
    const weight = new Float64Array(labels.length);
    for (const i of training) {
      const chance = 1 / (1 + Math.exp(-scores[i]!));
      gradient[i] = labels[i]! - chance;
      weight[i] = chance * (1 - chance);
    }
    const stump = best(binned, training, gradient, weight);
    if (!stump) break;
    stumps.push(stump);
    for (const i of training) scores[i]! += answer(stump, binned, i);
  }
  return stumps;
}

/** The stump that lowers the loss most, by its second-order approximation. */
function best(
  binned: readonly Uint8Array[],
  training: readonly number[],
  gradient: Float64Array,
  weight: Float64Array,
): Stump | undefined {
  let [found, most]: [Stump | undefined, number] = [undefined, 1e-9];
  binned.forEach((bins, feature) => {
    const g = new Float64Array(BINS);
    const h = new Float64Array(BINS);
    for (const i of training) {
      g[bins[i]!]! += gradient[i]!;
      h[bins[i]!]! += weight[i]!;
    }
    const [allG, allH] = [sum(g), sum(h)];
    let [leftG, leftH] = [0, 0];
    for (let k = 0; k < BINS - 1; k++) {
      leftG += g[k]!;
      leftH += h[k]!;
      const [rightG, rightH] = [allG - leftG, allH - leftH];
      if (leftH < 1 || rightH < 1) continue;
      const gain = leftG ** 2 / leftH + rightG ** 2 / rightH -
        allG ** 2 / allH;
      if (gain <= most) continue;
      most = gain;
      found = {
        feature,
        bin: k,
        left: LEARNING_RATE * leftG / leftH,
        right: LEARNING_RATE * rightG / rightH,
      };
    }
  });
  return found;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

function answer(
  { feature, bin, left, right }: Stump,
  binned: readonly Uint8Array[],
  i: number,
): number {
  return binned[feature]![i]! <= bin ? left : right;
}

function scoreOf(
  stumps: readonly Stump[],
  binned: readonly Uint8Array[],
  i: number,
): number {
  return stumps.reduce((total, stump) => total + answer(stump, binned, i), 0);
}
