import { encodeBase64Url } from "../../../src/core/bytes/mod.ts";
import { PRIORITIES } from "../../../src/fabric/mod.ts";
import { CliError } from "../../_error.ts";
import { oneOf } from "../../_flags.ts";
import { type Command, command, type Context } from "../../_main.ts";
import { readInput } from "../../_read_input.ts";
import { valueOf } from "../message_flags.ts";
import { APP_FLAGS, APP_USAGE } from "../settings.ts";
import { postJson } from "./ask_group.ts";

const USAGE = `
Usage: betanet-fabric group publish <group> <type> [<value>|-] [flags]

Publishes a message to the members of a group, and prints its id once the node would deliver it even if it died. The value is JSON; - reads
it from stdin. What the kind of the group does not allow is refused:

  open        any type and value
  broadcast   the same, from admins
  alert       type alert: {"severity","category","text"}; info, warning, error, critical or emergency
  training    training.start, .update, .gradients, .sync, .end; parameters and gradients by --bytes
  vote        nothing: betanet-fabric group vote

  --text                 the value is a text, not JSON
  --bytes <field=file>   a field of the value that is a byte string; may be repeated
  --priority <name>      low, normal, high or critical (normal; of an alert that of its severity)
${APP_USAGE}

Examples:
  betanet-fabric group publish team say hello --text
  betanet-fabric group publish fire alert '{"severity":"critical","category":"smoke","text":"Hall 2"}'
  betanet-fabric group publish lab training.gradients '{"session":"s1","round":3,"samples":512}' --bytes gradients=g.bin
`;

interface Sent {
  readonly id: string;
  readonly accepted: number;
  readonly unsent: number;
}

/** Publishes in a group. */
export const publish: Command = command({
  usage: USAGE,
  flags: {
    text: "boolean",
    bytes: "strings",
    priority: "string",
    ...APP_FLAGS,
  },
  operands: [2, 3],
  async run(flags, context) {
    const [group = "", type, operand] = context.operands;
    const { priority, bytes } = flags;
    const body = {
      type,
      value: await valueOf(operand, flags, context),
      ...bytes.length > 0 && { bytes: await bytesOf(bytes, context) },
      ...priority !== undefined &&
        { priority: oneOf("priority", priority, PRIORITIES) },
    };
    const sent = await postJson<Sent>(
      ...[flags, context, "/group/publish", { group }, body] as const,
    );
    context.print(sent, sent.id);
    context.note(`on its way to ${sent.accepted} members`);
    if (sent.unsent > 0) {
      const text = `The outbox has no room for ${sent.unsent} members`;
      throw new CliError("failed", text, {
        hint: "betanet-fabric outbox list shows what waits.",
      });
    }
  },
});

async function bytesOf(
  pairs: readonly string[],
  context: Context,
): Promise<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1) throw new CliError("usage", `--bytes is field=file: ${pair}`);
    const content = await readInput(pair.slice(at + 1), context);
    fields[pair.slice(0, at)] = encodeBase64Url(content);
  }
  return fields;
}
