import type { Fabric } from "../agent/fabric.ts";
import { FabricError } from "../error.ts";
import type { Group } from "../group/group.ts";
import type { GroupRules } from "../group/group_rules.ts";
import type { Invitation } from "../group/groups.ts";
import type { AgentBook } from "../identity/agent_book.ts";
import { AgentId } from "../identity/agent_id.ts";
import { formatAgentName } from "../identity/agent_name.ts";
import type { AgentGroups } from "./agent_groups.ts";
import { agentOf } from "./send_body.ts";

const ID = /^[0-9a-f]{64}$/;
const PREFIX = /^[0-9a-f]{6,63}$/;

/** The groups of an agent here, for applications. */
export function groupsOf(
  all: ReadonlyMap<Fabric, AgentGroups>,
  fabric: Fabric,
): AgentGroups {
  const found = all.get(fabric);
  if (found) return found;
  throw new FabricError("unknown_agent", "The agent has no groups here");
}

/**
 * The group that `text` names: its id in hexadecimal, the first 6 digits of it or more, or its name.
 *
 * @throws {FabricError} `unknown_group`; `conflict` if it names several.
 * @throws {RangeError} If it is absent.
 */
export function groupOf(
  groups: readonly Group[],
  text: string | undefined,
): Group {
  return named(groups, ({ id }) => id, text);
}

/** The invitation to the group that `text` names, as {@link groupOf}; the first if several agents invite to the same. */
export function invitationOf(
  invitations: readonly Invitation[],
  text: string | undefined,
): Invitation {
  const byGroup = Map.groupBy(invitations, ({ group }) => group.toHex());
  const firsts = [...byGroup.values()].map(([first]) => first!);
  return named(firsts, ({ group }) => group, text);
}

/**
 * The id of the agent that `text` names: `agent@node`, or its id.
 *
 * @throws {FabricError} `unknown_agent` if a name is nobody's.
 * @throws {RangeError} If it is neither, or absent.
 */
export function idOfAgent(
  book: Pick<AgentBook, "byName">,
  text: string | undefined,
): AgentId {
  if (!text) throw new RangeError("member is missing");
  const named = agentOf(text);
  if (named instanceof AgentId) return named;
  const id = book.byName(named);
  if (id) return id;
  const what = `Nobody is known as ${formatAgentName(named)}`;
  throw new FabricError("unknown_agent", what);
}

function named<T extends { readonly rules: GroupRules }>(
  all: readonly T[],
  idOf: (each: T) => Uint8Array,
  text: string | undefined,
): T {
  if (!text) throw new RangeError("group is missing");
  const found = all.filter((each) => {
    const id = idOf(each).toHex();
    if (ID.test(text)) return id === text;
    return each.rules.name === text ||
      PREFIX.test(text) && id.startsWith(text);
  });
  if (found.length === 1) return found[0]!;
  if (found.length === 0) {
    throw new FabricError("unknown_group", `No group here is ${text}`);
  }
  const what = `${found.length} groups here are ${text}: say which by its id`;
  throw new FabricError("conflict", what);
}
