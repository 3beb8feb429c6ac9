import { assertStringIncludes } from "@std/assert";
import { Metrics } from "../../../src/core/metrics/mod.ts";
import {
  exposeMixNode,
  latenessHook,
} from "../../../src/mixnet/node/metrics.ts";
import type { PooledPacket } from "../../../src/mixnet/node/mix_node.ts";
import { PoissonMix } from "../../../src/mixnet/node/poisson_mix.ts";
import { ReplayFilter } from "../../../src/mixnet/node/replay_filter.ts";
import { LocalUnwrapPool } from "../../../src/mixnet/node/unwrap_pool.ts";
import { nodeProvider } from "../../../src/core/crypto/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import { NodeNetwork } from "./_node_network.ts";

Deno.test("exposeMixNode() shows what a node did: packets, drops, pool, entropy, replay filter, loops and links", async () => {
  const metrics = new Metrics();
  using store = memoryStore();
  const replay = new ReplayFilter({
    store,
    crypto: nodeProvider,
    capacity: 100,
  });
  const network = new NodeNetwork(30, [0, 1], {
    replay,
    loops: { perSecond: 0, floorPerSecond: 1e-5 },
    strategy: new PoissonMix<PooledPacket>({
      capacity: 100,
      meanDelayMs: 20,
      maxDelayMs: 1_000,
      random: () => 0.5,
      onLateness: latenessHook(metrics),
    }),
  });
  const { clock } = network;
  const [entry] = network.nodes;
  using pool = new LocalUnwrapPool(nodeProvider);
  const dropped = { unknown_peer: 0, full: 2, expired: 0, lost: 0, closed: 0 };
  const egress = {
    stats: {
      sent: 5,
      padding: 0,
      links: 1,
      failedDials: 0,
      unsolicited: 0,
      dropped,
      queued: 3,
      peers: 1,
    },
  };
  exposeMixNode(metrics, { node: entry!.node, replay, pool, egress, clock });
  for (let i = 0; i < 4; i++) {
    await network.give(0, network.packet([0, 1], { delayMs: 0 }));
  }
  const text = await metrics.exposition();
  assertStringIncludes(text, "mixnet_pool_packets 4");
  await network.give(0, new Uint8Array(3));
  await clock.run(1_000);
  const after = await metrics.exposition();
  for (
    const line of [
      'mixnet_packets_total{event="received"} 5',
      'mixnet_packets_total{event="forwarded"} 4',
      'mixnet_drops_total{reason="length"} 1',
      'mixnet_drops_total{reason="replayed"} 0',
      "mixnet_pool_packets 0",
      "mixnet_entropy_bits 2",
      "mixnet_effective_set_size 4",
      "mixnet_entropy_low 0",
      "mixnet_replay_fill_ratio 0.08",
      "mixnet_replay_alarm 0",
      "mixnet_delay_lateness_seconds_count 4",
      "mixnet_unwrap_batches_total 5",
      "mixnet_unwrapped_packets_total 5",
      'mixnet_unwrap_provider{provider="node"} 1',
      'mixnet_unwrap_provider{provider="noble"} 0',
      "mixnet_egress_queued_packets 3",
      'mixnet_egress_drops_total{reason="full"} 2',
      'mixnet_loops_total{result="lost"} 0',
      'mixnet_link_loss_ratio{link="worst"} 0',
    ]
  ) assertStringIncludes(after, `${line}\n`);
  await network.stop();
});
