import type { SendOptions } from "../agent/new_message.ts";
import { AgentId } from "../identity/agent_id.ts";
import { type AgentName, parseAgentName } from "../identity/agent_name.ts";
import { MAX_LIFETIME_MS, PRIORITIES } from "../message/message.ts";
import { fieldsIn, objectOf, oneOf, optional } from "./json_fields.ts";

/** What an application wants sent. */
export interface SendBody {
  /** To whom. */
  readonly to: AgentId | AgentName;
  /** What it is about. */
  readonly type: string;
  /** What it carries. */
  readonly value: unknown;
  /** Whether to answer only once it is settled. */
  readonly waits: boolean;
  /** How it is to be sent. */
  readonly options: SendOptions;
}

const WAYS = ["auto", "rpc", "bundle"] as const;

/**
 * Whom `text` names: `agent@node`, or an id in base64url.
 *
 * @throws {RangeError} If it is neither.
 */
export function agentOf(text: string): AgentId | AgentName {
  return text.includes("@") ? parseAgentName(text) : agentIdOf(text);
}

/**
 * The agent whose id `text` is.
 *
 * @throws {RangeError} If it is none.
 */
export function agentIdOf(text: string): AgentId {
  try {
    return AgentId.parse(text);
  } catch (cause) {
    throw new RangeError(
      "An agent is agent@node, or its id: 43 characters of base64url",
      { cause },
    );
  }
}

/**
 * Reads what an application wants sent:
 *
 * ```text
 * {"to":…,"type":…,"value":…,"priority":"low"|"normal"|"high"|"critical","lifetimeMs":…,"way":"auto"|"rpc"|"bundle",
 *  "isOrdered":false,"receipts":true,"metadata":{…},"waits":false}
 * ```
 *
 * @throws {RangeError} If it is something else.
 */
export function readSendBody(bytes: Uint8Array): SendBody {
  const body = fieldsIn(bytes);
  const lifetimeMs = optional(body.lifetimeMs, "number", "lifetimeMs");
  if (lifetimeMs !== undefined && !isLifetime(lifetimeMs)) {
    throw new RangeError(`lifetimeMs is 1 to ${MAX_LIFETIME_MS}`);
  }
  const priority = oneOf(body.priority, PRIORITIES, "priority");
  const way = oneOf(body.way, WAYS, "way");
  const isOrdered = optional(body.isOrdered, "boolean", "isOrdered");
  const receipts = optional(body.receipts, "boolean", "receipts");
  const type = optional(body.type, "string", "type");
  if (!type) throw new RangeError("type is missing");
  return {
    to: agentOf(optional(body.to, "string", "to") ?? ""),
    type,
    value: body.value ?? null,
    waits: optional(body.waits, "boolean", "waits") ?? false,
    options: {
      ...lifetimeMs !== undefined && { lifetimeMs },
      ...priority !== undefined && { priority },
      ...way !== undefined && { way },
      ...isOrdered !== undefined && { isOrdered },
      ...receipts !== undefined && { receipts },
      ...body.metadata !== undefined && { metadata: textsOf(body.metadata) },
    },
  };
}

function textsOf(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(objectOf(value, "metadata")).map(([key, text]) => {
      if (typeof text === "string") return [key, text];
      throw new RangeError("metadata has texts");
    }),
  );
}

function isLifetime(ms: number): boolean {
  return Number.isSafeInteger(ms) && ms >= 1 && ms <= MAX_LIFETIME_MS;
}
