import type {
  MetricObjectWithValues,
  MetricValue,
  MetricValueWithName,
} from "prom-client";

/** A metric at one moment. */
export interface MetricSnapshot {
  /** Its name. */
  readonly name: string;
  /** What it is. */
  readonly type: "counter" | "gauge" | "histogram";
  /** Its help sentence. */
  readonly help: string;
  /** Its series, one for each combination of label values. */
  readonly series: readonly SeriesSnapshot[];
}

/** A series at one moment. */
export interface SeriesSnapshot {
  /** Its labels. */
  readonly labels: Readonly<Record<string, string>>;
  /** Its value; for a histogram, the sum of what was observed. */
  readonly value: number;
  /** Of a histogram: the distribution. */
  readonly distribution?: Distribution;
}

/** What a histogram has seen. */
export interface Distribution {
  /** Number of values. */
  readonly count: number;
  /** Half of the values are at most this; `NaN` without values. */
  readonly p50: number;
  /** 95 % of the values are at most this; `NaN` without values. */
  readonly p95: number;
}

/** Turns what prom-client collects into snapshots. */
export function snapshotOf(
  metrics: readonly MetricObjectWithValues<MetricValue<string>>[],
): MetricSnapshot[] {
  return metrics.map(({ name, help, type, values }) => {
    const kind = String(type) as MetricSnapshot["type"];
    const series = kind === "histogram"
      ? histogramSeries(values)
      : values.map(({ labels, value }) => ({
        labels: toStrings(labels),
        value,
      }));
    return { name, type: kind, help, series };
  });
}

/** Buckets as Prometheus has them: each counts the values up to its upper end. */
export interface Bucket {
  /** Upper end; the last is `Infinity`. */
  readonly end: number;
  /** Number of values up to it. */
  readonly count: number;
}

/** The `q`-quantile by linear interpolation within its bucket, as PromQL's `histogram_quantile` has it for values above 0. */
export function quantile(q: number, buckets: readonly Bucket[]): number {
  const total = buckets.at(-1)?.count ?? 0;
  if (total === 0) return NaN;
  const rank = q * total;
  let below: Bucket = { end: 0, count: 0 };
  for (const bucket of buckets) {
    if (bucket.count >= rank) {
      if (bucket.end === Infinity) return below.end;
      const part = (rank - below.count) / (bucket.count - below.count);
      return below.end + (bucket.end - below.end) * part;
    }
    below = bucket;
  }
  return below.end;
}

function histogramSeries(
  values: readonly MetricValue<string>[],
): SeriesSnapshot[] {
  const byLabels = new Map<string, {
    labels: Record<string, string>;
    buckets: Bucket[];
    sum: number;
  }>();
  for (const { labels: all, value, metricName } of values as Named[]) {
    const { le, ...labels } = toStrings(all);
    const key = JSON.stringify(Object.entries(labels).sort());
    const series = byLabels.get(key) ?? { labels, buckets: [], sum: 0 };
    byLabels.set(key, series);
    if (le !== undefined) {
      const end = le === "+Inf" ? Infinity : Number(le);
      series.buckets.push({ end, count: value });
    } else if (metricName?.endsWith("_sum")) {
      series.sum = value;
    }
  }
  return [...byLabels.values()].map(({ labels, buckets, sum }) => ({
    labels,
    value: sum,
    distribution: {
      count: buckets.at(-1)?.count ?? 0,
      p50: quantile(0.5, buckets),
      p95: quantile(0.95, buckets),
    },
  }));
}

type Named = MetricValueWithName<string>;

function toStrings(labels: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [name, String(value)]),
  );
}
