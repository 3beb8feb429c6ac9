import type { Context } from "../_main.ts";
import type { GroupSummary } from "../fabric/group/ask_group.ts";
import type { GroupMember } from "./group_member.ts";
import { step } from "./step.ts";
import { until } from "./until.ts";

/** Makes a group of `all`, whom the first of them invites, and waits until they have the same keys. */
export async function makeGroup(
  all: readonly GroupMember[],
  name: string,
  rules: Readonly<Record<string, unknown>>,
  context: Context,
): Promise<void> {
  const { signal } = context;
  const [first, ...others] = all as [GroupMember, ...GroupMember[]];
  await first.do("/groups", {}, { name, ...rules });
  for (const each of others) {
    await first.do("/group/invite", { group: name, member: each.name });
    await until(
      `${each.name} is invited`,
      () => each.get<unknown[]>("/invitations"),
      ({ length }) => length > 0,
      signal,
    );
    await each.do("/invitations/accept", { group: name });
    await until(
      `${each.name} is a member`,
      () => each.get<GroupSummary[]>("/groups"),
      (groups) => groups.some((each) => each.name === name && each.isMember),
      signal,
    );
  }
  const epoch = await agree(all, name, signal);
  step(
    context,
    `${name}: ${all.length} members, invited and joined, have the keys of epoch ${epoch}`,
  );
}

/** Waits until all are members and have the same keys; the epoch that they are in. */
export async function agree(
  all: readonly GroupMember[],
  name: string,
  signal: AbortSignal,
): Promise<number> {
  const groups = await until(
    "all are in the same epoch",
    () => Promise.all(all.map((each) => each.group(name))),
    ([first, ...others]) =>
      first!.members.length === all.length &&
      others.every(({ authenticator }) =>
        authenticator === first!.authenticator
      ),
    signal,
  );
  return groups[0]!.epoch;
}
