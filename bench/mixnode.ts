/**
 * A mixnode from socket to socket: one process with its worker threads takes packets off an authenticated link, unwraps, remembers and
 * delays them, and sends them on over another; its peers are in this process.
 *
 * `deno run -A bench/mixnode.ts [--seconds 60] [--threads n]` prints two Markdown tables and writes all figures to
 * `bench/results/<date>-<cpu>-mixnode.json`. Linux. Packets are made beforehand, which takes about as long as the run. First the node
 * gets as many as it takes: packets a second, in windows of 10 s. Then it gets 70 % of that as a Poisson process: how much longer than
 * asked packets stay. Every packet that comes out is compared with what must come out, and all must come out once.
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
import { cpuIn, MixnodeChild } from "./_mixnode_child.ts";
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
  string: ["seconds", "paced-seconds", "threads"],
  default: {
    seconds: "60",
    "paced-seconds": "20",
    threads: String(Math.max(1, navigator.hardwareConcurrency - 1)),
  },
});
const seconds = Number(flags.seconds);
const pacedSeconds = Number(flags["paced-seconds"]);
const threads = Number(flags.threads);

const crypto = openMixCrypto("auto", silentLogger);
await using network = await foundNetwork(crypto, {
  meanDelayMs: MEAN_DELAY_MS,
  threads,
});
const few = await prepare(RATE_PACKETS);
const unwrapBefore = unwrapRate(crypto, network, few);
const busySeconds = seconds + WARM_UP_MS / 1_000;
const packets = await prepare(
  unwrapBefore * threads * (busySeconds + PACED_SHARE * pacedSeconds),
);
const figures = await measure();
const unwrapAfter = unwrapRate(crypto, network, few);
await report();

/** Packets from this process over the node and back. */
async function measure() {
  const { port } = parseAddress(network.nodeAddress);
  await using node = await MixnodeChild.start(
    [
      ...["run", "--quiet", "-A", "--unstable-net"],
      new URL("_mixnode_process.ts", import.meta.url).pathname,
      ...["start", "--config", network.configPath],
      ...["--threads", String(threads), "--log-level", "warn"],
    ],
    network.metricsUrl,
    port,
  );
  await using load = await Load.start(crypto, network, packets);
  const sustained = await flood(node, load);
  const paced = await pace(load, PACED_SHARE * sustained.packetsPerS);
  const metrics = [...await node.metrics()]
    .filter(([name, value]) => /^mixnet_/.test(name) && value !== 0);
  return { sustained, paced, metrics: Object.fromEntries(metrics) };
}

async function flood(node: MixnodeChild, load: Load) {
  const startMs = systemClock.now() + WARM_UP_MS;
  const endMs = startMs + seconds * 1_000;
  const flooding = load.flood(endMs);
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
    peersCpuS: cpuIn(Deno.readTextFileSync("/proc/self/stat")),
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

/** Packets a second that one thread unwraps and does nothing else: the median of five rounds. */
function unwrapRate(
  crypto: CryptoProvider,
  { node, parameters }: BenchNetwork,
  packets: PreparedPackets,
): number {
  const geometry = sphinxGeometry(parameters.payloadLength);
  const rates = Array.from({ length: 5 }, () => {
    const startMs = systemClock.now();
    for (let i = 0; i < RATE_PACKETS; i++) {
      unwrapPacket(crypto, geometry, node.privateKey, packets.packet(i));
    }
    return RATE_PACKETS * 1_000 / (systemClock.now() - startMs);
  });
  return rates.sort((a, b) => a - b)[2]!;
}

async function report(): Promise<void> {
  const { sustained, paced } = figures;
  const unwrapPerS = Math.max(unwrapBefore, unwrapAfter);
  const ratio = sustained.packetsPerS / (threads * unwrapPerS);
  const mib = (bytes: number) => Math.round(bytes / 2 ** 20);
  const rows: readonly (readonly [string, string | number])[] = [
    ["provider", crypto.name],
    ["unwrap threads", threads],
    [
      "unwrapping alone, one thread, packets/s",
      `${Math.round(unwrapBefore)} before, ${Math.round(unwrapAfter)} after`,
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
        .filter(([name]) => /_drops_total/.test(name))
        .map(([name, value]) => `${name} ${value}`).join(", ") || "none",
    ],
  ];
  const table = [["mixnode", ""], ["---", "---"], ...rows];
  // deno-lint-ignore no-console -- the table is for the person who ran this
  console.log(table.map((row) => `| ${row.join(" | ")} |`).join("\n"));
  await storeResults("-mixnode", {
    provider: crypto.name,
    ...{
      threads,
      unwrapBeforePerS: unwrapBefore,
      unwrapAfterPerS: unwrapAfter,
    },
    ...{ ratio, ...figures },
  });
}
