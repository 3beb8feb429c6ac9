import { decodeBase64Url } from "../../core/bytes/mod.ts";
import { type Choice, CHOICES } from "../group/ballot.ts";
import { GROUP_KINDS, type GroupRules } from "../group/group_rules.ts";
import type { ProposeOptions } from "../group/votes.ts";
import type { AgentBook } from "../identity/agent_book.ts";
import { PRIORITIES, type Priority } from "../message/message.ts";
import { idOfAgent } from "./group_of.ts";
import { fieldsIn, objectOf, oneOf, optional } from "./json_fields.ts";

/** Longest time of a vote: 30 days. */
const MAX_TIMEOUT_MS = 30 * 86_400_000;

/** What an application wants published in a group. */
export interface PublishBody {
  /** What it is about. */
  readonly type: string;
  /** What it carries. */
  readonly value: unknown;
  /** How urgent it is, if it says so. */
  readonly priority: Priority | undefined;
}

/**
 * Reads the rules that an application wants for a group; what is absent stays as it is, or has its default.
 *
 * ```text
 * {"kind":"open"|"training"|"alert"|"vote"|"broadcast","name":…,"admins":[agent,…],"isAdminOnlyAdd":false,"isAdminOnlyRemove":false,
 *  "maxMembers":100,"weights":{agent:1,…}}
 * ```
 *
 * @throws {RangeError} If it is something else.
 * @throws {FabricError} `unknown_agent` if a name is nobody's.
 */
export function readRulesBody(
  bytes: Uint8Array,
  book: Pick<AgentBook, "byName">,
): Partial<GroupRules> {
  const body = fieldsIn(bytes);
  const kind = oneOf(body.kind, GROUP_KINDS, "kind");
  const name = optional(body.name, "string", "name");
  const isAdminOnlyAdd = optional(
    body.isAdminOnlyAdd,
    "boolean",
    "isAdminOnlyAdd",
  );
  const isAdminOnlyRemove = optional(
    body.isAdminOnlyRemove,
    "boolean",
    "isAdminOnlyRemove",
  );
  const maxMembers = optional(body.maxMembers, "number", "maxMembers");
  const { admins, weights } = body;
  if (admins !== undefined && !Array.isArray(admins)) {
    throw new RangeError("admins is an array");
  }
  return {
    ...kind !== undefined && { kind },
    ...name !== undefined && { name },
    ...isAdminOnlyAdd !== undefined && { isAdminOnlyAdd },
    ...isAdminOnlyRemove !== undefined && { isAdminOnlyRemove },
    ...maxMembers !== undefined && { maxMembers },
    ...admins !== undefined && {
      admins: admins.map((each) => idOfAgent(book, textOf(each, "admins"))),
    },
    ...weights !== undefined && {
      weights: new Map(
        Object.entries(objectOf(weights, "weights")).map(([agent, weight]) => [
          `${idOfAgent(book, agent)}`,
          wholeOf(weight, "weights"),
        ]),
      ),
    },
  };
}

/**
 * Reads what an application wants published:
 *
 * ```text
 * {"type":…,"value":…,"priority":"low"|"normal"|"high"|"critical","bytes":{field:base64url,…}}
 * ```
 *
 * Each of `bytes` is a field of the value that is a byte string, which JSON does not have.
 *
 * @throws {RangeError} If it is something else.
 * @throws {DecodeError} If a field of `bytes` is not base64url.
 */
export function readPublishBody(text: Uint8Array): PublishBody {
  const { type, value, priority, bytes } = fieldsIn(text);
  const isWithBytes = bytes !== undefined;
  const name = optional(type, "string", "type");
  if (!name) throw new RangeError("type is missing");
  return {
    type: name,
    value: !isWithBytes ? value ?? null : {
      ...objectOf(value ?? {}, "A value with bytes"),
      ...Object.fromEntries(
        Object.entries(objectOf(bytes, "bytes")).map(([key, each]) => [
          key,
          decodeBase64Url(textOf(each, "bytes")),
        ]),
      ),
    },
    priority: oneOf(priority, PRIORITIES, "priority"),
  };
}

/**
 * Reads what an application proposes: `{"text":…,"timeoutMs":300000,"isUnanimous":false}`.
 *
 * @throws {RangeError} If it is something else.
 */
export function readProposalBody(
  bytes: Uint8Array,
): { readonly text: string; readonly options: ProposeOptions } {
  const body = fieldsIn(bytes);
  const text = textOf(body.text, "text");
  const timeoutMs = body.timeoutMs === undefined
    ? undefined
    : wholeOf(body.timeoutMs, "timeoutMs");
  if (timeoutMs !== undefined && !(timeoutMs <= MAX_TIMEOUT_MS)) {
    throw new RangeError(`timeoutMs is at most ${MAX_TIMEOUT_MS}`);
  }
  const isUnanimous = optional(body.isUnanimous, "boolean", "isUnanimous");
  return {
    text,
    options: {
      ...timeoutMs !== undefined && { timeoutMs },
      ...isUnanimous !== undefined && { isUnanimous },
    },
  };
}

/**
 * Reads what an application says to a proposal.
 *
 * @throws {RangeError} If it is none of the choices.
 */
export function readChoice(text: string | undefined): Choice {
  const choice = oneOf(text, CHOICES, "choice");
  if (choice) return choice;
  throw new RangeError(`choice is one of ${CHOICES.join(", ")}`);
}

function textOf(value: unknown, name: string): string {
  if (typeof value === "string") return value;
  throw new RangeError(`${name} wants a text`);
}

function wholeOf(value: unknown, name: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) {
    return value;
  }
  throw new RangeError(`${name} wants a whole number`);
}
