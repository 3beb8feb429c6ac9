import { utf8 } from "../../src/core/bytes/mod.ts";
import { parseDuration } from "../../src/core/config/mod.ts";
import { PRIORITIES } from "../../src/fabric/mod.ts";
import { CliError } from "../_error.ts";
import { oneOf } from "../_flags.ts";
import type { Context } from "../_main.ts";
import { readInput } from "../_read_input.ts";

/** Flags of messages that are sent. */
export const MESSAGE_FLAGS = {
  text: "boolean",
  priority: "string",
  lifetime: "string",
  way: "string",
  meta: "strings",
} as const;

/** How they are explained. */
export const MESSAGE_USAGE =
  `  --text                 the value is a text, not JSON
  --priority <name>      low, normal, high or critical (normal)
  --lifetime <duration>  how long it is of use
  --way <name>           auto, rpc or bundle (auto)
  --meta <key=text>      a text beside the value; may be repeated`;

/** What they say. */
export interface MessageFlags {
  readonly text: boolean;
  readonly priority: string | undefined;
  readonly lifetime: string | undefined;
  readonly way: string | undefined;
  readonly meta: readonly string[];
}

/** The body of a request to a node to send what operands and flags say. */
export async function sendBody(
  flags: MessageFlags,
  context: Context,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Uint8Array> {
  const [to, type, value] = context.operands;
  const { priority, lifetime, way, meta } = flags;
  return utf8(JSON.stringify({
    ...{ to, type, value: await valueOf(value, flags, context) },
    ...priority !== undefined &&
      { priority: oneOf("priority", priority, PRIORITIES) },
    ...lifetime !== undefined && { lifetimeMs: lifetimeOf(lifetime) },
    ...way !== undefined &&
      { way: oneOf("way", way, ["auto", "rpc", "bundle"]) },
    ...meta.length > 0 && { metadata: Object.fromEntries(meta.map(pairOf)) },
    ...more,
  }));
}

/** The value that `text` writes as JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CliError("usage", `The value is no JSON: ${text}`, {
      cause,
      hint: `A text is written '"hello"', or with --text hello.`,
    });
  }
}

/** The value that an operand writes; - is stdin. */
export async function valueOf(
  operand: string | undefined,
  { text: isText }: Pick<MessageFlags, "text">,
  context: Context,
): Promise<unknown> {
  if (operand === undefined) return null;
  const text = operand === "-"
    ? new TextDecoder().decode(await readInput("-", context))
    : operand;
  return isText ? text : jsonOf(text);
}

function lifetimeOf(text: string): number {
  try {
    return parseDuration(text);
  } catch (cause) {
    const want = `--lifetime is a duration such as 1h: ${text}`;
    throw new CliError("usage", want, { cause });
  }
}

function pairOf(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new CliError("usage", `--meta is key=text: ${text}`);
}
