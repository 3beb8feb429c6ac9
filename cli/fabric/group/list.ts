import { type Command, command } from "../../_main.ts";
import { table } from "../../_table.ts";
import { APP_FLAGS, APP_USAGE } from "../settings.ts";
import {
  getJson,
  type GroupSummary,
  nameOf,
  type ShownGroup,
} from "./ask_group.ts";

/** Lists groups. */
export const list: Command = command({
  usage: `
Usage: betanet-fabric group list [flags]

Lists the groups that the agent is, or was, in.

${APP_USAGE}

Example:
  betanet-fabric group list --json
`,
  flags: APP_FLAGS,
  async run(flags, context) {
    const groups = await getJson<GroupSummary[]>(flags, context, "/groups");
    const text = table(
      ["group", "name", "kind", "members", "epoch", "member", "evidence"],
      groups.map((each) => [
        ...[each.group, each.name, each.kind, each.members, each.epoch],
        ...[each.isMember ? "yes" : "no", each.evidence],
      ]),
    );
    context.print(groups, text);
  },
});

/** Shows a group. */
export const show: Command = command({
  usage: `
Usage: betanet-fabric group show <group> [flags]

Shows the members, rules and counts of a group. The authenticator is the same for all members that are in the same epoch.

${APP_USAGE}

Examples:
  betanet-fabric group show team
  betanet-fabric group show team --json
`,
  flags: APP_FLAGS,
  operands: [1, 1],
  async run(flags, context) {
    const [group = ""] = context.operands;
    const shown = await getJson<ShownGroup>(
      ...[flags, context, "/group", { group }] as const,
    );
    context.print(shown, textOf(shown));
  },
});

function textOf(shown: ShownGroup): string {
  const { group, name, kind, epoch, authenticator, counts } = shown;
  const counted = Object.entries(counts).filter(([, count]) => count > 0);
  const rules = [
    ...[`at most ${shown.maxMembers} members`],
    ...shown.isAdminOnlyAdd ? ["only admins add"] : [],
    ...shown.isAdminOnlyRemove ? ["only admins remove"] : [],
  ];
  return [
    table(["", ""], [
      ["group", group],
      ["name", name],
      ["kind", kind],
      ["epoch", `${epoch}${shown.isMember ? "" : ", no member any more"}`],
      ["authenticator", authenticator ?? "none"],
      ["rules", rules.join(", ")],
      ["evidence", `${shown.evidence}`],
      ["counts", counted.map(([key, n]) => `${key} ${n}`).join(", ")],
    ]).trimStart(),
    table(
      ["member", "id", "admin", "weight"],
      shown.members.map((each) => [
        ...[nameOf(each), each.id, each.isAdmin ? "yes" : "no", each.weight],
      ]),
    ),
  ].join("\n\n");
}
