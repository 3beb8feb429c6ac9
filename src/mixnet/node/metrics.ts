import type { Metrics } from "../../core/metrics/mod.ts";
import type { Clock } from "../../core/async/mod.ts";
import type { EgressStats } from "../link/egress.ts";
import type { MixNode } from "./mix_node.ts";
import { NODE_DROPS } from "./node_counts.ts";
import type { ReplayFilter } from "./replay_filter.ts";
import type { UnwrapPool } from "./unwrap_pool.ts";

/** What {@link exposeMixNode} reads. */
export interface MixNodeParts {
  /** The node. */
  readonly node: MixNode;
  /** Its replay filter. */
  readonly replay: ReplayFilter;
  /** Its unwrap pool. */
  readonly pool: UnwrapPool;
  /** Its way out. */
  readonly egress: { readonly stats: EgressStats };
  /** Time, for rates. */
  readonly clock: Clock;
}

/** Providers that may be in use, by the first word of their names; others count as `other`. */
const PROVIDERS = [
  "noble",
  "node",
  "libcrypto",
  "libsodium",
  "starting",
  "other",
] as const;

const LATENESS_SECONDS = [
  0.0001,
  0.0002,
  0.0005,
  0.001,
  0.002,
  0.005,
  0.01,
  0.02,
  0.05,
  0.1,
  0.5,
  1,
];

/** Declares the histogram of how late packets leave, and returns what fills it: the `onLateness` of a `PoissonMix`, in milliseconds. */
export function latenessHook(metrics: Metrics): (latenessMs: number) => void {
  const lateness = metrics.histogram({
    name: "mixnet_delay_lateness_seconds",
    help: "How much later than asked for packets left the pool",
    buckets: LATENESS_SECONDS,
  });
  return (latenessMs) => lateness.observe(latenessMs / 1000);
}

/** Exposes what a mixnode counts and measures. */
export function exposeMixNode(metrics: Metrics, parts: MixNodeParts): void {
  exposePackets(metrics, parts);
  exposeAnonymity(metrics, parts);
  exposeReplay(metrics, parts);
  exposeLoops(metrics, parts);
}

function exposePackets(
  metrics: Metrics,
  { node, pool, egress }: MixNodeParts,
): void {
  metrics.counterFrom({
    name: "mixnet_packets_total",
    help: "Packets that came in or began here, and those that left or ended",
    labels: {
      event: [
        "received",
        "loop_sent",
        "offered",
        "forwarded",
        "delivered",
        "loop_returned",
      ],
    },
    read: ({ event }) => {
      const counts = node.counts;
      return {
        received: counts.received,
        loop_sent: counts.loopsSent,
        offered: counts.offered,
        forwarded: counts.forwarded,
        delivered: counts.delivered,
        loop_returned: counts.loopsReturned,
      }[event];
    },
  });
  metrics.counterFrom({
    name: "mixnet_drops_total",
    help: "Packets dropped, by reason",
    labels: { reason: NODE_DROPS },
    read: ({ reason }) => node.counts.dropped[reason],
  });
  metrics.gaugeFrom({
    name: "mixnet_unwrapping_packets",
    help: "Packets that are being unwrapped or wait for it",
    read: () => node.counts.unwrapping,
  });
  metrics.counterFrom({
    name: "mixnet_unwrap_batches_total",
    help: "Batches unwrapped",
    read: () => node.batches.count,
  });
  metrics.counterFrom({
    name: "mixnet_unwrapped_packets_total",
    help: "Packets in those batches",
    read: () => node.batches.packets,
  });
  metrics.gaugeFrom({
    name: "mixnet_unwrap_provider",
    help: "1 for the cryptographic provider in use",
    labels: { provider: PROVIDERS },
    read: ({ provider }) => Number(providerIn(pool) === provider),
  });
  metrics.gaugeFrom({
    name: "mixnet_egress_queued_packets",
    help: "Packets that wait for the link to their next node",
    read: () => egress.stats.queued,
  });
  metrics.counterFrom({
    name: "mixnet_egress_sent_total",
    help: "Packets written to links",
    read: () => egress.stats.sent,
  });
  metrics.counterFrom({
    name: "mixnet_egress_drops_total",
    help: "Packets that no link took, by reason",
    labels: { reason: ["unknown_peer", "full", "expired", "lost", "closed"] },
    read: ({ reason }) => egress.stats.dropped[reason],
  });
}

