import { GROUP_KINDS } from "../../../src/fabric/mod.ts";
import { oneOf } from "../../_flags.ts";
import { type Command, command } from "../../_main.ts";
import { APP_FLAGS, APP_USAGE } from "../settings.ts";
import { type GroupSummary, postJson } from "./ask_group.ts";
import { RULE_FLAGS, RULE_USAGE, rulesIn } from "./rules.ts";

const USAGE = `
Usage: betanet-fabric group create [<name>] [flags]

Makes a group, whose first member and only admin is the agent, and prints its id.

  --kind <name>            what it is for (open):
                             open       members publish what they like
                             training   rounds of training a model together
                             alert      warnings, whose severity is their priority
                             vote       proposals and ballots
                             broadcast  admins publish, others listen
${RULE_USAGE}
${APP_USAGE}

Examples:
  betanet-fabric group create team
  betanet-fabric group create fire --kind alert --admins-add yes
  betanet-fabric group create board --kind vote --weight alice@n1=2
`;

/** Makes a group. */
export const create: Command = command({
  usage: USAGE,
  flags: { kind: "string", ...RULE_FLAGS, ...APP_FLAGS },
  operands: [0, 1],
  async run(flags, context) {
    const [name = ""] = context.operands;
    const kind = oneOf("kind", flags.kind ?? "open", GROUP_KINDS);
    const body = { kind, name, ...rulesIn(flags) };
    const made = await postJson<GroupSummary>(
      ...[flags, context, "/groups", {}, body] as const,
    );
    context.print(made, made.group);
  },
});
