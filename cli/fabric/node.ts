import {
  agentApp,
  formatAgentName,
  formatAgentRecord,
  Mailboxes,
} from "../../src/fabric/mod.ts";
import { aborted } from "../_aborted.ts";
import { listed, printConfig } from "../_config_file.ts";
import { type Command, command } from "../_main.ts";
import { serveNode } from "../_serve_node.ts";
import { SCHEMA } from "./config.ts";
import { exposeFabricNode } from "./node_metrics.ts";
import { nodeSections } from "./node_sections.ts";
import { openNode } from "./open_node.ts";
import { fabricState, readFabricConfig } from "./settings.ts";

const USAGE = `
Usage: betanet-fabric node [--config <file>] [flags]

Runs agents until SIGTERM: delivers their messages live over HTX, or as bundles where a node of bundles is configured, and serves
applications on loopback. The token that they must bring is in app.token of the folder of the state.

  --config <file>      read fabric.toml; flags win over it
  --print-config       print every key with its default and meaning
  --agent <file>       file of an agent's key; may be repeated (every *.agent of the state)
  --listen <address>   htx://host:port; may be repeated
  --dtn <file>         dtn.toml of the node of bundles that runs with it
  --record <record>    an agent to know, betanet-agent:… or a file; may be repeated
  --type <type>        messages of this type wait for an application; may be repeated
  --state <folder>     where keys and messages are
  --app-port <n>       port for applications (3100)
  --status-port <n>    serve /health, /ready, /metrics and a live page on loopback

Examples:
  betanet-fabric node --listen htx://0.0.0.0:9443
  betanet-fabric node --state n2 --listen htx://127.0.0.1:9444 --dtn dtn.toml --app-port 3101
`;

/** Runs a node. */
export const node: Command = command({
  usage: USAGE,
  flags: {
    config: "string",
    "print-config": "boolean",
    agent: "strings",
    listen: "strings",
    dtn: "string",
    record: "strings",
    type: "strings",
    state: "string",
    "app-port": "string",
    "status-port": "string",
  },
  async run(flags, context) {
    if (flags["print-config"]) return printConfig(SCHEMA, context);
    const config = readFabricConfig(flags.config, {
      "node.agents": listed(flags.agent),
      "htx.listen": listed(flags.listen),
      "node.dtn": flags.dtn,
      "node.records": listed(flags.record),
      "messages.types": listed(flags.type),
      "node.state": flags.state,
      "app.port": flags["app-port"],
      "node.status.port": flags["status-port"],
    });
    await using running = await openNode(config, context);
    const { node, book, groups, addresses, contacts, metrics } = running;
    const { bundleApp } = running;
    const mailboxes = new Mailboxes(config.messages.types);
    for (const fabric of node.agents) {
      mailboxes.keep(fabric);
      fabric.start();
    }
    const shown = { node, book, groups, mailboxes };
    exposeFabricNode(metrics, shown);
    await using served = await serveNode({
      name: "betanet-fabric",
      folder: fabricState(config, context),
      config: config.app,
      app: (terms) => agentApp({ ...terms, ...shown }),
      listen: config.node.status,
      metrics,
      sections: nodeSections(shown),
    }, context);
    const agents = node.agents.map(({ agent: { id, name } }) => ({
      ...{ id, name: formatAgentName(name) },
      record: formatAgentRecord(book.get(id)!.bytes),
    }));
    const names = agents.map(({ name }) => name).join(", ");
    const at = [...addresses, ...contacts].join(" and ") || "no address";
    context.print(
      {
        ...{ agents, addresses, contacts, bundleApp },
        ...{ app: served.app, status: served.status },
      },
      `${names} at ${at}, applications at ${served.app}${
        bundleApp === undefined ? "" : `, of bundles at ${bundleApp}`
      }`,
    );
    await aborted(context.signal);
  },
});