function exposeAnonymity(
  metrics: Metrics,
  { node, clock }: MixNodeParts,
): void {
  for (
    const [name, help, read] of [
      ["pool_packets", "Packets in the pool", () => node.counts.pooled],
      [
        "entropy_bits",
        "Entropy of which arrival the last departure was",
        () => node.entropy.bits,
      ],
      [
        "effective_set_size",
        "Equally likely arrivals that would give the same entropy",
        () => node.entropy.effectiveSetSize,
      ],
      [
        "entropy_low",
        "1 while the entropy is below policy",
        () => Number(node.entropy.isLow),
      ],
      [
        "pool_arrivals_per_second",
        "Arrivals in the pool, lambda",
        () => node.entropy.arrivalsPerSecond(clock.now()),
      ],
      [
        "pool_stay_seconds",
        "Mean time in the pool, 1/mu",
        () => node.entropy.meanStayMs / 1000,
      ],
      [
        "pool_load",
        "lambda/mu, the mean size of the pool as an M/M/inf queue",
        () => node.entropy.poolLoad(clock.now()),
      ],
    ] as const
  ) metrics.gaugeFrom({ name: `mixnet_${name}`, help, read });
}

function exposeReplay(metrics: Metrics, { node, replay }: MixNodeParts): void {
  metrics.gaugeFrom({
    name: "mixnet_replay_fill_ratio",
    help: "Share of the replay filter in use, of the fullest epoch",
    read: () => replay.fill / replay.capacity,
  });
  metrics.gaugeFrom({
    name: "mixnet_replay_alarm",
    help: "1 while packets are dropped because the replay filter takes no more",
    read: () => Number(node.replayAlarm),
  });
}

function exposeLoops(metrics: Metrics, { node }: MixNodeParts): void {
  metrics.counterFrom({
    name: "mixnet_loops_total",
    help: "Own loops, by what became of them",
    labels: { result: ["returned", "tampered", "lost", "unroutable"] },
    read: ({ result }) =>
      result === "unroutable"
        ? node.loopsUnroutable
        : node.loops.counts[result],
  });
  metrics.gaugeFrom({
    name: "mixnet_links_measured",
    help: "Links between nodes that loops have measured",
    read: () => node.loops.links.length,
  });
  metrics.gaugeFrom({
    name: "mixnet_link_loss_ratio",
    help: "Share of loops lost, of the best, the middle and the worst link",
    labels: { link: ["best", "median", "worst"] },
    read: ({ link }) =>
      pick(
        link,
        node.loops.links.map(({ lost, returned }) => lost / (lost + returned)),
      ),
  });
  metrics.gaugeFrom({
    name: "mixnet_link_latency_seconds",
    help: "Latency that loops show, of the best, the middle and the worst link",
    labels: { link: ["best", "median", "worst"] },
    read: ({ link }) =>
      pick(
        link,
        node.loops.links.filter(({ returned }) => returned > 0)
          .map(({ latencyMs }) => latencyMs / 1000),
      ),
  });
}

function pick(
  which: "best" | "median" | "worst",
  values: readonly number[],
): number {
  const sorted = values.toSorted((a, b) => a - b);
  const last = sorted.length - 1;
  const at = { best: 0, median: last >> 1, worst: last }[which];
  return sorted[at] ?? 0;
}

function providerIn({ provider }: UnwrapPool): string {
  const known: readonly string[] = PROVIDERS;
  const [name = ""] = provider.split(" ");
  return known.includes(name) ? name : "other";
}
