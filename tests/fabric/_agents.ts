import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  Agent,
  type AgentRecord,
  parseAgentName,
  signAgentRecord,
} from "../../src/fabric/mod.ts";

/** What the tests of the fabric take keys and hashes from. */
export const crypto = nodeProvider;

/** The agent of a name, whose keys depend on `secret` alone. */
export function agentOf(name: string, secret = name): Agent {
  const seed = crypto.hash("sha256", new TextEncoder().encode(secret));
  return new Agent(crypto, seed, parseAgentName(name));
}

/** A record of `agent` that is valid from 0 to 100,000 ms, but for `fields`. */
export function recordOf(
  agent: Agent,
  fields: Partial<AgentRecord> = {},
): Uint8Array {
  return signAgentRecord(agent, {
    nodes: [{ staticKey: new Uint8Array(32).fill(7) }],
    capabilities: ["chat.say"],
    sequence: 1,
    issuedMs: 0,
    expiresMs: 100_000,
    ...fields,
  });
}
