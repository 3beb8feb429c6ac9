import { assertEquals, assertThrows } from "@std/assert";
import {
  type Labels,
  MAX_SERIES,
  Metrics,
} from "../../src/core/metrics/mod.ts";

Deno.test("Metrics.exposition() writes Prometheus' text format", async () => {
  const metrics = new Metrics();
  metrics.counter({ name: "a_total", help: "A\nsecond line" }).inc(2);
  const drops = metrics.counters({
    name: "b_total",
    help: "B",
    labels: { side: ["in", "out"], reason: ['bad "x"\n\\'] },
  });
  drops.with({ side: "out", reason: 'bad "x"\n\\' }).inc();
  const gauge = metrics.gauge({ name: "c_bytes", help: "C" });
  gauge.set(10);
  gauge.inc(5);
  gauge.inc();
  gauge.dec(2);
  gauge.dec();
  const histogram = metrics.histogram({
    name: "d_seconds",
    help: "D",
    buckets: [0.5, 1],
  });
  for (const value of [0.5, 0.75, 8]) histogram.observe(value);
  assertEquals(
    await metrics.exposition(),
    `# HELP a_total A\\nsecond line
# TYPE a_total counter
a_total 2

# HELP b_total B
# TYPE b_total counter
b_total{side="in",reason="bad \\"x\\"\\n\\\\"} 0
b_total{side="out",reason="bad \\"x\\"\\n\\\\"} 1

# HELP c_bytes C
# TYPE c_bytes gauge
c_bytes 13

# HELP d_seconds D
# TYPE d_seconds histogram
d_seconds_bucket{le="0.5"} 1
d_seconds_bucket{le="1"} 2
d_seconds_bucket{le="+Inf"} 3
d_seconds_sum 9.25
d_seconds_count 3
`,
  );
});

Deno.test("Metrics holds nothing that was not declared", async () => {
  new Metrics().counter({ name: "a_total", help: "A" });
  assertEquals((await new Metrics().exposition()).trim(), "");
  assertEquals(await new Metrics().snapshot(), []);
});

Deno.test("Metrics.exposition() shows each series from the start and counts on", async () => {
  const metrics = new Metrics();
  const counter = metrics.counter({ name: "a_total", help: "A" });
  const lines = async () =>
    (await metrics.exposition()).split("\n").filter((line) => /^a/.test(line));
  assertEquals(await lines(), ["a_total 0"]);
  counter.inc();
  assertEquals(await lines(), ["a_total 1"]);
  counter.inc(0.5);
  assertEquals(await lines(), ["a_total 1.5"]);
  assertThrows(() => counter.inc(-1), RangeError);
  assertThrows(() => counter.inc(NaN), RangeError);
});

Deno.test("Metrics refuses label values that are not declared", async () => {
  const metrics = new Metrics();
  const options = {
    name: "a_total",
    help: "A",
    labels: { reason: ["bad", "late"] },
  } as const;
  const series = [
    metrics.counters(options),
    metrics.gauges({ ...options, name: "b" }),
    metrics.histograms({ ...options, name: "c", buckets: [1] }),
  ];
  const before = await metrics.exposition();
  const wrong = [
    { reason: "chosen by the peer" },
    { reason: "constructor" },
    {},
    { reason: "bad", more: "1" },
    { other: "bad" },
  ] as unknown as Labels<typeof options.labels>[];
  for (const labels of wrong) {
    for (const each of series) assertThrows(() => each.with(labels), TypeError);
  }
  assertEquals(await metrics.exposition(), before);
});

Deno.test("Metrics refuses bad declarations", () => {
  const metrics = new Metrics();
  metrics.counter({ name: "a_total", help: "A" });
  assertThrows(() => metrics.gauge({ name: "a_total", help: "A" }), TypeError);
  assertThrows(() => metrics.gauge({ name: "b", help: "" }), TypeError);
  for (const name of ["", "1a", "a-b", "a b", "le"]) {
    assertThrows(() => metrics.counter({ name, help: "H" }), TypeError);
    assertThrows(
      () => metrics.gauges({ name: "b", help: "H", labels: { [name]: ["x"] } }),
      TypeError,
    );
  }
  const values = Array.from({ length: MAX_SERIES / 2 }, (_, i) => `${i}`);
  const labels = { a: values, b: ["1", "2"] };
  metrics.counters({ name: "most_total", help: "H", labels });
  assertThrows(
    () =>
      metrics.counters({
        name: "more_total",
        help: "H",
        labels: { ...labels, c: ["1", "2"] },
      }),
    RangeError,
  );
  for (const buckets of [[2, 1], [1, 1], [NaN]]) {
    assertThrows(
      () => metrics.histogram({ name: "h", help: "H", buckets }),
      RangeError,
    );
  }
});

Deno.test("Metrics.counterFrom() and gaugeFrom() read when somebody looks", async () => {
  const metrics = new Metrics();
  const drops = { malformed: 1, replayed: 0 };
  let sessions = 3;
  metrics.counterFrom({
    name: "drops_total",
    help: "Drops",
    labels: { reason: ["malformed", "replayed"] },
    read: ({ reason }) => drops[reason],
  });
  metrics.gaugeFrom({ name: "sessions", help: "Open", read: () => sessions });
  const values = async () =>
    (await metrics.snapshot()).map(({ series }) =>
      series.map(({ value }) => value)
    );
  assertEquals(await values(), [[1, 0], [3]]);
  drops.replayed = 7;
  sessions = 0;
  assertEquals(await values(), [[1, 7], [0]]);
});

Deno.test("Metrics.snapshot() gives values, counts and quantiles", async () => {
  const metrics = new Metrics();
  metrics.counters({ name: "a_total", help: "A", labels: { k: ["x", "y"] } })
    .with({ k: "y" }).inc(4);
  const histogram = metrics.histograms({
    name: "b_seconds",
    help: "B",
    labels: { side: ["in", "out"] },
    buckets: [1, 2, 4],
  });
  for (let i = 0; i < 100; i++) {
    histogram.with({ side: "out" }).observe(i < 90 ? 1.5 : 3);
  }
  const none = { count: 0, p50: NaN, p95: NaN };
  const { p50, p95 } = { p50: 1 + 50 / 90, p95: 2 + 2 * 5 / 10 };
  assertEquals(await metrics.snapshot(), [
    {
      name: "a_total",
      type: "counter",
      help: "A",
      series: [{ labels: { k: "x" }, value: 0 }, {
        labels: { k: "y" },
        value: 4,
      }],
    },
    {
      name: "b_seconds",
      type: "histogram",
      help: "B",
      series: [
        { labels: { side: "in" }, value: 0, distribution: none },
        {
          labels: { side: "out" },
          value: 90 * 1.5 + 10 * 3,
          distribution: { count: 100, p50, p95 },
        },
      ],
    },
  ]);
});

Deno.test("metrics need no permission", async () => {
  const module = import.meta.resolve("../../src/core/metrics/mod.ts");
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", module],
    stderr: "piped",
  }).output();
  assertEquals(success, true, new TextDecoder().decode(stderr));
});
