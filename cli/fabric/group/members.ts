import { CliError } from "../../_error.ts";
import { type Command, command } from "../../_main.ts";
import { APP_FLAGS, APP_USAGE } from "../settings.ts";
import {
  groupName,
  type GroupSummary,
  nameOf,
  postJson,
  type ShownAgent,
  type ShownGroup,
} from "./ask_group.ts";

/** Asks an agent to become a member. */
export const invite: Command = command({
  usage: `
Usage: betanet-fabric group invite <group> <agent> [flags]

Asks an agent, agent@node or its id, to become a member. It is added when it has said yes, by betanet-fabric group join there, and this
node has heard of it; the invitation holds for 7 days.

${APP_USAGE}

Examples:
  betanet-fabric group invite team bob@n2
`,
  flags: APP_FLAGS,
  operands: [2, 2],
  async run(flags, context) {
    const [group = "", member = ""] = context.operands;
    const path = "/group/invite";
    const asked = await postJson<{ readonly invited: ShownAgent }>(
      ...[flags, context, path, { group, member }] as const,
    );
    context.print(asked, `${nameOf(asked.invited)} is invited`);
  },
});

/** Removes a member. */
export const remove: Command = command({
  usage: `
Usage: betanet-fabric group remove <group> <agent> [flags]

Removes a member: what is published from the next epoch on, it cannot read. An agent removes itself by betanet-fabric group leave.

${APP_USAGE}

Examples:
  betanet-fabric group remove team bob@n2
`,
  flags: APP_FLAGS,
  operands: [2, 2],
  async run(flags, context) {
    const [group = "", member = ""] = context.operands;
    const path = "/group/remove";
    const now = await postJson<GroupSummary>(
      ...[flags, context, path, { group, member }] as const,
    );
    const text = `${member} is removed from ${
      groupName(now)
    } in epoch ${now.epoch}`;
    context.print(now, text);
  },
});

/** Makes a member an admin, or none. */
export const admin: Command = command({
  usage: `
Usage: betanet-fabric group admin <group> make|unmake <agent> [flags]

Makes a member an admin of the group, or none any more. Only admins may; the last one stays one.

${APP_USAGE}

Examples:
  betanet-fabric group admin team make bob@n2
  betanet-fabric group admin team unmake alice@n1
`,
  flags: APP_FLAGS,
  operands: [3, 3],
  async run(flags, context) {
    const [group = "", what = "", member = ""] = context.operands;
    if (what !== "make" && what !== "unmake") {
      throw new CliError("usage", `Want make or unmake, got ${what}`);
    }
    const query = { group, member, is: `${what === "make"}` };
    const now = await postJson<ShownGroup>(
      ...[flags, context, "/group/admins", query] as const,
    );
    const names = now.admins.map(nameOf).join(", ");
    context.print(now, `admins of ${groupName(now)}: ${names}`);
  },
});
