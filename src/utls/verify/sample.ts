import { compareCounts, count, type Counts, type Trial } from "./counts.ts";
import type { Observation } from "./observation.ts";

/** Hellos of one program. */
export type Sample = readonly Observation[];

/** Tests whether what `pick` gives has the same distribution in both; `rarest` as of {@linkcode compareCounts}. */
export function compare(
  label: string,
  ours: Sample,
  reference: Sample,
  pick: (observation: Observation) => string | number | undefined,
  rarest?: number,
): Trial {
  return compareCounts(
    label,
    count(ours, pick),
    count(reference, pick),
    rarest,
  );
}

/** How many gave a text that an earlier one gave (1), and how many not (0). */
export function repeats(
  sample: Sample,
  textOf: (observation: Observation) => string,
): Counts {
  const seen = new Set<string>();
  return count(sample, (observation) => {
    const text = textOf(observation);
    const repeated = Number(seen.has(text));
    seen.add(text);
    return repeated;
  });
}

/** The names that any hello has in what `partOf` gives. */
export function namesOf(
  samples: readonly Sample[],
  partOf: (
    observation: Observation,
  ) => Readonly<Record<string, unknown>> | undefined,
): string[] {
  const names = new Set<string>();
  for (const observation of samples.flat()) {
    for (const name in partOf(observation)) names.add(name);
  }
  return [...names];
}

/** The random fields, if both samples kept them. */
export function fieldsOf(ours: Sample, reference: Sample): string[] {
  if (!ours[0]?.random || !reference[0]?.random) return [];
  return namesOf([ours, reference], ({ random }) => random);
}
