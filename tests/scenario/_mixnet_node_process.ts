/**
 * A mixnode or gateway as `betanet-mixnode start` runs it, on links that lose packets. It reports its counters every 250 ms, and does
 * what the lines on its standard input say.
 *
 * @module
 */
import { command, type Context, main, type Program } from "../../cli/_main.ts";
import { aborted } from "../../cli/_aborted.ts";
import {
  openMixnode,
  type RunningMixnode,
} from "../../cli/mixnode/open_mixnode.ts";
import { readMixnodeConfig } from "../../cli/mixnode/settings.ts";
import { unwrapWorker } from "../../cli/mixnode/unwrap_worker.ts";
import { decodeHex } from "../../src/core/bytes/mod.ts";
import { Metrics } from "../../src/core/metrics/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  createPacket,
  type EgressStats,
  type node,
  sphinxGeometry,
} from "../../src/mixnet/mod.ts";
import { orders, say } from "./_line_process.ts";
import { type LinkTally, LossyLinks } from "./_mixnet_link_tally.ts";

/** What the process is told at its start. */
export interface NodeProcessOptions {
  /** Its configuration. */
  readonly config: string;
  /** Share of packets that its links lose, 0 to 1. */
  readonly lossShare: number;
}

/** What it is told later. */
export type NodeOrder =
  | { readonly kind: "loss"; readonly share: number }
  | {
    /** Sends a node a packet that ends there, for its key of the next epoch; the same one to the same node every time. */
    readonly kind: "probe";
    /** The node's id, in hexadecimal. */
    readonly to: string;
  };

/** What it reports. */
export interface NodeReport {
  /** Wall time. */
  readonly atMs: number;
  readonly epoch: number;
  /** The layer that the document of the epoch gives it; absent if it does not name it. */
  readonly layer?: number;
  readonly counts: node.NodeCounts;
  readonly egress: EgressStats;
  readonly links: LinkTally;
  /** How often peers were slowed. */
  readonly slowed: number;
  /** Frames of nodes that were no packets. */
  readonly refusedFrames: number;
  /** Acknowledgements of its gateway, if it is one. */
  readonly acknowledged: number;
}

const REPORT_MS = 250;

const serve = command({
  usage: "Runs a node for a scenario.",
  flags: {},
  operands: [1, 1],
  async run(_flags, context) {
    const told: NodeProcessOptions = JSON.parse(context.operands[0]!);
    const links = new LossyLinks(told.lossShare);
    const config = readMixnodeConfig(told.config);
    await using running = await openMixnode(config, new Metrics(), context);
    const report = () => say(reportOf(running, links));
    const timer = setInterval(report, REPORT_MS);
    await Promise.race([
      aborted(context.signal),
      obey(context, running, links),
    ]);
    await running.server.drain(config.node.drain);
    clearInterval(timer);
    report();
  },
});

/** Until standard input ends, as it does with who started us. */
async function obey(
  { stdin }: Context,
  running: RunningMixnode,
  links: LossyLinks,
): Promise<void> {
  const probes = new Map<string, ReturnType<typeof makeProbe>>();
  for await (const order of orders<NodeOrder>(stdin)) {
    if (order.kind === "loss") links.lossShare = order.share;
    else {
      const probe = probes.get(order.to) ?? makeProbe(running, order.to);
      probes.set(order.to, probe);
      const packet = probe.packet.slice();
      links.spared.add(packet);
      running.server.node.offer(decodeHex(order.to), probe.epoch, packet);
    }
  }
}

function makeProbe({ directory }: RunningMixnode, to: string) {
  const { nodes, parameters } = directory.document(directory.epoch)!;
  const epoch = directory.epoch + 1;
  const node = nodes.find(({ identityKey }) => identityKey.toHex() === to)!;
  const address = node.identityKey;
  const publicKey = node.sphinxKeys.get(epoch)!;
  const packet = createPacket(
    nodeProvider,
    sphinxGeometry(parameters.payloadLength),
    {
      route: [{ address, publicKey, delayNs: 0 }],
      destination: address,
      identifier: nodeProvider.random(16),
    },
    new Uint8Array(0),
  );
  return { epoch, packet };
}

function reportOf(
  { server, directory, id }: RunningMixnode,
  links: LossyLinks,
): NodeReport {
  const { epoch } = directory;
  const own = directory.document(epoch)?.nodes
    .find(({ identityKey }) => identityKey.toHex() === id);
  return {
    atMs: Date.now(),
    epoch,
    ...own && { layer: own.layer },
    counts: server.node.counts,
    egress: server.egress.stats,
    links: links.tally,
    slowed: server.links.stats.slowed,
    refusedFrames: server.refusedFrames,
    acknowledged: server.gateway?.counts.acknowledged ?? 0,
  };
}

const program: Program = {
  name: "mixnet-node-process",
  usage: "Runs a node for a scenario.",
  workers: { unwrap: unwrapWorker },
  commands: { serve },
};

await main(program);
