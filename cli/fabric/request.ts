import { type Command, command } from "../_main.ts";
import { askAgent, jsonIn } from "./ask_agent.ts";
import { MESSAGE_FLAGS, MESSAGE_USAGE, sendBody } from "./message_flags.ts";
import { APP_FLAGS, APP_USAGE } from "./settings.ts";

const USAGE = `
Usage: betanet-fabric request <agent> <type> [<value>|-] [flags]

Sends a request to an agent, agent@node or its id, and prints the value of its answer as JSON. It goes live, or as a bundle if the agent
gives no sign of life; the answer comes by whatever way works then. The lifetime is 30s by default: for bundles over slow ways more is needed.

${MESSAGE_USAGE}
${APP_USAGE}

Examples:
  betanet-fabric request bob@n2 clock.now
  betanet-fabric request bob@n2 sum '[1,2,3]' --lifetime 1h
`;

/** Sends a request. */
export const request: Command = command({
  usage: USAGE,
  flags: { ...MESSAGE_FLAGS, ...APP_FLAGS },
  operands: [2, 3],
  async run(flags, context) {
    const body = await sendBody(flags, context);
    const answer = jsonIn(await askAgent(flags, context)("/request", body));
    const { value } = answer as { readonly value: unknown };
    const text = typeof value === "string" ? value : JSON.stringify(value);
    context.print(value, text);
  },
});
