import { UtlsError } from "../error.ts";
import { EXTENSION } from "../extension.ts";
import { compareCounts, count, type Trial } from "./counts.ts";
import { GREASE_FIRST, GREASE_LATER, type Observation } from "./observation.ts";
import { chiSquareP } from "./p_value.ts";
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

/** The permutation as a whole: all places of all extensions, against the reference's and, if that is even, against an even one; its parity. */
export function wholeOrder(ours: Sample, reference: Sample): Trial[] {
  const [us, them] = [ours, reference].map((sample) =>
    sample.map(({ order }) => order.filter((type) => !FIXED.includes(type)))
  ) as [number[][], number[][]];
  const trials = [
    compareCounts("parity", count(us, parityOf), count(them, parityOf)),
  ];
  const expected = evenness("even", them);
  const actual = evenness("even", us);
  if (expected && actual && expected.p > LEAST_EVEN) trials.push(actual);
  return trials;
}

/** Extensions that no permutation moves. */
const FIXED: readonly number[] = [
  GREASE_FIRST,
  GREASE_LATER,
  EXTENSION.padding,
  EXTENSION.preSharedKey,
];

/** A reference whose places are as odd as this by chance is not drawn evenly. */
const LEAST_EVEN = 1e-4;

/**
 * Tests whether orders of the same things are permuted evenly: of n things, the sum of their χ² over n places, times (n − 1)/n, is
 * a χ² of (n − 1)² degrees. What every one of them shifts a little shows in it long before it shows in one place.
 */
export function evenness(
  label: string,
  orders: readonly (readonly number[])[],
): Trial | undefined {
  const types = [...orders[0] ?? []];
  const n = types.length;
  const row = new Map(types.map((type, i) => [type, i]));
  const seen = new Float64Array(n * n);
  for (const order of orders) {
    if (order.length !== n) return undefined;
    for (let at = 0; at < n; at++) {
      const type = row.get(order[at]!);
      if (type === undefined) return undefined;
      seen[type * n + at]!++;
    }
  }
  if (n < 2) return undefined;
  const each = orders.length / n;
  let statistic = 0;
  for (const count of seen) statistic += (count - each) ** 2 / each;
  statistic *= (n - 1) / n;
  return { label, statistic, p: chiSquareP(statistic, (n - 1) ** 2) };
}

/** Whether it takes an odd number of swaps to sort `order`. */
export function parityOf(order: readonly number[]): number {
  let parity = 0;
  for (let i = 0; i < order.length; i++) {
    for (let j = 0; j < i; j++) parity ^= Number(order[j]! > order[i]!);
  }
  return parity;
}

/** Whether the list of trust anchors is in an order that was seen before. */
export function anchorOrders(ours: Sample, reference: Sample): Trial[] {
  const lists = (sample: Sample) =>
    sample.filter(({ trustAnchors }) => trustAnchors !== undefined);
  const text = ({ trustAnchors }: Observation) => trustAnchors!;
  const [a, b] = [lists(ours), lists(reference)];
  if (a.length === 0 || b.length === 0) return [];
  return [compareCounts("order", repeats(a, text), repeats(b, text))];
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
