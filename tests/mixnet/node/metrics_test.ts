import { assertEquals } from "@std/assert";
import { Metrics } from "../../../src/core/metrics/mod.ts";
import { exposeMixNode } from "../../../src/mixnet/node/metrics.ts";
import { NodeNetwork } from "./_node_network.ts";

Deno.test("exposeMixNode() shows every packet by what became of it, and the anonymity meter", async () => {
  const network = new NodeNetwork(30, [0, 1, 2, 3]);
  const metrics = new Metrics();
  const { node } = network.nodes[0]!;
  const stats = {
    sent: 0,
    padding: 0,
    links: 0,
    failedDials: 0,
    unsolicited: 0,
    dropped: { unknown_peer: 0, full: 3, expired: 0, lost: 0, closed: 0 },
    queued: 5,
    peers: 1,
  };
  exposeMixNode(metrics, { node, egress: { stats }, clock: network.clock });
  const packet = network.packet([0, 1, 2, 3, 0]);
  await network.give(0, packet);
  await network.give(0, packet);
  await network.clock.run(2_000);
  const { counts } = node;
  const text = await metrics.exposition();
  for (
    const [series, value] of [
      ['mixnet_packets_total{result="received"}', counts.received],
      ['mixnet_packets_total{result="forwarded"}', counts.forwarded],
      ['mixnet_packets_total{result="delivered"}', 1],
      ['mixnet_drops_total{reason="replayed"}', 1],
      ['mixnet_drops_total{reason="mac"}', 0],
      ['mixnet_egress_drops_total{reason="full"}', 3],
      ["mixnet_egress_queued", 5],
      ["mixnet_pool", counts.pooled],
      ["mixnet_entropy_bits", node.entropy.bits],
      ["mixnet_replay_alarm", 0],
    ] as const
  ) {
    const line = text.split("\n").find((each) => each.startsWith(`${series} `));
    assertEquals(line, `${series} ${value}`);
  }
  await network.stop();
});
