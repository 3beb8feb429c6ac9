import type { Context } from "../_main.ts";
import { table } from "../_table.ts";
import { makePlace, startPlace } from "./bundle_place.ts";
import { makeHome } from "./fabric_place.ts";
import { GroupMember } from "./group_member.ts";
import { type GroupFigures, GroupStory } from "./group_story.ts";
import { tellWhatTheySaid } from "./step.ts";

/** Shows a group of three: one is away for a while, all vote, and one is removed. */
export async function runGroups(context: Context): Promise<GroupFigures> {
  context.note(
    `This lets Alice, Bob and Cat, each on a node of their own, talk in a group with keys of its own; Cat is away for a while and comes ` +
      `back when only bundles get through, all of them vote, and in the end Cat is removed.`,
  );
  const root = await Deno.makeTempDir({ prefix: "betanet-demo-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(root, { recursive: true }));
  const relay = stack.use(
    await startPlace(await makePlace(root, "relay"), context),
  );
  const members: GroupMember[] = [];
  for (const name of ["alice@one", "bob@two", "cat@three"]) {
    const home = stack.use(await makeHome(root, name, relay.address));
    const member = stack.use(new GroupMember(home, context));
    members.push(member);
    await member.start();
  }
  const children = () => members.map(({ place: { child } }) => child);
  try {
    for (const { place } of members) {
      for (const other of members) {
        if (other.place !== place) {
          await place.ask("/peers", other.place.record);
        }
      }
    }
    return await new GroupStory(members, context).run();
  } catch (error) {
    if (!context.signal.aborted) tellWhatTheySaid(children(), context);
    throw error;
  }
}

/** `figures` for a person. */
export function groupsTable({ members }: GroupFigures): string {
  return table(
    ["agent", "heard", "epoch", "member"],
    members.map(({ name, heard, epoch, isMember }) => [
      ...[name, heard, epoch, isMember ? "yes" : "no"],
    ]),
  );
}
