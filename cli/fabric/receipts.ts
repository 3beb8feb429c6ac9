import { DecodeError } from "../../src/core/bytes/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import {
  FabricError,
  parseReceipts,
  verifyReceipts,
} from "../../src/fabric/mod.ts";
import { CliError } from "../_error.ts";
import { command, type Context, type Program } from "../_main.ts";
import { readInput } from "../_read_input.ts";
import { askAgent, jsonIn } from "./ask_agent.ts";
import { APP_FLAGS, APP_USAGE } from "./settings.ts";

const USAGE = `
Usage: betanet-fabric receipts <command> [flags]

What became of messages, as their recipients have signed it. Who has the file can verify it, anywhere.

Commands:
  show    what became of a message
  export  print signed receipts
  verify  verify signed receipts, and print what they say

Examples:
  betanet-fabric receipts show 6f0c…
  betanet-fabric receipts export > proof.txt
  betanet-fabric receipts verify proof.txt
`;

interface ShownReceipt {
  readonly id: string;
  readonly from: string;
  readonly by: string;
  readonly state: string;
  readonly reason: string;
  readonly atMs: number;
}

const show = command({
  usage: `
Usage: betanet-fabric receipts show <message id> [flags]

Prints what the recipient of a message has signed about it, oldest first.

${APP_USAGE}

Example:
  betanet-fabric receipts show 3f21c7…
`,
  flags: APP_FLAGS,
  operands: [1, 1],
  async run(flags, context) {
    const [id = ""] = context.operands;
    const ask = askAgent(flags, context);
    const body = await ask("/receipts", undefined, { id });
    for (const each of jsonIn(body) as ShownReceipt[]) print(each, context);
  },
});

const exportAll = command({
  usage: `
Usage: betanet-fabric receipts export [<message id>] [flags]

Prints signed receipts, betanet-receipts:… a line: those that say something of a message, or all that the agent has.

${APP_USAGE}

Example:
  betanet-fabric receipts export > receipts.txt
`,
  flags: APP_FLAGS,
  operands: [0, 1],
  async run(flags, context) {
    const [id] = context.operands;
    const query = id === undefined ? {} : { id };
    const ask = askAgent(flags, context);
    const body = await ask("/receipts/signed", undefined, query);
    const lines = new TextDecoder().decode(body).trim();
    for (const line of lines === "" ? [] : lines.split("\n")) {
      context.print({ signed: line }, line);
    }
  },
});

const verify = command({
  usage: `
Usage: betanet-fabric receipts verify <file>|- [--by <id>]

Verifies signed receipts, as export prints them, without any node, and prints what they say. Exit code 1 if one does not verify.

  --by <id>   want all to be signed by this agent

Examples:
  betanet-fabric receipts verify proof.txt --by AbC…
`,
  flags: { by: "string" },
  operands: [1, 1],
  async run({ by }, context) {
    const [path = ""] = context.operands;
    const text = new TextDecoder().decode(await readInput(path, context));
    const lines = text.split(/\s+/).filter((line) => line !== "");
    if (lines.length === 0) {
      throw new CliError("failed", `There are no receipts in ${path}`);
    }
    for (const [index, line] of lines.entries()) {
      for (const receipt of receiptsIn(line, index)) {
        const { id, ...rest } = receipt;
        if (by !== undefined && `${receipt.by}` !== by) {
          const text = `Receipts ${index + 1} are signed by ${receipt.by}`;
          throw new CliError("failed", text);
        }
        const shown = { ...rest, from: `${rest.from}`, by: `${rest.by}` };
        print({ id: id.toHex(), ...shown }, context);
      }
    }
  },
});

/** What recipients have signed. */
export const receipts: Program = {
  name: "betanet-fabric receipts",
  usage: USAGE,
  commands: { show, export: exportAll, verify },
};

function receiptsIn(
  line: string,
  index: number,
): ReturnType<typeof verifyReceipts> {
  try {
    return verifyReceipts(defaultProvider(), parseReceipts(line));
  } catch (cause) {
    const isBad = cause instanceof FabricError || cause instanceof DecodeError;
    if (!isBad) throw cause;
    throw new CliError("failed", `Receipts ${index + 1} do not verify`, {
      cause,
    });
  }
}

function print(receipt: ShownReceipt, { print }: Context): void {
  const { id, state, reason, by, atMs } = receipt;
  const at = new Date(atMs).toISOString();
  const why = reason === "" ? "" : ` (${reason})`;
  print(receipt, `${id} ${state}${why} by ${by} at ${at}`);
}
