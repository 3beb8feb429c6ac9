/**
 * Encoding and decoding bundles on one thread: this repository, the crate bp7 and pyd3tn, in interleaved rounds over the same bundle.
 *
 * `deno run -A bench/peers/bundle.ts [--rounds n]` prints a Markdown table of medians and writes every round to
 * `bench/results/<date>-<cpu>-bundle.json`. It needs Cargo and Python, and the network once. The bytes of all are compared before
 * anything is timed. Decoding checks the bundle and its check values in all three. Leave the machine alone meanwhile.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { decodeHex } from "../../src/core/bytes/mod.ts";
import {
  CRC_TYPE,
  type CrcType,
  decodeBundle,
  encodeBundle,
} from "../../src/dtn/mod.ts";
import { buildCrate, LinePeer } from "../../tests/interop/_line_peer.ts";
import { hasPyd3tn, startPyd3tn } from "../../tests/interop/_pyd3tn.ts";
import { timedBundle } from "../_timed_bundle.ts";
import { storeResults } from "./_store_results.ts";

const flags = parseArgs(Deno.args, {
  string: ["rounds"],
  default: { rounds: "7" },
});
/** Payloads in bytes, and how often a round does each thing with them. */
const SIZES = [[3, 100_000], [10_000, 10_000], [1_000_000, 100]] as const;
const NAMES = [
  "create and encode",
  "encode",
  "encode into the same memory",
  "decode and check",
] as const;
const CRATE = "bp7 0.10.7";
const PYTHON = "pyd3tn 0.15.2";

type Figures = Record<string, Record<string, number>>;

if (!hasPyd3tn("bench/peers/bundle.ts")) Deno.exit(1);
await using crate = new LinePeer(await buildCrate("bp7_peer"));
await using python = startPyd3tn();
const rounds: Figures[] = [];
for (let i = 0; i < Number(flags.rounds); i++) {
  const round: Figures = {};
  for (const [size, times] of SIZES) await measure(round, size, times);
  rounds.push(round);
}
// deno-lint-ignore no-console -- the table is for the person who ran this
console.log(table());
await storeResults("-bundle", { rounds });

/** Adds bundles a second of all three with `size` bytes of payload to `round`. */
async function measure(round: Figures, size: number, times: number) {
  const answers = await crate.ask([`time ${times} ${size}`], 3);
  for (const [i, [name, crcType]] of Object.entries(CRC_TYPE).entries()) {
    const [, , create, encode, , validate, hex] = answers[i]!;
    const payload = new Uint8Array(size).fill(65);
    const bytes = encodeBundle(timedBundle(payload, crcType));
    assertEquals(bytes.toHex(), hex);
    const few = Math.ceil(times / 1_000);
    const [words] = await python.ask([`time ${few} ${hex}`]);
    const [ok, pythonEncode, , pythonDecode] = words!;
    assertEquals(ok, "ok");
    const crateSeconds = [create, encode, encode, validate];
    for (const [j, seconds] of secondsOf(payload, crcType, times).entries()) {
      round[`${NAMES[j]}, ${size} B, ${name}`] = {
        betanet: times / seconds,
        [CRATE]: times / Number(crateSeconds[j]),
        [PYTHON]: few / Number([NaN, pythonEncode, NaN, pythonDecode][j]),
      };
    }
  }
}

function secondsOf(
  payload: Uint8Array,
  crcType: CrcType,
  times: number,
): number[] {
  const bundle = timedBundle(payload, crcType);
  const bytes = decodeHex(encodeBundle(bundle).toHex());
  const into = new Uint8Array(bytes.length);
  return [
    () => encodeBundle(timedBundle(payload, crcType)),
    () => encodeBundle(bundle),
    () => encodeBundle(bundle, {}, into),
    () => decodeBundle(bytes),
  ].map((work) => {
    const start = performance.now();
    for (let i = 0; i < times; i++) work();
    return (performance.now() - start) / 1_000;
  });
}

function table(): string {
  const rows = Object.keys(rounds[0]!).map((work) => {
    const rate = (name: string) =>
      median(rounds.map((round) => round[work]![name]!));
    const rates = ["betanet", CRATE, PYTHON].map(rate);
    const ratio = (rates[0]! / rates[1]!).toFixed(2);
    const cells = rates.map((each) => isNaN(each) ? "" : Math.round(each));
    return `| ${[work, ...cells, ratio].join(" | ")} |`;
  });
  return [
    `| bundles/s, one thread | betanet | ${CRATE} | ${PYTHON} | of the crate |`,
    "| --- | ---: | ---: | ---: | ---: |",
    ...rows,
  ].join("\n");
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
