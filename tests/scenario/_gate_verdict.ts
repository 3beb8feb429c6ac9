import { chiSquareP, normalP } from "../../src/utls/verify/p_value.ts";
import { compareCounts, count } from "../../src/utls/verify/counts.ts";
import { separate } from "../statistics/_boosted_stumps.ts";
import { ByteTally } from "../statistics/_byte_tally.ts";
import { oneSampleKs, twoSampleKs } from "../statistics/_kolmogorov_smirnov.ts";
import {
  autocorrelation,
  dispersion,
  poissonDispersionP,
  windowCounts,
} from "../statistics/_point_process.ts";
import type { LinkWrite } from "./_link_trace.ts";
import { type Directions, type Span, windowsOf } from "./_trace_windows.ts";

/** The chance that two runs of one behaviour fail one of the tests that have a p. */
const FALSE_ALARM_RATE = 0.01;
const AUC_BOUNDS = [0.47, 0.53] as const;
const DISPERSION_WINDOWS_MS = [250, 1_000, 4_000, 15_000];
/** The dispersion of fewer counts says nothing. */
const MIN_COUNTS = 20;
const LAGS = 10;

/** Links of one sort, in both runs over the same length of time. */
export interface LinkGroup {
  /** Of the sort. */
  readonly name: string;
  /** Bytes of one frame. */
  readonly frameLength: number;
  /** Frames per second of each direction, if each is a Poisson process of that rate by design. */
  readonly ratePerSecond?: Readonly<Record<string, number>>;
  /** Length of a classifier's windows, in milliseconds. */
  readonly windowMs: number;
  /** Links of the run without real traffic, and its time. */
  readonly cover: Arm;
  /** Links of the run with real traffic, and its time. */
  readonly real: Arm;
}

/** The links of one run. */
export interface Arm extends Span {
  /** Each with its directions. */
  readonly links: readonly Directions[];
}

/** One row of the gate's table. */
export interface Finding {
  /** Sort of links, and direction. */
  readonly links: string;
  /** What was compared. */
  readonly statistic: string;
  /** Of how many, in the run without and with real traffic. */
  readonly n: readonly [number, number];
  /** What it came to. */
  readonly value: string;
  /** The chance of such a value if nothing differs; absent of an area. */
  readonly p?: number;
  /** Area under the classifier's curve. */
  readonly auc?: number;
}

/** What the gate says. */
export interface Verdict {
  /** All rows. */
  readonly findings: readonly Finding[];
  /** Those that tell the runs apart. */
  readonly failed: readonly Finding[];
  /** The smallest p that passes: the false alarm rate of 1 % shared by all tests. */
  readonly leastP: number;
}

/** Compares the two runs by everything. */
export function judge(groups: readonly LinkGroup[]): Verdict {
  const findings = groups.flatMap((group) => [
    ...Object.keys(group.cover.links[0]!).flatMap((direction) =>
      directionFindings(group, direction)
    ),
    classify(group),
  ]);
  const tests = findings.filter(({ p }) => p !== undefined).length;
  const leastP = FALSE_ALARM_RATE / tests;
  const failed = findings.filter(({ p, auc }) =>
    p !== undefined
      ? !(p >= leastP)
      : !(auc! >= AUC_BOUNDS[0] && auc! <= AUC_BOUNDS[1])
  );
  return { findings, failed, leastP };
}

/** The table, one row a finding. */
export function tableOf({ findings, failed, leastP }: Verdict): string {
  const rows = findings.map((finding) => {
    const { links, statistic, n, value, p } = finding;
    return [
      failed.includes(finding) ? "FAIL" : "ok",
      links,
      statistic,
      n.join(" / "),
      value,
      p === undefined ? "" : p < 1e-4 ? p.toExponential(1) : p.toFixed(4),
    ];
  });
  const all = [
    ["", "links", "statistic", "n cover / real", "value", "p"],
    ...rows,
  ];
  const widths = all[0]!.map((_, j) =>
    Math.max(...all.map((row) => row[j]!.length))
  );
  return [
    ...all.map((row) =>
      row.map((cell, j) => cell.padEnd(widths[j]!)).join("  ").trimEnd()
    ),
    `fails below p ${leastP.toExponential(1)} and outside AUC ${
      AUC_BOUNDS.join("–")
    }`,
  ].join("\n");
}

