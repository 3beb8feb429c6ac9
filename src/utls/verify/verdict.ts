import { type Classification, classify } from "./classifier.ts";
import type { Observation } from "./observation.ts";
import { normalP } from "./p_value.ts";
import { PROPERTIES } from "./properties.ts";

/** What was found of one property. */
export interface Check {
  /** The property. */
  readonly name: string;
  /** How many tests it takes, e.g. one an extension. */
  readonly tests: number;
  /** What differs most. */
  readonly worst: string;
  /** The statistic of the worst: χ², or how many hellos show what the reference never shows; of the classifier, z. */
  readonly statistic: number;
  /** The chance that one of the tests is as bad if nothing differs (Bonferroni). */
  readonly p: number;
  /** Below this, `p` fails (Holm). */
  readonly limit: number;
  /** Whether nothing was found. */
  readonly pass: boolean;
}

/** Whether two samples of hellos look drawn by the same program. */
export interface Verdict {
  /** Whether every check passed. */
  readonly pass: boolean;
  /** The properties, and last the classifier. */
  readonly checks: readonly Check[];
  /** Area under the classifier's ROC curve: 0.5 if it guesses. */
  readonly auc: number;
  /** 95 % confidence interval of {@link auc}. */
  readonly interval: readonly [number, number];
  /** More of the classifier. */
  readonly classifier: Classification;
  /** How many hellos were compared. */
  readonly samples: { readonly ours: number; readonly reference: number };
}

/** The chance that two samples of one distribution fail. */
export const FALSE_ALARM_RATE = 0.001;

/** Fewer hellos than this tell too little. */
export const MIN_SAMPLES = 200;

/** Two-sided 95 % of a standard normal variable. */
const Z95 = 1.959964;

/**
 * Compares our hellos with those of a browser.
 *
 * - What the reference never varies must not vary in ours, and be the same: a single other hello fails.
 * - What it draws by chance is tested for the same distribution. Tests within a property are corrected by Bonferroni, the
 *   properties by Holm, so that samples of one distribution fail with a chance of {@link FALSE_ALARM_RATE} at most.
 * - A classifier is trained to find what no test looks for.
 *
 * Hellos must be of one kind: all of them to named hosts, or to WebSockets, or with a ticket. Name lengths may differ.
 *
 * @throws {RangeError} If either has fewer than {@link MIN_SAMPLES} hellos.
 * @throws {UtlsError} `capture` if they have more than 128 extensions between them.
 */
export function verifyHellos(
  ours: readonly Observation[],
  reference: readonly Observation[],
): Verdict {
  if (Math.min(ours.length, reference.length) < MIN_SAMPLES) {
    throw new RangeError(
      `Want ${MIN_SAMPLES} hellos of each or more, got ${ours.length} and ${reference.length}`,
    );
  }
  const results = resultsOf(ours, reference);
  const classifier = classify(ours, reference);
  const { auc, standardError } = classifier;
  const z = (auc - 0.5) / Math.max(standardError, 1 / ours.length);
  const checks = held([
    ...results,
    {
      name: "classifier",
      tests: 1,
      worst: classifier.heaviest[0] ?? "",
      statistic: z,
      p: normalP(z),
    },
  ]);
  return {
    pass: checks.every(({ pass }) => pass),
    checks,
    auc,
    interval: [
      Math.max(0, auc - Z95 * standardError),
      Math.min(1, auc + Z95 * standardError),
    ],
    classifier,
    samples: { ours: ours.length, reference: reference.length },
  };
}

/**
 * The part of {@link verifyHellos} that takes no training: one check for each property.
 *
 * @throws {UtlsError} As there.
 */
export function checkProperties(
  ours: readonly Observation[],
  reference: readonly Observation[],
): Check[] {
  return held(resultsOf(ours, reference));
}

type Result = Omit<Check, "limit" | "pass">;

function resultsOf(
  ours: readonly Observation[],
  reference: readonly Observation[],
): Result[] {
  const results: Result[] = [];
  for (const [name, property] of Object.entries(PROPERTIES)) {
    const trials = property(ours, reference);
    const worst = trials.toSorted((a, b) =>
      a.p - b.p || b.statistic - a.statistic
    )[0];
    if (!worst) continue;
    results.push({
      name,
      tests: trials.length,
      worst: worst.label,
      statistic: worst.statistic,
      p: Math.min(1, worst.p * trials.length),
    });
  }
  return results;
}

/** Holm's procedure: the smallest p is held against rate/n, the next against rate/(n − 1), until one passes. */
function held(results: readonly Result[]): Check[] {
  const rising = results.toSorted((a, b) => a.p - b.p);
  const checks = new Map<Result, Check>();
  let failing = true;
  rising.forEach((result, i) => {
    const limit = FALSE_ALARM_RATE / (rising.length - i);
    failing &&= result.p < limit;
    checks.set(result, { ...result, limit, pass: !failing });
  });
  return results.map((result) => checks.get(result)!);
}
