import { Eid } from "../../dtn/mod.ts";

/** The readable name of an agent, `agent@node`. It is a claim: only the id says who somebody is. */
export interface AgentName {
  /** The agent's own part. */
  readonly agent: string;
  /** The node where its bundles go. */
  readonly node: string;
}

/** Longest part of a name, in characters. */
export const MAX_NAME_PART = 64;

const PART = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/;

/**
 * Reads `agent@node`, each part 1 to 64 of `a` to `z`, `0` to `9`, `.`, `_` and `-`, a letter or digit first and last.
 *
 * @throws {RangeError} If it is something else.
 */
export function parseAgentName(text: string): AgentName {
  const [agent = "", node = "", ...more] = text.split("@");
  if (more.length > 0 || !PART.test(agent) || !PART.test(node)) {
    throw new RangeError(
      "An agent's name is agent@node, of a to z, 0 to 9, '.', '_' and '-'",
    );
  }
  return { agent, node };
}

/** Writes `agent@node`. */
export function formatAgentName({ agent, node }: AgentName): string {
  return `${agent}@${node}`;
}

/** Where bundles for the agent go: `dtn://node/agent`. */
export function endpointOf({ agent, node }: AgentName): Eid {
  return Eid.parse(`dtn://${node}/${agent}`);
}
