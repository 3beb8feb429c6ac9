import { systemClock } from "../../../src/core/async/mod.ts";
import type { Choice } from "../../../src/fabric/mod.ts";
import { nameOf, type ShownAgent } from "./ask_group.ts";

/** What has come out of a vote, as nodes show it. */
export interface ShownTally {
  readonly vote: string;
  readonly by: ShownAgent;
  readonly text: string;
  readonly deadlineMs: number;
  readonly isUnanimous: boolean;
  readonly weights: Readonly<Record<Choice, number>>;
  readonly total: number;
  readonly isPassed: boolean;
  readonly equivocators: readonly ShownAgent[];
  readonly late: number;
  readonly strange: number;
}

/** Whether a vote is open, and else what became of it. */
export function stateOf({ deadlineMs, isPassed }: ShownTally): string {
  if (isPassed) return "passed";
  return systemClock.wallTime() <= deadlineMs ? "open" : "not passed";
}

/** A tally for a person. */
export function tallyText(tally: ShownTally): string {
  const { text, weights, total, by, deadlineMs } = tally;
  const { late, strange, equivocators, isUnanimous } = tally;
  const odd = [
    ...late > 0 ? [`${late} ballots came late`] : [],
    ...strange > 0 ? [`${strange} ballots are of no elector`] : [],
    ...equivocators.map((each) => `${nameOf(each)} cast two: none counts`),
  ];
  const wanted = isUnanimous ? "all" : "more than half";
  return [
    `${stateOf(tally)}: ${text}`,
    `by ${nameOf(by)}, until ${new Date(deadlineMs).toISOString()}`,
    `for ${weights.for}, against ${weights.against}, abstain ${weights.abstain} of ${total}; wants ${wanted}`,
    ...odd,
  ].join("\n");
}
