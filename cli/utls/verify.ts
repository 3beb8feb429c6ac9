import {
  FALSE_ALARM_RATE,
  type HelloKind,
  MIN_SAMPLES,
  type Verdict,
  verifyHellos,
} from "../../src/utls/mod.ts";
import { CliError } from "../_error.ts";
import { type Command, command, type Context } from "../_main.ts";
import { table } from "../_table.ts";
import { browserVersion } from "./browser.ts";
import { captureHellos } from "./capture_hellos.ts";
import { readProfile } from "./profile_flag.ts";
import { reportPage } from "./report_page.ts";
import {
  drawSample,
  type HelloSample,
  readSample,
  sampleOf,
} from "./sample.ts";

const USAGE = `
Usage: betanet-utls verify [--browser <executable>] [--profile <profile>] [--count <n>]

Compares hellos drawn from a profile with those of a browser, which is run on this machine and kept from the network, or with
recorded ones. Exit code 1 if they can be told apart. Hellos of the same rules fail once in ${
  1 / FALSE_ALARM_RATE
} runs.

  --browser <executable>  a Chromium (chromium)
  --profile <profile>     a version of Chrome, latest, or a file (latest)
  --count <n>             hellos of each (2000)
  --kind <kind>           page, websocket, address or resumed (page)
  --reference <file>      in place of the browser: pcap, pcapng, a hello a line in hexadecimal, or a corpus (.json.gz)
  --hellos <file>         in place of the profile: as --reference
  --auc <low>-<high>      fail, too, if the area under the classifier's curve is outside, e.g. 0.47-0.53; want 5000 hellos for that
  --report <file>         also write a page of plots, an HTML file

Examples:
  betanet-utls verify
  betanet-utls verify --profile 131 --count 5000 --report report.html
  betanet-utls verify --hellos mine.pcap --kind websocket
`;

const KINDS: readonly HelloKind[] = [
  "page",
  "websocket",
  "address",
  "resumed",
];
const MAX_COUNT = 20_000;
const NOTE_EVERY = 1_000;

/** Compares hellos with a browser's. */
export const verify: Command = command({
  usage: USAGE,
  flags: {
    browser: "string",
    profile: "string",
    count: "string",
    kind: "string",
    reference: "string",
    hellos: "string",
    auc: "string",
    report: "string",
  },
  async run(flags, context) {
    requireUsed(flags);
    const kind = kindFlag(flags.kind);
    const count = countFlag(flags.count);
    const [low, high] = aucFlag(flags.auc);
    if (flags.report !== undefined) await Deno.writeTextFile(flags.report, "");
    const reference = flags.reference === undefined
      ? await capture(flags.browser ?? "chromium", kind, count, context)
      : cut(await readSample(flags.reference, kind, context), count);
    const ours = flags.hellos === undefined
      ? drawSample(readProfile(flags.profile), kind, reference)
      : cut(await readSample(flags.hellos, kind, context), count);
    const verdict = compare(ours, reference);
    if (flags.report !== undefined) {
      const page = reportPage(verdict, ours, reference);
      await Deno.writeTextFile(flags.report, page);
      context.note(`Plots are in ${flags.report}`);
    }
    context.print(verdict, text(verdict));
    const failed = verdict.checks.filter(({ pass }) => !pass);
    if (failed.length > 0) {
      throw new CliError(
        "failed",
        `${failed.length} of ${verdict.checks.length} checks failed`,
      );
    }
    if (verdict.auc < low || verdict.auc > high) {
      throw new CliError(
        "failed",
        `AUC ${verdict.auc.toFixed(3)} is not in ${low} to ${high}`,
      );
    }
  },
});

/** Refuses flags that another one leaves without effect. */
function requireUsed(flags: Readonly<Record<string, unknown>>): void {
  const useless = [
    ["profile", flags.hellos],
    ["browser", flags.reference],
    ["kind", `${flags.reference}`.endsWith(".gz") || undefined],
  ] as const;
  for (const [name, cause] of useless) {
    if (flags[name] === undefined || cause === undefined) continue;
    throw new CliError(
      "usage",
      `Flag --${name} has no effect on hellos that are in a file`,
    );
  }
}

function aucFlag(text = "0-1"): [low: number, high: number] {
  const [low = NaN, high = NaN] = /^[01](\.\d+)?-[01](\.\d+)?$/.test(text)
    ? text.split("-").map(Number)
    : [];
  if (low < high) return [low, high];
  throw new CliError("usage", "Flag --auc wants two areas, e.g. 0.47-0.53");
}

function kindFlag(text = "page"): HelloKind {
  const kind = KINDS.find((each) => each === text);
  if (kind) return kind;
  throw new CliError("usage", `Flag --kind wants ${KINDS.join(", ")}`);
}

function countFlag(text = "2000"): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= MIN_SAMPLES && count <= MAX_COUNT) {
    return count;
  }
  throw new CliError(
    "usage",
    `Flag --count wants ${MIN_SAMPLES} to ${MAX_COUNT}`,
  );
}

async function capture(
  executable: string,
  kind: HelloKind,
  count: number,
  { note, signal }: Context,
): Promise<HelloSample> {
  note(`${await browserVersion(executable, signal)}: ${count} hellos`);
  const { hellos, undecodable } = await captureHellos({
    executable,
    wanted: { [kind]: count },
    signal,
    progress: (hellos) =>
      hellos % NOTE_EVERY === 0 && note(`${hellos} of ${count} hellos`),
  });
  if (undecodable > 0) note(`${undecodable} connections without a hello`);
  return sampleOf(hellos.map(({ hello }) => hello), note);
}

function cut({ hellos, observations }: HelloSample, count: number) {
  return {
    hellos: hellos.slice(0, count),
    observations: observations.slice(0, count),
  };
}

function compare(ours: HelloSample, reference: HelloSample): Verdict {
  for (const { observations } of [ours, reference]) {
    if (observations.length >= MIN_SAMPLES) continue;
    throw new CliError(
      "failed",
      `Want ${MIN_SAMPLES} hellos or more, got ${observations.length}`,
    );
  }
  return verifyHellos(ours.observations, reference.observations);
}

function text({ checks, auc, interval, samples }: Verdict): string {
  const rows = checks.map((check) => [
    check.name,
    check.tests,
    check.pass && check.p === 1 ? "" : check.worst,
    check.statistic.toFixed(1),
    check.p.toPrecision(2),
    check.limit.toPrecision(2),
    check.pass ? "pass" : "FAIL",
  ]);
  const [low, high] = interval.map((bound) => bound.toFixed(3));
  return `${
    table(["check", "tests", "worst", "statistic", "p", "limit", ""], rows)
  }

AUC ${
    auc.toFixed(3)
  }, 95 % confidence ${low} to ${high} (DeLong, corrected for cross-validation); 0.5 is guessing
${samples.ours} hellos of ours, ${samples.reference} of the reference`;
}
