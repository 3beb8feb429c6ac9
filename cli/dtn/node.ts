import { QUIRKS, restApp } from "../../src/dtn/mod.ts";
import { type Command, command } from "../_main.ts";
import { aborted } from "../_aborted.ts";
import { listed, printConfig } from "../_config_file.ts";
import { serveNode } from "../_serve_node.ts";
import { SCHEMA } from "./config.ts";
import { answerEcho } from "./echo.ts";
import { exposeDtnNode } from "./node_metrics.ts";
import { nodeSections } from "./node_sections.ts";
import { openNode } from "./open_node.ts";
import { dtnState, readDtnConfig } from "./settings.ts";

const USAGE = `
Usage: betanet-dtn node [--config <file>] [flags]

Runs a node of Bundle Protocol 7 until SIGTERM: stores bundles, forwards them to neighbours, and serves applications over REST and
WebSocket on loopback. The token that they must bring is in app.token of the folder of the state.

  --config <file>         read dtn.toml; flags win over it
  --print-config          print every key with its default and meaning
  --id <eid>              our node id: dtn://name/ or ipn:N.0
  --listen <address>      tcpcl://, mtcp://, udp://, http:// or htx://host:port; may be repeated
  --peer <address>        a neighbour; <node id>@ before it unless tcpcl or htx; may be repeated
  --htx-record <file>     what an htx: neighbour says of itself: htx.record of its state; may be repeated
  --plaintext <pattern>   destinations whose bundles may leave unencrypted; may be repeated
  --routing <name>        epidemic, spray, binary_spray, prophet, static or contact_graph
  --schedule <name>       fifo, edf or lyapunov
  --state <folder>        where bundles are
  --app-port <n>          port of REST and WebSocket (3000)
  --status-port <n>       serve /health, /ready, /metrics and a live page on loopback

Examples:
  betanet-dtn node --id dtn://n1/ --plaintext '*'
  betanet-dtn node --id dtn://n2/ --listen tcpcl://127.0.0.1:4557 --peer tcpcl://127.0.0.1:4556 --app-port 3001 --state n2
`;

/** Runs a node. */
export const node: Command = command({
  usage: USAGE,
  flags: {
    config: "string",
    "print-config": "boolean",
    id: "string",
    listen: "strings",
    peer: "strings",
    "htx-record": "strings",
    plaintext: "strings",
    routing: "string",
    schedule: "string",
    state: "string",
    "app-port": "string",
    "status-port": "string",
  },
  async run(flags, context) {
    if (flags["print-config"]) return printConfig(SCHEMA, context);
    const config = readDtnConfig(flags.config, {
      "node.id": flags.id,
      "node.listen": listed(flags.listen),
      "node.peers": listed(flags.peer),
      "htx.records": listed(flags["htx-record"]),
      "node.plaintext": listed(flags.plaintext),
      "routing.by": flags.routing,
      "schedule.by": flags.schedule,
      "node.state": flags.state,
      "app.port": flags["app-port"],
      "node.status.port": flags["status-port"],
    });
    await using running = await openNode(config, context);
    const { node, bundles, addresses, metrics } = running;
    exposeDtnNode(metrics, running);
    await using served = await serveNode({
      name: "betanet-dtn",
      folder: dtnState(config, context),
      config: config.app,
      app: (terms) =>
        restApp({
          ...{ ...terms, node, store: bundles },
          ...config.node.lenient && { quirks: QUIRKS },
        }),
      listen: config.node.status,
      metrics,
      sections: nodeSections(running),
    }, context);
    if (config.node.echo) answerEcho(node);
    const { app, status } = served;
    const at = addresses.join(" and ") || "no address";
    context.print(
      { id: `${node.nodeId}`, addresses, app, status },
      `${node.nodeId} at ${at}, applications at ${app}`,
    );
    await aborted(context.signal);
  },
});
