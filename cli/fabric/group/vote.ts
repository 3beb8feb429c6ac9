import { parseDuration } from "../../../src/core/config/mod.ts";
import { CHOICES } from "../../../src/fabric/mod.ts";
import { CliError } from "../../_error.ts";
import { oneOf } from "../../_flags.ts";
import { command, type Program } from "../../_main.ts";
import { table } from "../../_table.ts";
import { askAgent } from "../ask_agent.ts";
import { APP_FLAGS, APP_USAGE } from "../settings.ts";
import { getJson, postJson } from "./ask_group.ts";
import { type ShownTally, stateOf, tallyText } from "./tally_text.ts";
import { verify } from "./verify_tally.ts";

const USAGE = `
Usage: betanet-fabric group vote <command> [flags]

Votes in a group of kind vote. Members of the moment a vote is opened have a ballot each, which weighs what the rules of the group say;
proposal and ballots are signed, so that everybody who has them counts the same. It passes when more than half of all weight is for it.
<vote> is a vote's id, or its first 6 digits or more.

Commands:
  open    propose something
  cast    cast the agent's ballot
  list    votes of the group
  tally   what has come out so far
  export  print proposal and ballots as they were signed
  verify  verify and count what export printed, without any node

Examples:
  betanet-fabric group vote open board 'Paint the shed' --time 10m
  betanet-fabric group vote cast board 3f21c7 for
  betanet-fabric group vote export board 3f21c7 > tally.txt
  betanet-fabric group vote verify tally.txt
`;

const open = command({
  usage: `
Usage: betanet-fabric group vote open <group> <text> [flags]

Proposes something to the members of now, and prints the vote's id.

  --time <duration>  how long ballots may be cast (5m)
  --unanimous        it passes only if all of the weight is for it
${APP_USAGE}

Example:
  betanet-fabric group vote open board 'Paint the shed' --time 10m
`,
  flags: { time: "string", unanimous: "boolean", ...APP_FLAGS },
  operands: [2, 2],
  async run(flags, context) {
    const [group = "", text] = context.operands;
    const { time } = flags;
    const body = {
      ...{ text, isUnanimous: flags.unanimous },
      ...time !== undefined && { timeoutMs: millisecondsOf(time) },
    };
    const made = await postJson<ShownTally>(
      ...[flags, context, "/group/propose", { group }, body] as const,
    );
    context.print(made, made.vote);
  },
});

const cast = command({
  usage: `
Usage: betanet-fabric group vote cast <group> <vote> for|against|abstain [flags]

Casts the agent's ballot, once.

${APP_USAGE}

Example:
  betanet-fabric group vote cast board 3f21c7 for
`,
  flags: APP_FLAGS,
  operands: [3, 3],
  async run(flags, context) {
    const [group = "", vote = "", word = ""] = context.operands;
    if (!CHOICES.some((each) => each === word)) {
      throw new CliError("usage", `Want ${CHOICES.join(", ")}, got ${word}`);
    }
    const query = { group, vote, choice: oneOf("choice", word, CHOICES) };
    const tally = await postJson<ShownTally>(
      ...[flags, context, "/group/cast", query] as const,
    );
    context.print(tally, tallyText(tally));
  },
});

const list = command({
  usage: `
Usage: betanet-fabric group vote list <group> [flags]

Lists the votes of a group.

${APP_USAGE}

Example:
  betanet-fabric group vote list board
`,
  flags: APP_FLAGS,
  operands: [1, 1],
  async run(flags, context) {
    const [group = ""] = context.operands;
    const votes = await getJson<ShownTally[]>(
      ...[flags, context, "/group/votes", { group }] as const,
    );
    const text = table(
      ["vote", "state", "for", "against", "abstain", "of", "text"],
      votes.map((each) => [
        ...[each.vote.slice(0, 12), stateOf(each), each.weights.for],
        ...[each.weights.against, each.weights.abstain, each.total, each.text],
      ]),
    );
    context.print(votes, text);
  },
});

const tally = command({
  usage: `
Usage: betanet-fabric group vote tally <group> <vote> [flags]

Shows what has come out so far.

${APP_USAGE}

Example:
  betanet-fabric group vote tally board 3f21c7
`,
  flags: APP_FLAGS,
  operands: [2, 2],
  async run(flags, context) {
    const [group = "", vote = ""] = context.operands;
    const shown = await getJson<ShownTally>(
      ...[flags, context, "/group/tally", { group, vote }] as const,
    );
    context.print(shown, tallyText(shown));
  },
});

const exportSigned = command({
  usage: `
Usage: betanet-fabric group vote export <group> <vote> [flags]

Prints the proposal and the ballots as they were signed, betanet-tally:…, for anybody to verify.

${APP_USAGE}

Example:
  betanet-fabric group vote export board 3f21c7 > tally.txt
`,
  flags: APP_FLAGS,
  operands: [2, 2],
  async run(flags, context) {
    const [group = "", vote = ""] = context.operands;
    const ask = askAgent(flags, context);
    const body = await ask("/group/tally/signed", undefined, { group, vote });
    const signed = new TextDecoder().decode(body).trim();
    context.print({ signed }, signed);
  },
});

/** Votes. */
export const vote: Program = {
  name: "betanet-fabric group vote",
  usage: USAGE,
  commands: { open, cast, list, tally, export: exportSigned, verify },
};

function millisecondsOf(text: string): number {
  try {
    return parseDuration(text);
  } catch (cause) {
    const want = `--time is a duration such as 10m: ${text}`;
    throw new CliError("usage", want, { cause });
  }
}
