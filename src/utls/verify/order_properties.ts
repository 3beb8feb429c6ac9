import { UtlsError } from "../error.ts";
import { compareCounts, count, type Trial } from "./counts.ts";
import { GREASE_FIRST, GREASE_LATER, type Observation } from "./observation.ts";
import { compare, repeats, type Sample } from "./sample.ts";

/** Most extensions that hellos have between them; each two are compared. */
const MAX_TYPES = 128;

/** Where each extension stands. */
export function positions(ours: Sample, reference: Sample): Trial[] {
  return typesOf(ours, reference).map((type) =>
    compare(
      `${label(type)}`,
      ours,
      reference,
      ({ order }) => order.indexOf(type),
    )
  );
}

/** Which of two extensions comes first, for each two. */
export function pairwiseOrder(ours: Sample, reference: Sample): Trial[] {
  const types = typesOf(ours, reference);
  const [before, expected] = [ours, reference].map((sample) =>
    sample.map(({ order }) => types.map((type) => order.indexOf(type)))
  );
  const trials: Trial[] = [];
  for (let i = 0; i < types.length; i++) {
    for (let j = 0; j < i; j++) {
      const isBefore = (at: readonly number[]) =>
        at[i]! < 0 || at[j]! < 0 ? undefined : Number(at[i]! < at[j]!);
      trials.push(compareCounts(
        `${label(types[i]!)} before ${label(types[j]!)}`,
        count(before!, isBefore),
        count(expected!, isBefore),
      ));
    }
  }
  return trials;
}

/** Whether whole orders come again. */
export function repeatedOrders(ours: Sample, reference: Sample): Trial[] {
  const text = ({ order }: Observation) => order.join();
  return [
    compareCounts("order", repeats(ours, text), repeats(reference, text)),
  ];
}

/** @throws {UtlsError} `capture` if the hellos have more than {@link MAX_TYPES} extensions between them. */
function typesOf(ours: Sample, reference: Sample): number[] {
  const types = new Set<number>();
  for (const { order } of [...ours, ...reference]) {
    for (const type of order) types.add(type);
  }
  if (types.size <= MAX_TYPES) return [...types];
  throw new UtlsError(
    "capture",
    `Want up to ${MAX_TYPES} extensions in all hellos, got ${types.size}`,
  );
}

function label(type: number): string {
  if (type === GREASE_FIRST) return "first GREASE";
  return type === GREASE_LATER ? "later GREASE" : `${type}`;
}
