import type { Credential } from "ts-mls/credential.js";
import { type Bytes, concat, utf8 } from "../../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../../core/crypto/mod.ts";
import type { Agent } from "../../identity/agent.ts";
import { AGENT_ID_LENGTH, AgentId } from "../../identity/agent_id.ts";

const LABEL = utf8("betanet-fabric-group-v1");
const SIGNATURE_LENGTH = 64;

/**
 * The credential of a leaf: basic, its identity the agent's id, 32 bytes, and the agent's signature over the label
 * `betanet-fabric-group-v1` and the leaf's signature key, 64 bytes.
 */
export function leafCredential(
  agent: Agent,
  signatureKey: Uint8Array,
): Credential {
  const signature = agent.sign(bound(signatureKey));
  return {
    credentialType: "basic",
    identity: concat(agent.id.bytes, signature),
  };
}

/** The agent that a credential names, not verified; `undefined` if it is of another kind. */
export function agentOf(credential: Credential): AgentId | undefined {
  if (
    credential.credentialType !== "basic" ||
    credential.identity.length !== AGENT_ID_LENGTH + SIGNATURE_LENGTH
  ) return undefined;
  return new AgentId(credential.identity.subarray(0, AGENT_ID_LENGTH));
}

/** Whether the agent that a credential names has signed the leaf's signature key. */
export function isBound(
  crypto: CryptoProvider,
  credential: Credential,
  signatureKey: Uint8Array,
): boolean {
  const id = agentOf(credential);
  if (id === undefined || credential.credentialType !== "basic") return false;
  const signature = credential.identity.subarray(AGENT_ID_LENGTH);
  return crypto.ed25519.verify(id.bytes, bound(signatureKey), signature);
}

function bound(signatureKey: Uint8Array): Bytes {
  return concat(LABEL, signatureKey);
}
