import {
  Counter as PromCounter,
  Gauge as PromGauge,
  Histogram as PromHistogram,
  Registry,
} from "prom-client";
import {
  type Labelled,
  labelled,
  type LabelledSeries,
  type Labels,
  type LabelSets,
  makeSeries,
} from "./labels.ts";
import { type MetricSnapshot, snapshotOf } from "./snapshot.ts";

/** The media type of {@link Metrics.exposition}. */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Counts what happened. */
export interface Counter {
  /** Adds `by`, 1 by default, which must not be negative. */
  inc(by?: number): void;
}

/** Shows a value that rises and falls. */
export interface Gauge {
  /** Makes it `value`. */
  set(value: number): void;
  /** Adds `by`, 1 by default. */
  inc(by?: number): void;
  /** Takes `by` off, 1 by default. */
  dec(by?: number): void;
}

/** Shows how values are distributed. */
export interface Histogram {
  /** Counts `value` in its bucket. */
  observe(value: number): void;
}

/** What every metric has. */
export interface MetricOptions {
  /** Its name with the unit, such as `htx_handshake_seconds`; that of a counter ends in `_total`. */
  readonly name: string;
  /** A sentence for the reader of the exposition. */
  readonly help: string;
}

/** The labels of several series under one name. */
export interface LabelOptions<Sets extends LabelSets> {
  /** Each label with all its values. */
  readonly labels: Sets;
}

/** Where the buckets of a histogram end. */
export interface BucketOptions {
  /** Upper ends in ascending order, in the unit of the name; one without end is added. */
  readonly buckets: readonly number[];
}

/** Reads a metric whenever somebody looks. */
export interface ReadOptions<Sets extends LabelSets> extends MetricOptions {
  /** Each label with all its values; none by default. */
  readonly labels?: Sets;
  /** Gives the value for these labels. */
  readonly read: (labels: Labels<Sets>) => number;
}

/**
 * The metrics of a program, which are passed in to its parts.
 *
 * A counter or gauge is a plain number until somebody looks.
 * Every method that declares a metric throws a `TypeError` if its name is taken or not of lower-case letters, digits and `_`, a `RangeError` if its labels have more than {@link MAX_SERIES} combinations or its buckets do not ascend.
 *
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { Metrics } from "./mod.ts";
 *
 * const metrics = new Metrics();
 * const drops = metrics.counters({
 *   name: "htx_drops_total",
 *   help: "Frames dropped",
 *   labels: { reason: ["malformed", "replayed"] },
 * });
 * drops.with({ reason: "replayed" }).inc();
 * assertStringIncludes(
 *   await metrics.exposition(),
 *   'htx_drops_total{reason="replayed"} 1',
 * );
 * ```
 */
export class Metrics {
  readonly #registry = new Registry();

  /** Starts with no metric at all. */
  constructor() {}

  /** Declares a counter. */
  counter(options: MetricOptions): Counter {
    return this.counters({ ...options, labels: {} }).with({});
  }

  /** Declares a counter with labels. */
  counters<const Sets extends LabelSets>(
    options: MetricOptions & LabelOptions<Sets>,
  ): Labelled<Counter, Sets> {
    const { name, labels } = options;
    const all = makeSeries(name, labels, () => new PlainCounter());
    this.#addCounter(options, all);
    return labelled(name, labels, all);
  }

  /** Declares a gauge. */
  gauge(options: MetricOptions): Gauge {
    return this.gauges({ ...options, labels: {} }).with({});
  }

  /** Declares a gauge with labels. */
  gauges<const Sets extends LabelSets>(
    options: MetricOptions & LabelOptions<Sets>,
  ): Labelled<Gauge, Sets> {
    const { name, labels } = options;
    const all = makeSeries(name, labels, () => new PlainGauge());
    this.#addGauge(options, all);
    return labelled(name, labels, all);
  }

  /** Declares a histogram. */
  histogram(options: MetricOptions & BucketOptions): Histogram {
    return this.histograms({ ...options, labels: {} }).with({});
  }

  /** Declares a histogram with labels. */
  histograms<const Sets extends LabelSets>(
    options: MetricOptions & LabelOptions<Sets> & BucketOptions,
  ): Labelled<Histogram, Sets> {
    const { name, labels, buckets } = options;
    if (buckets.some((end, i) => !(end > (buckets[i - 1] ?? -Infinity)))) {
      throw new RangeError(`Buckets of "${name}" must ascend`);
    }
    const series = makeSeries(name, labels, () => undefined);
    const histogram = new PromHistogram({
      ...this.#declare(options),
      buckets: [...buckets],
    });
    const all = series.map(({ labels }): LabelledSeries<Histogram> => {
      histogram.zero(labels);
      return { labels, series: histogram.labels(labels) };
    });
    return labelled(name, labels, all);
  }

  /** Declares a counter that somebody else keeps. */
  counterFrom<const Sets extends LabelSets>(options: ReadOptions<Sets>): void {
    this.#addCounter(options, readSeries(options));
  }

  /** Declares a gauge that somebody else keeps. */
  gaugeFrom<const Sets extends LabelSets>(options: ReadOptions<Sets>): void {
    this.#addGauge(options, readSeries(options));
  }

  /** All metrics in Prometheus' text format 0.0.4. */
  exposition(): Promise<string> {
    return this.#registry.metrics();
  }

  /** All metrics as values, in the order of their declaration. */
  async snapshot(): Promise<MetricSnapshot[]> {
    return snapshotOf(await this.#registry.getMetricsAsJSON());
  }

  #addCounter(options: Declared, all: readonly LabelledSeries<Value>[]) {
    new PromCounter({
      ...this.#declare(options),
      collect() {
        this.reset();
        for (const { labels, series } of all) this.inc(labels, series.value);
      },
    });
  }

  #addGauge(options: Declared, all: readonly LabelledSeries<Value>[]) {
    new PromGauge({
      ...this.#declare(options),
      collect() {
        for (const { labels, series } of all) this.set(labels, series.value);
      },
    });
  }

  #declare({ name, help, labels = {} }: Declared) {
    if (this.#registry.getSingleMetric(name)) {
      throw new TypeError(`Metric "${name}" already exists`);
    }
    if (!help) throw new TypeError(`Metric "${name}" needs a help sentence`);
    const labelNames = Object.keys(labels);
    for (const each of [name, ...labelNames]) {
      if (!NAME_REGEXP.test(each)) {
        throw new TypeError(`Invalid name "${each}"`);
      }
    }
    return { name, help, labelNames, registers: [this.#registry] };
  }
}

/** Prometheus' names in lower case, without `le`, which histograms use. */
const NAME_REGEXP = /^(?!le$)[a-z_][a-z0-9_]*$/;

interface Value {
  readonly value: number;
}

interface Declared extends MetricOptions {
  readonly labels?: LabelSets;
}

class PlainCounter implements Counter, Value {
  value = 0;

  inc(by = 1) {
    if (!(by >= 0)) throw new RangeError(`Counter cannot go by ${by}`);
    this.value += by;
  }
}

class PlainGauge implements Gauge, Value {
  value = 0;

  set(value: number) {
    this.value = value;
  }

  inc(by = 1) {
    this.value += by;
  }

  dec(by = 1) {
    this.value -= by;
  }
}

function readSeries<Sets extends LabelSets>(
  { name, labels, read }: ReadOptions<Sets>,
): LabelledSeries<Value>[] {
  return makeSeries(name, labels ?? {}, (values) => ({
    get value() {
      return read(values as Labels<Sets>);
    },
  }));
}
