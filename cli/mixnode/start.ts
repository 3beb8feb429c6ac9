import { Metrics } from "../../src/core/metrics/mod.ts";
import { type Command, command, type Context } from "../_main.ts";
import { aborted } from "../_aborted.ts";
import { listed } from "../_config_file.ts";
import { startStatus } from "../_status.ts";
import type { MixnodeConfig } from "./config.ts";
import { openMixnode, type RunningMixnode } from "./open_mixnode.ts";
import { readMixnodeConfig } from "./settings.ts";

const USAGE = `
Usage: betanet-mixnode start [--config <file>] [flags]
       betanet-mixnode --config <file> [flags]

Runs the node that a configuration describes until SIGTERM: takes packets from other nodes, and from clients if it is a gateway,
mixes them and sends them on. It publishes what it is to the network's authorities and works from the epoch on whose document
names it.

  --config <file>       mixnode.toml by default; flags win over it
  --listen <address>    tcp://host:port, quic://… or htx://…; may be repeated
  --role <role>         mix or gateway
  --workers <n>         threads that unwrap packets
  --crypto <name>       auto, node, noble or native
  --state <folder>      where keys and memory are
  --status-port <n>     serve /health, /ready, /metrics and a live page on loopback
  --drain <duration>    how long packets may take to leave after SIGTERM (10s)

Examples:
  betanet-mixnode start --config mixnode.toml
  betanet-mixnode --listen tcp://0.0.0.0:9001 --status-port 9101
`;

/** Runs a node. */
export const start: Command = command({
  usage: USAGE,
  flags: {
    config: "string",
    listen: "strings",
    role: "string",
    workers: "string",
    crypto: "string",
    state: "string",
    "status-port": "string",
    drain: "string",
  },
  async run(flags, context) {
    const config = readMixnodeConfig(flags.config, {
      "node.listen": listed(flags.listen),
      "node.role": flags.role,
      "node.workers": flags.workers,
      "node.crypto": flags.crypto,
      "node.state": flags.state,
      "node.status.port": flags["status-port"],
      "node.drain": flags.drain,
    });
    await runNode(config, context);
  },
});

async function runNode(
  config: MixnodeConfig,
  context: Context,
): Promise<void> {
  const { signal, note, print } = context;
  const metrics = new Metrics();
  const running: { node?: RunningMixnode } = {};
  await using status = startStatus({
    name: "betanet-mixnode",
    listen: config.node.status,
    metrics,
    health: () => ({ starting_or_listening: true }),
    ready: () => ({
      listed: running.node?.isListed ?? false,
      accepting: running.node !== undefined && !signal.aborted,
    }),
  }, context);
  await using node = await openMixnode(config, metrics, context);
  running.node = node;
  const { addresses, id } = node;
  print(
    { id, role: config.node.role, addresses, status: status?.address },
    `${config.node.role} ${id} at ${addresses.join(" and ")}`,
  );
  await aborted(signal);
  note(`draining for up to ${config.node.drain / 1000} s`);
  await node.server.drain(config.node.drain);
}