function directionFindings(group: LinkGroup, direction: string): Finding[] {
  const links = `${group.name}, ${direction}`;
  const [cover, real] = [group.cover, group.real].map((arm) =>
    new Sample(arm, direction)
  ) as [Sample, Sample];
  const n = [cover.gaps.length, real.gaps.length] as const;
  const finding = (
    statistic: string,
    value: string,
    p: number,
    of: readonly [number, number] = n,
  ): Finding => ({ links, statistic, n: of, value, p });
  const rate = group.ratePerSecond?.[direction];
  const gaps = twoSampleKs(cover.gaps, real.gaps);
  return [
    finding(
      "frames per second",
      `${cover.rate.toFixed(3)} / ${real.rate.toFixed(3)}`,
      ratesP(cover, real),
      [cover.frames, real.frames],
    ),
    ...cover.perLink.length < 2 ? [] : [cover, real].map((sample, i) => {
      const even = sample.frames / sample.perLink.length;
      const statistic = sample.perLink
        .reduce((sum, count) => sum + (count - even) ** 2 / even, 0);
      return finding(
        `writes per link, χ² of even, ${i ? "real" : "cover"}`,
        `${Math.min(...sample.perLink)}–${Math.max(...sample.perLink)}`,
        chiSquareP(statistic, sample.perLink.length - 1),
        [cover.perLink.length, real.perLink.length],
      );
    }),
    finding("gaps, KS", `D ${gaps.distance.toFixed(4)}`, gaps.p),
    ...rate === undefined ? [] : [cover, real].map((sample, i) => {
      const { distance, p } = oneSampleKs(
        sample.gaps,
        (ms) => -Math.expm1(-ms * rate / 1_000),
      );
      const name = `gaps, KS with Exp, ${i ? "real" : "cover"}`;
      return finding(name, `D ${distance.toFixed(4)}`, p);
    }),
    ...DISPERSION_WINDOWS_MS.flatMap((windowMs) => {
      const counts = [cover.counts(windowMs), real.counts(windowMs)] as const;
      const values = counts.map(dispersion);
      const of = [counts[0].length, counts[1].length] as const;
      if (Math.min(...of) < MIN_COUNTS) return [];
      const name = `dispersion, ${windowMs / 1_000} s`;
      const shown = values.map((value) => value.toFixed(3)).join(" / ");
      const spread = Math.sqrt(2 / (of[0] - 1) + 2 / (of[1] - 1));
      const z = Math.log(values[0]! / values[1]!) / spread;
      return [
        finding(name, shown, normalP(z), of),
        ...rate === undefined ? [] : values.map((value, i) =>
          finding(
            `${name}, of Poisson, ${i ? "real" : "cover"}`,
            value.toFixed(3),
            poissonDispersionP(value, of[i]!),
            of,
          )
        ),
      ];
    }),
    ...autocorrelations(cover, real, finding, rate !== undefined),
    lengths(cover, real, group, finding),
    ...bytes(cover, real, group, finding),
  ];
}

type MakeFinding = (
  statistic: string,
  value: string,
  p: number,
  n?: readonly [number, number],
) => Finding;

function autocorrelations(
  cover: Sample,
  real: Sample,
  finding: MakeFinding,
  isPoisson: boolean,
): Finding[] {
  const [a, b] = [cover, real].map(({ streams }) =>
    Array.from({ length: LAGS }, (_, k) => pooledCorrelation(streams, k + 1))
  ) as [number[], number[]];
  const [n, m] = [cover.gaps.length, real.gaps.length];
  const square = (values: readonly number[], weight: number) =>
    values.reduce((sum, value) => sum + value * value, 0) * weight;
  const most = (values: readonly number[]) =>
    Math.max(...values.map(Math.abs)).toFixed(3);
  const name = `autocorrelation, lags 1–${LAGS}`;
  const differences = a.map((value, k) => value - b[k]!);
  return [
    finding(
      name,
      `largest ${most(a)} / ${most(b)}`,
      chiSquareP(square(differences, 1 / (1 / n + 1 / m)), LAGS),
    ),
    ...isPoisson
      ? [finding(
        `${name}, of Poisson`,
        `Q ${square(a, n).toFixed(1)} / ${square(b, m).toFixed(1)}`,
        Math.min(
          1,
          2 * Math.min(
            chiSquareP(square(a, n), LAGS),
            chiSquareP(square(b, m), LAGS),
          ),
        ),
      )]
      : [],
  ];
}

/** Over links, each with the weight of its gaps. */
function pooledCorrelation(
  streams: readonly (readonly number[])[],
  lag: number,
): number {
  const total = streams.reduce((sum, { length }) => sum + length, 0);
  return streams.reduce(
    (sum, gaps) => sum + autocorrelation(gaps, lag) * gaps.length / total,
    0,
  );
}

