import { CliError } from "../../_error.ts";
import { type Command, command } from "../../_main.ts";
import { APP_FLAGS, APP_USAGE } from "../settings.ts";
import { groupName, postJson, type ShownGroup } from "./ask_group.ts";

/** Flags of rules. */
export const RULE_FLAGS = {
  "admins-add": "string",
  "admins-remove": "string",
  "max-members": "string",
  weight: "strings",
} as const;

/** How they are explained. */
export const RULE_USAGE =
  `  --admins-add yes|no      whether only admins add members (no)
  --admins-remove yes|no   whether only admins remove members (no)
  --max-members <n>        most members (100)
  --weight <agent=n>       what the ballot of an agent weighs (1); may be repeated`;

/** What they say. */
export interface RuleFlags {
  readonly "admins-add": string | undefined;
  readonly "admins-remove": string | undefined;
  readonly "max-members": string | undefined;
  readonly weight: readonly string[];
}

/** The rules that flags say, as nodes take them. */
export function rulesIn(flags: RuleFlags): Record<string, unknown> {
  const { weight, "max-members": most } = flags;
  const isAdminOnlyAdd = answerOf("admins-add", flags["admins-add"]);
  const isAdminOnlyRemove = answerOf("admins-remove", flags["admins-remove"]);
  return {
    ...isAdminOnlyAdd !== undefined && { isAdminOnlyAdd },
    ...isAdminOnlyRemove !== undefined && { isAdminOnlyRemove },
    ...most !== undefined && { maxMembers: numberOf("max-members", most) },
    ...weight.length > 0 && { weights: Object.fromEntries(weight.map(pairOf)) },
  };
}

const USAGE = `
Usage: betanet-fabric group rules <group> [flags]

Changes what a group holds its members to; what no flag says stays as it is. Only admins may. The group keeps its kind.

  --name <text>            what it is called
${RULE_USAGE}
${APP_USAGE}

Examples:
  betanet-fabric group rules team --admins-remove yes
  betanet-fabric group rules board --weight bob@n2=3
`;

/** Changes the rules of a group. */
export const rules: Command = command({
  usage: USAGE,
  flags: { name: "string", ...RULE_FLAGS, ...APP_FLAGS },
  operands: [1, 1],
  async run(flags, context) {
    const [group = ""] = context.operands;
    const { name } = flags;
    const wanted = { ...name !== undefined && { name }, ...rulesIn(flags) };
    if (Object.keys(wanted).length === 0) {
      throw new CliError("usage", "No rule is given", {
        hint: "--help after the command shows what can be changed.",
      });
    }
    const path = "/group/rules";
    const now = await postJson<ShownGroup>(
      ...[flags, context, path, { group }, wanted] as const,
    );
    context.print(
      now,
      `${groupName(now)} has these rules in epoch ${now.epoch}`,
    );
  },
});

function answerOf(flag: string, text: string | undefined): boolean | undefined {
  if (text === undefined || text === "yes" || text === "no") {
    return text === undefined ? undefined : text === "yes";
  }
  throw new CliError("usage", `Flag --${flag} wants yes or no`);
}

function numberOf(flag: string, text: string): number {
  if (/^[0-9]{1,7}$/.test(text)) return Number(text);
  throw new CliError("usage", `Flag --${flag} wants a whole number: ${text}`);
}

function pairOf(text: string): readonly [string, number] {
  const at = text.lastIndexOf("=");
  if (at > 0) {
    return [text.slice(0, at), numberOf("weight", text.slice(at + 1))];
  }
  throw new CliError("usage", `--weight is agent=number: ${text}`);
}
