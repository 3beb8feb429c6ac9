import * as utls from "../../src/utls/mod.ts";
import { type Command, command } from "../_main.ts";
import {
  heading,
  INPUTS,
  type NamedHello,
  readHellos,
} from "./read_specimens.ts";

const USAGE = `
Usage: betanet-utls inspect [file…]

Explains every field of every hello: what it says, what it is for, and what it follows in a browser: the connection, the
destination, earlier sessions, or the build.

${INPUTS}

Examples:
  betanet-utls generate --chrome-version 119 | betanet-utls inspect
  betanet-utls inspect --json visit.pcapng
`;

/** Explains hellos. */
export const inspect: Command = command({
  usage: USAGE,
  flags: {},
  operands: [0, 1_000],
  async run(_flags, context) {
    for await (const found of readHellos(context)) {
      const fields = explain(found);
      const lines = fields.map(({ name, value, meaning, varies }) =>
        `  ${name}\n    ${
          value || "none"
        }\n    ${meaning} (follows the ${varies})`
      );
      context.print(
        { where: found.where, from: found.from, fields },
        [heading(found), ...lines].join("\n"),
      );
    }
  },
});

function explain(found: NamedHello): utls.ExplainedField[] {
  return found.from === "client"
    ? utls.explainClientHello(found.hello)
    : utls.explainServerHello(found.hello);
}
