/**
 * A node that starts with many bundles in its store: `betanet-dtn` with a million, dtnd (dtn7-rs) with as many as it is given.
 *
 * `deno run -A --unstable-net bench/peers/dtn_stored.ts [--bundles n] [--dtnd-bundles n] [--folder path]` prints a Markdown table and
 * writes it to `bench/results/<date>-<cpu>-dtn-stored.json`. It needs Cargo, and the network once. Our store is filled without the node,
 * which takes minutes; one in `folder` is used again. dtnd is given its bundles over TCPCLv4. Bundles have 100 B of payload.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { delay, systemClock } from "../../src/core/async/mod.ts";
import { makeFolder } from "../../tests/cli/_htx_process.ts";
import { canHaveDtn7 } from "../../tests/interop/_dtn7.ts";
import { fillStore } from "./_dtn_fill.ts";
import { RELAYS, residentMib } from "./_dtn_relays.ts";
import { DtnTraffic } from "./_dtn_traffic.ts";
import { storeResults } from "./_store_results.ts";

const flags = parseArgs(Deno.args, {
  string: ["bundles", "dtnd-bundles", "folder"],
  default: { bundles: "1000000", "dtnd-bundles": "10000" },
});
const NAMES = ["betanet, normal", "dtnd, sled", "dtnd, sneakers"] as const;
const BUSY_MS = 20_000;

interface Row {
  readonly node: string;
  readonly bundles: number;
  /** From the start of the process until it takes contacts. */
  readonly startSeconds: number;
  readonly startMib: number;
  /** Bundles that the sink had when it was in contact for 20 s. */
  readonly sent: number;
  /** The most memory by then. */
  readonly peakMib: number;
}

if (!canHaveDtn7("bench/peers/dtn_stored.ts")) Deno.exit(1);
const rows: Row[] = [];
for (const name of NAMES) rows.push(await measure(name));
// deno-lint-ignore no-console -- the table is for the person who ran this
console.log(table());
await storeResults("-dtn-stored", { rows });

async function measure(node: typeof NAMES[number]): Promise<Row> {
  await using made = await makeFolder();
  const isOurs = node.startsWith("betanet");
  const folder = isOurs ? flags.folder ?? made.path : made.path;
  const bundles = Number(isOurs ? flags.bundles : flags["dtnd-bundles"]);
  await using traffic = await DtnTraffic.start();
  if (!isOurs) await giveAway(node, folder, bundles);
  else if (!await hasStore(folder)) await fillStore(folder, bundles);
  const startMs = performance.now();
  await using relay = await RELAYS[node]!(traffic.sinkPort, folder);
  const startSeconds = (performance.now() - startMs) / 1_000;
  const startMib = residentMib(relay.pid);
  await delay(systemClock, BUSY_MS);
  const sent = traffic.receivedCount;
  const peakMib = residentMib(relay.pid, "peak");
  return { node, bundles, startSeconds, startMib, sent, peakMib };
}

/** Fills the store of a node that has nobody to send to, and kills it. */
async function giveAway(node: string, folder: string, bundles: number) {
  await using traffic = await DtnTraffic.start();
  await using relay = await RELAYS[node]!(1, folder);
  await traffic.connect(relay.address);
  assertEquals(await traffic.store(bundles), bundles);
}

async function hasStore(folder: string): Promise<boolean> {
  return await Deno.stat(`${folder}/bundles.sqlite`).then(
    () => true,
    () => false,
  );
}

function table(): string {
  const cells = rows.map((row) =>
    [
      ...[row.node, row.bundles, row.startSeconds.toFixed(2)],
      ...[Math.round(row.startMib), row.sent, Math.round(row.peakMib)],
    ].join(" | ")
  );
  return [
    "| | bundles stored | start, s | resident, MiB | sent in 20 s | resident at most, MiB |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
    ...cells.map((each) => `| ${each} |`),
  ].join("\n");
}