function lengths(
  cover: Sample,
  real: Sample,
  { frameLength }: LinkGroup,
  finding: MakeFinding,
): Finding {
  const of = ({ writes }: Sample) => count(writes, ({ bytes }) => bytes.length);
  const [a, b] = [of(cover), of(real)];
  const { p } = compareCounts("lengths", a, b);
  const whole = [...a.keys(), ...b.keys()].every((length) =>
    Number(length) % frameLength === 0
  );
  const shown = [...new Set([...a.keys(), ...b.keys()])].slice(0, 4).join(", ");
  return finding(
    "lengths of writes",
    shown,
    whole ? p : 0,
    [cover.writes.length, real.writes.length],
  );
}

function bytes(
  cover: Sample,
  real: Sample,
  { frameLength }: LinkGroup,
  finding: MakeFinding,
): Finding[] {
  const tallies = [cover, real].map((sample) => sample.tally(frameLength)) as [
    ByteTally,
    ByteTally,
  ];
  const of = [tallies[0].bytes, tallies[1].bytes] as const;
  const frames = [tallies[0].messages, tallies[1].messages] as const;
  const same = tallies[0].compare(tallies[1]);
  return [
    finding("bytes, χ² of both", same.statistic.toFixed(1), same.p, of),
    ...tallies.flatMap((tally, i) => {
      const arm = i ? "real" : "cover";
      const all = tally.uniform();
      const places = tally.uniformPlaces();
      return [
        finding(
          `bytes, χ² of uniform, ${arm}`,
          all.statistic.toFixed(1),
          all.p,
          of,
        ),
        finding(
          `bytes, χ² at each place, ${arm}`,
          `worst at ${places.place}`,
          places.p,
          frames,
        ),
      ];
    }),
  ];
}

function classify(
  { name, windowMs, cover, real }: LinkGroup,
): Finding {
  const [a, b] = [cover, real].map((arm) =>
    windowsOf(arm.links, arm, windowMs)
  );
  const { auc, interval, byChance, n, asked } = separate(
    a!.names,
    b!.rows,
    a!.rows,
  );
  const shown = (range: readonly number[]) =>
    range.map((x) => x.toFixed(3)).join("–");
  return {
    links: name,
    statistic: `AUC, windows of ${windowMs} ms`,
    n: [n[1], n[0]],
    value: `${auc.toFixed(4)} (95 %: ${shown(interval)}; by chance ${
      shown(byChance)
    }), most by ${asked.slice(0, 2).join(", ")}`,
    auc,
  };
}

/** One direction of all links of an arm. */
class Sample {
  readonly writes: readonly LinkWrite[];
  /** Gaps in milliseconds, link by link. */
  readonly streams: readonly (readonly number[])[];
  readonly gaps: readonly number[];
  readonly #arm: Arm;
  readonly #links: readonly (readonly LinkWrite[])[];

  constructor(arm: Arm, direction: string) {
    this.#arm = arm;
    this.#links = arm.links.map((link) =>
      link[direction]!.filter(({ atMs }) =>
        atMs >= arm.fromMs && atMs < arm.untilMs
      )
    );
    this.writes = this.#links.flat();
    this.streams = this.#links.map((writes) =>
      writes.slice(1).map(({ atMs }, i) => atMs - writes[i]!.atMs)
    );
    this.gaps = this.streams.flat();
  }

  get frames(): number {
    return this.writes.length;
  }

  get perLink(): readonly number[] {
    return this.#links.map(({ length }) => length);
  }

  /** Seconds, over all links. */
  get seconds(): number {
    const { fromMs, untilMs } = this.#arm;
    return this.#links.length * (untilMs - fromMs) / 1_000;
  }

  /** Writes per second and link. */
  get rate(): number {
    return this.frames / this.seconds;
  }

  counts(windowMs: number): number[] {
    const { fromMs, untilMs } = this.#arm;
    return this.#links.flatMap((writes) =>
      windowCounts(writes.map(({ atMs }) => atMs), fromMs, untilMs, windowMs)
    );
  }

  tally(frameLength: number): ByteTally {
    const tally = new ByteTally(frameLength);
    for (const { bytes } of this.writes) tally.add(bytes);
    return tally;
  }
}

/** Whether two Poisson processes have one rate. */
function ratesP(a: Sample, b: Sample): number {
  const variance = a.frames / a.seconds ** 2 + b.frames / b.seconds ** 2;
  return normalP((a.rate - b.rate) / Math.sqrt(variance));
}
