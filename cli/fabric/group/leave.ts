import { type Command, command } from "../../_main.ts";
import { APP_FLAGS, APP_USAGE } from "../settings.ts";
import { groupName, type GroupSummary, postJson } from "./ask_group.ts";

/** Asks to be removed. */
export const leave: Command = command({
  usage: `
Usage: betanet-fabric group leave <group> [flags]

Asks the other members to remove the agent, which one of them does when it hears of it.

${APP_USAGE}

Example:
  betanet-fabric group leave team
`,
  flags: APP_FLAGS,
  operands: [1, 1],
  async run(flags, context) {
    const [group = ""] = context.operands;
    const path = "/group/leave";
    const now = await postJson<GroupSummary>(
      ...[flags, context, path, { group }] as const,
    );
    context.print(now, `the members of ${groupName(now)} are asked to do it`);
  },
});

/** Erases a group. */
export const forget: Command = command({
  usage: `
Usage: betanet-fabric group forget <group> [--force] [flags]

Erases all that is kept of a group here: keys, messages that nobody took, votes, evidence. Nobody is told.

  --force            also while the agent is a member
${APP_USAGE}

Example:
  betanet-fabric group forget team
`,
  flags: { force: "boolean", ...APP_FLAGS },
  operands: [1, 1],
  async run(flags, context) {
    const [group = ""] = context.operands;
    const query = { group, force: `${flags.force}` };
    const gone = await postJson<{ readonly group: string }>(
      ...[flags, context, "/group/forget", query] as const,
    );
    context.print(gone, `${gone.group} is forgotten`);
  },
});

/** Renews keys. */
export const renew: Command = command({
  usage: `
Usage: betanet-fabric group renew <group> [flags]

Renews the agent's keys in a group: whoever had got hold of them before reads nothing of the next epoch.

${APP_USAGE}

Example:
  betanet-fabric group renew team
`,
  flags: APP_FLAGS,
  operands: [1, 1],
  async run(flags, context) {
    const [group = ""] = context.operands;
    const path = "/group/renew";
    const now = await postJson<GroupSummary>(
      ...[flags, context, path, { group }] as const,
    );
    context.print(now, `${groupName(now)} is in epoch ${now.epoch}`);
  },
});
