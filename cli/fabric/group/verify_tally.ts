import { DecodeError } from "../../../src/core/bytes/mod.ts";
import { defaultProvider } from "../../../src/core/crypto/mod.ts";
import {
  FabricError,
  parseTally,
  type Tally,
  verifyTally,
} from "../../../src/fabric/mod.ts";
import { CliError } from "../../_error.ts";
import { type Command, command } from "../../_main.ts";
import { readInput } from "../../_read_input.ts";
import { tallyText } from "./tally_text.ts";

/** Verifies a tally. */
export const verify: Command = command({
  usage: `
Usage: betanet-fabric group vote verify <file>|-

Verifies the signatures of proposal and ballots, as export prints them, without any node, and counts. Exit code 1 if one does not
verify. Which agents had a ballot is what the proposal says; members compare it with the members of the group.

Examples:
  betanet-fabric group vote verify tally.txt
`,
  flags: {},
  operands: [1, 1],
  async run(_, context) {
    const [path = ""] = context.operands;
    const text = new TextDecoder().decode(await readInput(path, context));
    const { proposal, equivocators, ...rest } = tallyIn(text);
    const { id, by, text: what, deadlineMs, isUnanimous } = proposal;
    const shown = {
      ...{ vote: id.toHex(), by: { id: `${by}` }, text: what, deadlineMs },
      ...{ isUnanimous, ...rest },
      equivocators: equivocators.map((each) => ({ id: `${each}` })),
    };
    context.print(shown, tallyText(shown));
  },
});

function tallyIn(text: string): Tally {
  try {
    return verifyTally(defaultProvider(), parseTally(text));
  } catch (cause) {
    const isBad = cause instanceof FabricError || cause instanceof DecodeError;
    if (!isBad) throw cause;
    throw new CliError("failed", "The tally does not verify", {
      cause,
      hint: "It is what betanet-fabric group vote export printed, whole.",
    });
  }
}
