import { CliError } from "../_error.ts";
import { type Command, command } from "../_main.ts";
import { countOf } from "../mixnode/client_arguments.ts";
import { LetterSocket } from "./letter_socket.ts";
import { jsonOf } from "./message_flags.ts";
import { APP_FLAGS, APP_USAGE, appOf } from "./settings.ts";

const USAGE = `
Usage: betanet-fabric listen <type> [flags]

Takes the messages of a type as they come, and prints each as a line of JSON. A message is handled once it is printed: one that was not
comes again to who listens next. Requests are answered with null unless a flag says otherwise.

  --answer <value>   answer requests with this value, JSON
  --echo             answer requests with what they carry
  --refuse <reason>  refuse every message
  --count <n>        end after so many
${APP_USAGE}

Examples:
  betanet-fabric listen note
  betanet-fabric listen ping --echo --agent bob@n2
`;

/** Takes messages. */
export const listen: Command = command({
  usage: USAGE,
  flags: {
    answer: "string",
    echo: "boolean",
    refuse: "string",
    count: "string",
    ...APP_FLAGS,
  },
  operands: [1, 1],
  async run(flags, context) {
    const { answer, echo, refuse, agent } = flags;
    const [type = ""] = context.operands;
    const isSaid = [answer, refuse, echo || undefined]
      .filter((each) => each !== undefined);
    if (isSaid.length > 1) {
      throw new CliError("usage", "Want one of --answer, --echo, --refuse");
    }
    const value = answer === undefined ? null : jsonOf(answer);
    let left = flags.count === undefined ? Infinity : countOf(flags.count);
    const { signal } = context;
    await using socket = await LetterSocket.open(
      appOf(flags, context),
      { type, ...agent !== undefined && { agent } },
      signal,
    );
    context.note(`listens to ${type}`);
    for (; left > 0; left--) {
      const letter = await socket.next({ signal });
      const { n: _, ...shown } = letter;
      context.print(shown, JSON.stringify(shown));
      if (refuse !== undefined) socket.answer(letter, { refuse });
      else socket.answer(letter, { answer: echo ? letter.value : value });
    }
  },
});
