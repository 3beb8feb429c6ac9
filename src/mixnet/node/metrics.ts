import type { Clock } from "../../core/async/mod.ts";
import type { Metrics } from "../../core/metrics/mod.ts";
import type { Egress } from "../link/egress.ts";
import type { MixNode } from "./mix_node.ts";
import { NODE_DROPS } from "./node_counts.ts";

/** What {@link exposeMixNode} reads. */
export interface MixNodeParts {
  /** The node. */
  readonly node: MixNode;
  /** Its links to others. */
  readonly egress: Pick<Egress, "stats">;
  /** Its clock, by which rates are now. */
  readonly clock: Clock;
}

/** Exposes what a mixnode counts and measures. */
export function exposeMixNode(
  metrics: Metrics,
  { node, egress, clock }: MixNodeParts,
): void {
  const outcomes = {
    received: () => node.counts.received,
    loop_sent: () => node.counts.loopsSent,
    forwarded: () => node.counts.forwarded,
    delivered: () => node.counts.delivered,
    loop_returned: () => node.counts.loopsReturned,
  };
  metrics.counterFrom({
    name: "mixnet_packets_total",
    help: "Sphinx packets by what became of them",
    labels: {
      result: Object.keys(outcomes) as (keyof typeof outcomes)[],
    },
    read: ({ result }) => outcomes[result](),
  });
  metrics.counterFrom({
    name: "mixnet_drops_total",
    help: "Sphinx packets that went no further, by reason",
    labels: { reason: NODE_DROPS },
    read: ({ reason }) => node.counts.dropped[reason],
  });
  metrics.counterFrom({
    name: "mixnet_egress_drops_total",
    help: "Packets that were queued for another node and not sent, by reason",
    labels: {
      reason: ["unknown_peer", "full", "expired", "lost", "closed"],
    },
    read: ({ reason }) => egress.stats.dropped[reason],
  });
  metrics.counterFrom({
    name: "mixnet_loops_unroutable_total",
    help: "Loops that were due while no route was known",
    read: () => node.loopsUnroutable,
  });
  const gauges = {
    mixnet_unwrapping: [
      "Packets that are unwrapped now or wait for it",
      () => node.counts.unwrapping,
    ],
    mixnet_pool: ["Packets in the pool", () => node.counts.pooled],
    mixnet_pool_load: [
      "Arrivals a second times the mean stay: the pool's mean size",
      () => node.entropy.poolLoad(clock.now()),
    ],
    mixnet_arrivals_per_second: [
      "Arrivals in the pool a second",
      () => node.entropy.arrivalsPerSecond(clock.now()),
    ],
    mixnet_entropy_bits: [
      "Entropy of the last departure",
      () => node.entropy.bits,
    ],
    mixnet_effective_set_size: [
      "Equally likely arrivals that would give that entropy",
      () => node.entropy.effectiveSetSize,
    ],
    mixnet_entropy_low: [
      "1 while the entropy is below policy",
      () => Number(node.entropy.isLow),
    ],
    mixnet_replay_alarm: [
      "1 while packets are dropped because the replay filter is full or cannot write",
      () => Number(node.replayAlarm),
    ],
    mixnet_egress_queued: [
      "Packets that wait for their links",
      () => egress.stats.queued,
    ],
  } as const;
  for (const [name, [help, read]] of Object.entries(gauges)) {
    metrics.gaugeFrom({ name, help, read });
  }
}
