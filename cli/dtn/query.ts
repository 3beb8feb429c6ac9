import { APP_FLAGS } from "../_app_section.ts";
import { CliError } from "../_error.ts";
import { type Command, command } from "../_main.ts";
import { APP_USAGE, appConfig } from "./app_flags.ts";
import { textOf } from "../_ask_app.ts";
import { askNode } from "./ask_node.ts";

const WHAT = ["nodeid", "peers", "eids", "bundles", "store", "info"];

const USAGE = `
Usage: betanet-dtn query <what> [flags]

Asks the node; what is nodeid, peers (neighbours in contact), eids (endpoints in which applications
are registered), bundles (their names), store (how full it is) or info (what it has done).

${APP_USAGE}

Examples:
  betanet-dtn query bundles
  betanet-dtn query info --json
`;

/** Asks a node. */
export const query: Command = command({
  usage: USAGE,
  flags: APP_FLAGS,
  operands: [1, 1],
  async run(flags, context) {
    const [what = ""] = context.operands;
    if (!WHAT.includes(what)) {
      throw new CliError(
        "usage",
        `Want one of ${WHAT.join(", ")}: got ${what}`,
      );
    }
    const ask = askNode(appConfig(flags), context);
    const text = textOf(await ask(`/status/${what}`));
    if (what === "nodeid") return context.print({ id: text }, text);
    const value = JSON.parse(text);
    context.print(value, JSON.stringify(value, null, 2));
  },
});
