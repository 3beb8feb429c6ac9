import { parseDuration } from "../../src/core/config/mod.ts";
import { APP_FLAGS } from "../_app_section.ts";
import { CliError } from "../_error.ts";
import { type Command, command } from "../_main.ts";
import { readInput } from "../_read_input.ts";
import { APP_USAGE, appConfig } from "./app_flags.ts";
import { textOf } from "../_ask_app.ts";
import { askNode } from "./ask_node.ts";

const USAGE = `
Usage: betanet-dtn send <destination> [<file>|-] [flags]

Gives a file, or what stdin holds, to the node as a bundle, and prints its name once it is stored.

  --source <endpoint>     who sends it: an endpoint of the node (the node itself)
  --lifetime <duration>   how long it is of use (1h)
  --private               it leaves this node and all others over private contacts only, so through the mixnet
  --bundle                the file is a bundle already
${APP_USAGE}

Examples:
  echo hello | betanet-dtn send dtn://n2/in
  betanet-dtn send ipn:23.42 report.pdf --lifetime 7d
`;

/** Sends a bundle. */
export const send: Command = command({
  usage: USAGE,
  flags: {
    source: "string",
    lifetime: "string",
    private: "boolean",
    bundle: "boolean",
    ...APP_FLAGS,
  },
  operands: [1, 2],
  async run(flags, context) {
    const [destination = "", path = "-"] = context.operands;
    const config = appConfig(flags);
    const lifetimeMs = flags.lifetime === undefined
      ? config.app.lifetime
      : lifetimeOf(flags.lifetime);
    const bytes = await readInput(path, context);
    const ask = askNode(config, context);
    const query = new URLSearchParams({
      dst: destination,
      lifetime: `${lifetimeMs}`,
      ...flags.private && { private: "true" },
      ...flags.source !== undefined && { src: flags.source },
    });
    const target = flags.bundle ? "/insert" : `/send?${query}`;
    const id = textOf(await ask(target, bytes));
    context.print({ id }, id);
  },
});

function lifetimeOf(text: string): number {
  try {
    return parseDuration(text);
  } catch (cause) {
    throw new CliError(
      "usage",
      `--lifetime is a duration such as 1h: ${text}`,
      {
        cause,
      },
    );
  }
}
