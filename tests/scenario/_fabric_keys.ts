import type { Bytes } from "../../src/core/bytes/mod.ts";
import {
  nodeProvider,
  type X25519KeyPair,
  x25519KeyPair,
} from "../../src/core/crypto/mod.ts";
import {
  type Agent,
  type AgentNode,
  signAgentRecord,
} from "../../src/fabric/mod.ts";
import { htx } from "../../mod.ts";

const encoder = new TextEncoder();
const WEEK_MS = 7 * 86_400_000;

/** What of a node of a scenario all processes know, as it depends on its name alone. */
export interface NodeKeys {
  readonly staticKeyPair: X25519KeyPair;
  readonly ticketKey: htx.TicketKey;
  readonly offer: htx.TicketOffer;
  /** How its agents' records name it: where HTX has a signed record, its name. */
  readonly node: AgentNode;
}

/** The keys of a node. */
export function keysOf(name: string): NodeKeys {
  const staticKeyPair = x25519KeyPair(nodeProvider, secretOf(`${name} static`));
  const ticketKeyPair = x25519KeyPair(nodeProvider, secretOf(`${name} ticket`));
  const keyId = secretOf(`${name} id`).slice(0, 8);
  return {
    staticKeyPair,
    ticketKey: {
      ...ticketKeyPair,
      keyId,
      notBeforeMs: 0,
      notAfterMs: Infinity,
    },
    offer: {
      policy: htx.DEFAULT_TICKET_POLICY,
      keyId,
      publicKey: ticketKeyPair.publicKey,
      cookieName: "__Host-sid",
    },
    node: { staticKey: staticKeyPair.publicKey, htx: encoder.encode(name) },
  };
}

/** The first record of an agent, by which others know it before they meet. */
export function introductionOf(agent: Agent, nowMs: number): Bytes {
  return signAgentRecord(agent, {
    nodes: [keysOf(agent.name.node).node],
    capabilities: [],
    sequence: 1,
    issuedMs: nowMs - 3_600_000,
    expiresMs: nowMs + WEEK_MS,
  });
}

function secretOf(text: string): Bytes {
  return nodeProvider.hash("sha256", encoder.encode(text));
}
