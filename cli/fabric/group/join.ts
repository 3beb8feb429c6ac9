import { type Command, command } from "../../_main.ts";
import { table } from "../../_table.ts";
import { APP_FLAGS, APP_USAGE } from "../settings.ts";
import {
  getJson,
  groupName,
  nameOf,
  postJson,
  type ShownAgent,
} from "./ask_group.ts";

interface ShownInvitation {
  readonly group: string;
  readonly name: string;
  readonly kind: string;
  readonly from: ShownAgent;
}

/** Lists invitations. */
export const invitations: Command = command({
  usage: `
Usage: betanet-fabric group invitations [flags]

Lists the invitations that wait for betanet-fabric group join or decline. They are asked about where groups.invitations of fabric.toml
is ask, as it is by default. Name and kind are what the inviting agent says.

${APP_USAGE}

Example:
  betanet-fabric group invitations --agent bob@n2
`,
  flags: APP_FLAGS,
  async run(flags, context) {
    const all = await getJson<ShownInvitation[]>(
      ...[flags, context, "/invitations"] as const,
    );
    const text = table(
      ["group", "name", "kind", "from"],
      all.map(({ group, name, kind, from }) => [
        ...[group, name, kind, nameOf(from)],
      ]),
    );
    context.print(all, text);
  },
});

/** Accepts an invitation. */
export const join: Command = command({
  usage: `
Usage: betanet-fabric group join <group> [flags]

Accepts an invitation. The agent is a member when who invited it has heard of it; betanet-fabric group list shows the group then. There is
no other way in: members refuse a commit by which somebody lets itself in. Who is a member, and was cut off for so long that nobody has
what it missed, comes back by such a commit without being told to; betanet-fabric group listen --events shows it as healing.

${APP_USAGE}

Examples:
  betanet-fabric group invitations
  betanet-fabric group join team
`,
  flags: APP_FLAGS,
  operands: [1, 1],
  async run(flags, context) {
    const [group = ""] = context.operands;
    const path = "/invitations/accept";
    const said = await postJson<ShownInvitation>(
      ...[flags, context, path, { group }] as const,
    );
    const text = `${nameOf(said.from)} is told to add the agent to ${
      groupName(said)
    }`;
    context.print(said, text);
  },
});

/** Forgets an invitation. */
export const decline: Command = command({
  usage: `
Usage: betanet-fabric group decline <group> [flags]

Forgets the invitations to a group. Nobody is told.

${APP_USAGE}

Example:
  betanet-fabric group decline team --agent bob@n2
`,
  flags: APP_FLAGS,
  operands: [1, 1],
  async run(flags, context) {
    const [group = ""] = context.operands;
    const path = "/invitations/decline";
    const said = await postJson<ShownInvitation>(
      ...[flags, context, path, { group }] as const,
    );
    const text = `the invitation to ${groupName(said)} is forgotten`;
    context.print(said, text);
  },
});
