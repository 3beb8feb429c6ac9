/**
 * A mixnode from socket to socket: one process with its worker threads takes packets off an authenticated link, unwraps, remembers and
 * delays them, and sends them on over another; its peers are in this process.
 *
 * `deno run -A bench/mixnode.ts [--seconds 60] [--threads n] [--patience minutes]` prints a Markdown table and writes all figures to
 * `bench/results/<date>-<cpu>-mixnode.json`. Linux. Packets are made beforehand, which takes about as long as the run. First the node
 * gets as many as it takes: packets a second, in windows of 10 s. Then it gets 70 % of that as a Poisson process: how much longer than
 * asked packets stay. Every packet that comes out is compared with what must come out, and all must come out once. With
 * patience it waits until other jobs leave the machine alone.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { delay, systemClock } from "../src/core/async/mod.ts";
import type { CryptoProvider } from "../src/core/crypto/mod.ts";
import { silentLogger } from "../src/core/log/mod.ts";
import { parseAddress } from "../src/core/transport/mod.ts";
import { sphinxGeometry, unwrapPacket } from "../src/mixnet/mod.ts";
import { openMixCrypto } from "../cli/mixnode/open_mix_crypto.ts";
import { ROLES } from "../cli/_roles.ts";
import { busyS, cpuIn, MixnodeChild } from "./_mixnode_child.ts";
import { Load } from "./_mixnode_load.ts";
import { type BenchNetwork, foundNetwork } from "./_mixnode_network.ts";
import { PreparedPackets } from "./_mixnode_packets.ts";
import { storeResults } from "./peers/_store_results.ts";

const WARM_UP_MS = 3_000;
const WINDOW_MS = 10_000;
const PACED_SHARE = 0.7;
const TARGET = 0.7;
const RATE_PACKETS = 2_000;
const MEAN_DELAY_MS = 20;

const flags = parseArgs(Deno.args, {
  string: ["seconds", "paced-seconds", "threads", "patience"],
  default: {
    patience: "0",
    seconds: "60",
    "paced-seconds": "20",
    threads: String(Math.max(1, navigator.hardwareConcurrency - 1)),
  },
});
const seconds = Number(flags.seconds);
const pacedSeconds = Number(flags["paced-seconds"]);
const threads = Number(flags.threads);

const crypto = openMixCrypto("auto", silentLogger);
await using network = await foundNetwork(crypto, MEAN_DELAY_MS);
const few = await prepare(RATE_PACKETS);
const aloneBefore = unwrapRate(crypto, network, few);
/** By processor time, as a busy machine makes the rate look low. */
const mostPerS = 1.1e6 / aloneBefore.cpuUs * threads;
const pacedPackets = mostPerS * PACED_SHARE * pacedSeconds;
const packets = await prepare(
  mostPerS * (seconds + WARM_UP_MS / 1_000) + pacedPackets,
);
await quiet(Number(flags.patience));
const figures = await measure();
const aloneAfter = unwrapRate(crypto, network, few);
await report();

/** Packets from this process over the node and back. */
async function measure() {
  const { port } = parseAddress(network.nodeAddress);
  await using node = await MixnodeChild.start(
    [
      ...["run", "--quiet", ...ROLES.mixnode.flags],
      new URL(`../${ROLES.mixnode.entry}`, import.meta.url).pathname,
      ...["start", "--config", network.configPath],
      ...["--workers", String(threads), "--quiet", "--log-level", "warn"],
    ],
    network.metricsUrl,
    port,
  );
  await using load = await Load.start(crypto, network, packets);
  const sustained = await flood(node, load);
  const paced = await pace(load, PACED_SHARE * sustained.packetsPerS);
  const metrics = await node.metrics();
  return { sustained, paced, metrics };
}

/** Waits until other jobs take less than a fifth of a processor for 5 s, but no longer than `minutes`. */
async function quiet(minutes: number): Promise<void> {
  const endMs = systemClock.now() + minutes * 60_000;
  for (let s = 5; s > 1 && systemClock.now() < endMs;) {
    const startS = busyS();
    await delay(systemClock, 5_000);
    s = busyS() - startS;
  }
}

async function flood(node: MixnodeChild, load: Load) {
  const startMs = systemClock.now() + WARM_UP_MS;
  const endMs = startMs + seconds * 1_000;
  const flooding = load.flood(endMs, pacedPackets);
  await delay(systemClock, WARM_UP_MS);
  const before = usage(node, load);
  await flooding;
  const after = usage(node, load);
  await load.settle();
  const count = after.arrived - before.arrived;
  const tookMs = after.atMs - before.atMs;
  const perPacketUs = (s: number) => s / count * 1e6;
  const windows = [];
  for (let at = before.atMs; at + WINDOW_MS <= after.atMs; at += WINDOW_MS) {
    const inWindow = load.arrivedMs.reduce(
      (sum, ms) => sum + Number(ms >= at && ms < at + WINDOW_MS),
      0,
    );
    windows.push(inWindow * 1_000 / WINDOW_MS);
  }
  return {
    seconds: tookMs / 1_000,
    packetsPerS: count * 1_000 / tookMs,
    windowsPerS: windows,
    cpuPerPacketUs: perPacketUs(after.cpuS - before.cpuS),
    peersCpuPerPacketUs: perPacketUs(after.peersCpuS - before.peersCpuS),
    threadsPerPacketUs: Object.fromEntries(
      [...after.threadsS]
        .map(([name, s]) =>
          [name, perPacketUs(s - (before.threadsS.get(name) ?? 0))] as const
        )
        .filter(([, us]) => us >= 1),
    ),
    othersCores: (after.busyS - before.busyS - (after.cpuS - before.cpuS) -
      (after.peersCpuS - before.peersCpuS)) * 1_000 / tookMs,
    rssStartBytes: before.rssBytes,
    rssEndBytes: after.rssBytes,
  };
}

