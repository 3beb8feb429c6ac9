import { type Command, command } from "../../_main.ts";
import { countOf } from "../../mixnode/client_arguments.ts";
import { LetterSocket } from "../letter_socket.ts";
import { APP_FLAGS, APP_USAGE, appOf } from "../settings.ts";
import { getJson, groupName, type ShownGroup } from "./ask_group.ts";

const USAGE = `
Usage: betanet-fabric group listen <group> [flags]

Takes what members of a group publish, as it comes, and prints each message as a line of JSON. A message counts as handled once it is
printed; what comes while nobody listens waits, but for proposals and ballots, which the node counts itself. The agent's own messages do not
come.

  --events           also print what happens: epochs, evidence, forks that heal
  --count <n>        end after so many messages
${APP_USAGE}

Examples:
  betanet-fabric group listen team
  betanet-fabric group listen board --events
`;

/** What comes: a message, with a number, or an event. */
interface Given {
  readonly n?: number;
}

/** Takes what members publish. */
export const listen: Command = command({
  usage: USAGE,
  flags: { events: "boolean", count: "string", ...APP_FLAGS },
  operands: [1, 1],
  async run(flags, context) {
    const [operand = ""] = context.operands;
    const { agent, count } = flags;
    const { signal } = context;
    let left = count === undefined ? Infinity : countOf(count);
    // Names the mistake, if there is one, which a WebSocket does not.
    const shown = await getJson<ShownGroup>(
      ...[flags, context, "/group", { group: operand }] as const,
    );
    const query = { group: shown.group, ...agent !== undefined && { agent } };
    await using socket = await LetterSocket.open<Given>(
      ...[appOf(flags, context), query, signal, "/group/messages"] as const,
    );
    context.note(`listens to ${groupName(shown)}`);
    while (left > 0) {
      const { n, ...given } = await socket.next({ signal });
      if (n === undefined && !flags.events) continue;
      context.print(given, JSON.stringify(given));
      if (n === undefined) continue;
      socket.answer({ n });
      left--;
    }
  },
});
