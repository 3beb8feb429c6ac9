import { CliError } from "../_error.ts";
import { type Command, command } from "../_main.ts";
import { askAgent, jsonIn } from "./ask_agent.ts";
import { MESSAGE_FLAGS, MESSAGE_USAGE, sendBody } from "./message_flags.ts";
import { APP_FLAGS, APP_USAGE } from "./settings.ts";

const USAGE = `
Usage: betanet-fabric send <agent> <type> [<value>|-] [flags]

Sends a message to an agent, agent@node or its id, and prints its id once the node would deliver it even if it died. The value is JSON; -
reads it from stdin.

${MESSAGE_USAGE}
  --ordered              it may not overtake others that are sent so
  --no-receipts          the other agent need not sign what becomes of it
  --wait                 until it is settled: exit code 1 if it is not handled
${APP_USAGE}

Examples:
  betanet-fabric send bob@n2 note '{"text":"hello"}'
  echo hello | betanet-fabric send bob@n2 note - --text --lifetime 7d --wait
`;

/** Sends a message. */
export const send: Command = command({
  usage: USAGE,
  flags: {
    ...MESSAGE_FLAGS,
    ordered: "boolean",
    "no-receipts": "boolean",
    wait: "boolean",
    ...APP_FLAGS,
  },
  operands: [2, 3],
  async run(flags, context) {
    const body = await sendBody(flags, context, {
      isOrdered: flags.ordered,
      receipts: !flags["no-receipts"],
      waits: flags.wait,
    });
    const ask = askAgent(flags, context);
    const sent = jsonIn(await ask("/send", body)) as {
      readonly id: string;
      readonly outcome?: string;
      readonly way?: string;
      readonly why?: string;
    };
    context.print(sent, sent.id);
    if (sent.why !== undefined) {
      context.note(`way now: ${sent.way}, as ${sent.why}`);
    }
    if (sent.outcome !== undefined && sent.outcome !== "handled") {
      throw new CliError("failed", `It was not handled: ${sent.outcome}`);
    }
  },
});
