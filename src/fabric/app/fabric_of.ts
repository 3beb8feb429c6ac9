import { FabricError } from "../error.ts";
import type { Fabric } from "../agent/fabric.ts";
import { formatAgentName } from "../identity/agent_name.ts";
import type { FabricNode } from "../node/fabric_node.ts";

/**
 * The agent here that `text`, a name or id, names; the only one if it is absent.
 *
 * @throws {FabricError} `unknown_agent`.
 * @throws {RangeError} If it is absent, and there is not one agent.
 */
export function fabricOf(
  { agents }: Pick<FabricNode, "agents">,
  text: string | undefined,
): Fabric {
  if (text === undefined) {
    if (agents.length === 1) return agents[0]!;
    throw new RangeError(`${agents.length} agents are here: say which, agent=`);
  }
  const found = agents.find(({ agent }) =>
    `${agent.id}` === text || formatAgentName(agent.name) === text
  );
  if (found) return found;
  throw new FabricError("unknown_agent", `No agent here is ${text}`);
}
