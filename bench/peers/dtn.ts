/**
 * Bundles through a node that keeps them on disk: `betanet-dtn` and dtnd (dtn7-rs), in interleaved rounds, over TCPCLv4 on loopback.
 * Generator and sink are the same for both, in this process; each relay is a process of its own, and keeps what it is given on disk.
 *
 * `deno run -A --unstable-net bench/peers/dtn.ts [--rounds n] [--relays name;…]` prints a Markdown table of medians and writes every
 * round to `bench/results/<date>-<cpu>-dtn.json`. It needs Cargo, and the network once. The SHA-256 of every payload that comes out is
 * compared with what went in before a time counts. Leave the machine alone meanwhile.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { makeFolder } from "../../tests/cli/_htx_process.ts";
import { canHaveDtn7 } from "../../tests/interop/_dtn7.ts";
import { processorSeconds, RELAYS, residentMib } from "./_dtn_relays.ts";
import { DtnTraffic } from "./_dtn_traffic.ts";
import { storeResults } from "./_store_results.ts";

const flags = parseArgs(Deno.args, {
  string: ["rounds", "relays"],
  boolean: ["store"],
  negatable: ["store"],
  default: { rounds: "3", relays: Object.keys(RELAYS).join(";"), store: true },
});
const names: readonly string[] = flags.relays.split(";");
/** Bytes of payload, and how many such bundles are given to a relay at once, again and again for some seconds. */
const SIZES = [[100, 1_000], [10_000, 200], [1_000_000, 40]] as const;
const MIN_SECONDS = 4;
const PINGS = 200;

type Figures = Record<string, number>;

if (!canHaveDtn7("bench/peers/dtn.ts")) Deno.exit(1);
const rounds: Record<string, Figures>[] = [];
for (let i = 0; i < Number(flags.rounds); i++) {
  const round: Record<string, Figures> = {};
  for (const name of names) round[name] = await measure(name);
  rounds.push(round);
}
// deno-lint-ignore no-console -- the table is for the person who ran this
console.log(table());
if (flags.store) await storeResults("-dtn", { rounds });

/** What one relay does, from its start. */
async function measure(name: string): Promise<Figures> {
  await using traffic = await DtnTraffic.start();
  await using folder = await makeFolder();
  await using relay = await RELAYS[name]!(traffic.sinkPort, folder.path);
  await traffic.connect(relay.address);
  const figures: Figures = {};
  for (const [size, count] of SIZES) await traffic.relay(size, count / 20);
  await traffic.ping(PINGS / 5);
  const times = (await traffic.ping(PINGS)).toSorted((a, b) => a - b);
  figures["ping p50, ms"] = times[Math.floor(times.length * 0.5)]!;
  figures["ping p99, ms"] = times[Math.floor(times.length * 0.99)]!;
  for (const [size, count] of SIZES) {
    let [bundles, seconds] = [0, 0];
    const before = processorSeconds(relay.pid);
    for (; seconds < MIN_SECONDS; bundles += count) {
      seconds += await traffic.relay(size, count);
    }
    const processorS = processorSeconds(relay.pid) - before;
    figures[`${size} B, bundles/s`] = bundles / seconds;
    figures[`${size} B, MB/s`] = bundles * size / seconds / 1e6;
    figures[`${size} B, processor ms`] = processorS / bundles * 1_000;
  }
  figures["resident, MiB"] = residentMib(relay.pid);
  return figures;
}

function table(): string {
  const what = Object.keys(rounds[0]![names[0]!]!);
  const rows = what.map((each) => {
    const cells = names.map((name) =>
      median(rounds.map((round) => round[name]![each]!)).toFixed(
        each.endsWith("bundles/s") ? 0 : 2,
      )
    );
    return `| ${[each, ...cells].join(" | ")} |`;
  });
  return [
    `| | ${names.join(" | ")} |`,
    `| --- |${" ---: |".repeat(names.length)}`,
    ...rows,
  ].join("\n");
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
