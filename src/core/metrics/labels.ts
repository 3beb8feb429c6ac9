/** Most combinations of label values that a metric may declare. */
export const MAX_SERIES = 1_000;

/** The labels of a metric and every value each may have. */
export type LabelSets = Readonly<Record<string, readonly string[]>>;

/** One value for each label. */
export type Labels<Sets extends LabelSets> = {
  readonly [Name in keyof Sets]: Sets[Name][number];
};

/** A metric with labels: one series for each combination of their values, all there from the start. */
export interface Labelled<Series, Sets extends LabelSets> {
  /**
   * The series with these `labels`; keep it where it is used often.
   *
   * @throws {TypeError} If a label or value is not declared, so that nothing a peer chose can become one.
   */
  with(labels: Labels<Sets>): Series;
}

/** A combination of label values and its series. */
export interface LabelledSeries<Series> {
  /** A value for each label. */
  readonly labels: Readonly<Record<string, string>>;
  /** What is measured under them. */
  readonly series: Series;
}

/** Makes the series of each combination of `sets`; without labels that is one. */
export function makeSeries<Series>(
  name: string,
  sets: LabelSets,
  make: (labels: Readonly<Record<string, string>>) => Series,
): LabelledSeries<Series>[] {
  let combinations: Record<string, string>[] = [{}];
  for (const [label, values] of Object.entries(sets)) {
    if (combinations.length * values.length > MAX_SERIES) {
      throw new RangeError(
        `Metric "${name}" has more than ${MAX_SERIES} series`,
      );
    }
    combinations = combinations.flatMap((labels) =>
      values.map((value) => ({ ...labels, [label]: value }))
    );
  }
  return combinations.map((labels) => ({ labels, series: make(labels) }));
}

/** Finds the series of a metric by its labels. */
export function labelled<Series, Sets extends LabelSets>(
  name: string,
  sets: Sets,
  all: readonly LabelledSeries<Series>[],
): Labelled<Series, Sets> {
  const names = Object.keys(sets);
  const keyOf = (labels: Readonly<Record<string, string>>) =>
    JSON.stringify(names.map((label) => labels[label]));
  const byKey = new Map(all.map(({ labels, series }) => [
    keyOf(labels),
    series,
  ]));
  return {
    with(labels) {
      const series = byKey.get(keyOf(labels));
      if (series === undefined || Object.keys(labels).length !== names.length) {
        throw new TypeError(`Metric "${name}" has no series with these labels`);
      }
      return series;
    },
  };
}
