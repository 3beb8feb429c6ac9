/**
 * Counters, gauges and histograms in a {@link Metrics} registry that is passed in.
 *
 * @module
 */
export {
  type Labelled,
  type Labels,
  type LabelSets,
  MAX_SERIES,
} from "./labels.ts";
export {
  type BucketOptions,
  type Counter,
  EXPOSITION_TYPE,
  type Gauge,
  type Histogram,
  type LabelOptions,
  type MetricOptions,
  Metrics,
  type ReadOptions,
} from "./metrics.ts";
export type {
  Distribution,
  MetricSnapshot,
  SeriesSnapshot,
} from "./snapshot.ts";