function usage(node: MixnodeChild, load: Load) {
  return {
    atMs: systemClock.now(),
    arrived: load.arrived,
    cpuS: node.cpuS,
    threadsS: node.threadsS,
    peersCpuS: ownCpuS("self"),
    busyS: busyS(),
    rssBytes: node.rssBytes,
  };
}

async function pace(load: Load, perSecond: number) {
  const first = load.sent;
  const startMs = systemClock.now();
  await load.pace(perSecond, startMs + pacedSeconds * 1_000);
  await load.settle();
  const beyondMs: number[] = [];
  for (let i = first; i < load.sent; i++) {
    if (load.sentMs[i]! < startMs + WARM_UP_MS) continue;
    beyondMs.push(load.arrivedMs[i]! - load.sentMs[i]! - packets.delayMs(i));
  }
  beyondMs.sort((a, b) => a - b);
  const quantile = (q: number) => beyondMs[Math.floor(q * beyondMs.length)]!;
  return {
    packetsPerS: perSecond,
    packets: beyondMs.length,
    beyondP50Ms: quantile(0.5),
    beyondP99Ms: quantile(0.99),
    beyondMaxMs: beyondMs.at(-1)!,
  };
}

function prepare(count: number): Promise<PreparedPackets> {
  const { payloadLength, meanDelayMs, maxDelayMs } = network.parameters;
  const { packetLength } = sphinxGeometry(payloadLength);
  const { node, sink } = network;
  return PreparedPackets.make(packetLength, {
    ...{ count, payloadLength, meanDelayMs, maxDelayMs, node, sink },
  });
}

/** What one thread unwraps that does nothing else: the median of five rounds, and processor time per packet. */
function unwrapRate(
  crypto: CryptoProvider,
  { node, parameters }: BenchNetwork,
  packets: PreparedPackets,
) {
  const geometry = sphinxGeometry(parameters.payloadLength);
  const cpuS = ownCpuS("thread-self");
  const rates = Array.from({ length: 5 }, () => {
    const startMs = systemClock.now();
    for (let i = 0; i < RATE_PACKETS; i++) {
      unwrapPacket(crypto, geometry, node.privateKey, packets.packet(i));
    }
    return RATE_PACKETS * 1_000 / (systemClock.now() - startMs);
  });
  return {
    perS: rates.sort((a, b) => a - b)[2]!,
    cpuUs: (ownCpuS("thread-self") - cpuS) / (5 * RATE_PACKETS) * 1e6,
  };
}

function ownCpuS(who: "self" | "thread-self"): number {
  return cpuIn(Deno.readTextFileSync(`/proc/${who}/stat`));
}

async function report(): Promise<void> {
  const { sustained, paced } = figures;
  const unwrapPerS = Math.max(aloneBefore.perS, aloneAfter.perS);
  const ratio = sustained.packetsPerS / (threads * unwrapPerS);
  const mib = (bytes: number) => Math.round(bytes / 2 ** 20);
  const rows: readonly (readonly [string, string | number])[] = [
    ["provider", crypto.name],
    ["unwrap threads", threads],
    [
      "unwrapping alone, one thread, packets/s",
      `${Math.round(aloneBefore.perS)} before, ${
        Math.round(aloneAfter.perS)
      } after`,
    ],
    [
      "its CPU per packet, us",
      Math.min(aloneBefore.cpuUs, aloneAfter.cpuUs).toFixed(0),
    ],
    [
      `sustained over ${sustained.seconds.toFixed(1)} s, packets/s`,
      Math.round(sustained.packetsPerS),
    ],
    [
      "in windows of 10 s",
      sustained.windowsPerS.map(Math.round).join(", "),
    ],
    [
      "of threads x unwrapping",
      `${ratio.toFixed(2)} (target ${TARGET}: ${
        ratio >= TARGET ? "met" : "missed"
      })`,
    ],
    ["CPU of the node per packet, us", sustained.cpuPerPacketUs.toFixed(0)],
    [
      "by thread",
      Object.entries(sustained.threadsPerPacketUs)
        .map(([name, us]) => `${name.replace(/ \d+$/, "")} ${us.toFixed(0)}`)
        .join(", "),
    ],
    [
      "CPU of its peers per packet, us",
      sustained.peersCpuPerPacketUs.toFixed(0),
    ],
    ["cores that other jobs had meanwhile", sustained.othersCores.toFixed(2)],
    [
      "memory of the node, MiB",
      `${mib(sustained.rssStartBytes)} at start, ${
        mib(sustained.rssEndBytes)
      } at end`,
    ],
    [
      `beyond the delay at ${Math.round(paced.packetsPerS)} packets/s, ms`,
      `p50 ${paced.beyondP50Ms.toFixed(1)}, p99 ${
        paced.beyondP99Ms.toFixed(1)
      }`,
    ],
    [
      "dropped",
      Object.entries(figures.metrics)
        .filter(([name, value]) => /_drops_total /.test(name) && value > 0)
        .map(([name, value]) => `${name} ${value}`).join(", ") || "none",
    ],
  ];
  const table = [["mixnode", ""], ["---", "---"], ...rows];
  // deno-lint-ignore no-console -- the table is for the person who ran this
  console.log(table.map((row) => `| ${row.join(" | ")} |`).join("\n"));
  await storeResults("-mixnode", {
    provider: crypto.name,
    ...{ threads, unwrapBefore: aloneBefore, unwrapAfter: aloneAfter },
    ...{ ratio, ...figures },
  });
}
