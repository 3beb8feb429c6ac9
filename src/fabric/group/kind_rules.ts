import { decodePayload } from "../agent/payload.ts";
import { FabricError } from "../error.ts";
import type { AgentId } from "../identity/agent_id.ts";
import type { Priority } from "../message/message.ts";
import { type GroupRules, isAdmin } from "./group_rules.ts";
import type { PublishedMessage } from "./published_message.ts";

/** How bad what an alert is about is, least first. */
export const ALERT_SEVERITIES = [
  "info",
  "warning",
  "error",
  "critical",
  "emergency",
] as const;

/** One of {@link ALERT_SEVERITIES}. */
export type AlertSeverity = typeof ALERT_SEVERITIES[number];

/** What is published in a group for alerts, with the type `alert`. */
export interface Alert {
  /** How bad it is; it is the priority of the message. */
  readonly severity: AlertSeverity;
  /** What it is about: 1 to 64 characters. */
  readonly category: string;
  /** For people: 1 to 4,096 characters. */
  readonly text: string;
}

/** What is published in a group for training, by its type. */
export interface TrainingPayloads {
  /** A session begins. */
  readonly "training.start": { session: string; model: string; rounds: number };
  /** The parameters of the model are these from now on. */
  readonly "training.update": {
    session: string;
    round: number;
    parameters: Uint8Array;
  };
  /** What a member learned in a round, from so many samples. */
  readonly "training.gradients": {
    session: string;
    round: number;
    samples: number;
    gradients: Uint8Array;
  };
  /** All are to have these parameters before the next round. */
  readonly "training.sync": {
    session: string;
    round: number;
    parameters: Uint8Array;
  };
  /** A session is over. */
  readonly "training.end": { session: string; reason: string };
}

/** Why a message breaks the rules of its group. */
export type PublishFault =
  | "not_an_admin" // only admins publish in a group of this kind
  | "type" // messages of this type are not for a group of this kind
  | "payload" // it is not of the form that its type has
  | "priority"; // it is not the one of the severity

const PRIORITY: Readonly<Record<AlertSeverity, Priority>> = {
  info: "low",
  warning: "normal",
  error: "high",
  critical: "high",
  emergency: "critical",
};

type Fields = Readonly<Record<string, (value: unknown) => boolean>>;

const ALERT: Fields = {
  severity: (value) => ALERT_SEVERITIES.some((each) => each === value),
  category: textOf(64),
  text: textOf(4_096),
};
const SESSION = textOf(64);
const ROUND = (value: unknown) =>
  Number.isSafeInteger(value) && Number(value) >= 0;
const BLOB = (value: unknown) => value instanceof Uint8Array;
const TRAINING: Readonly<Record<keyof TrainingPayloads, Fields>> = {
  "training.start": { session: SESSION, model: textOf(256), rounds: ROUND },
  "training.update": { session: SESSION, round: ROUND, parameters: BLOB },
  "training.gradients": {
    ...{ session: SESSION, round: ROUND },
    ...{ samples: ROUND, gradients: BLOB },
  },
  "training.sync": { session: SESSION, round: ROUND, parameters: BLOB },
  "training.end": { session: SESSION, reason: textOf(256) },
};

/** Types of the messages of votes. */
const VOTE_TYPES = ["vote.proposal", "vote.ballot", "vote.seen"] as const;

/** The priority of an alert. */
export function priorityOf(severity: AlertSeverity): Priority {
  return PRIORITY[severity];
}

/** What is wrong with a message of a member under the rules of its group; each member checks what it publishes and what it reads. */
export function publishFault(
  rules: GroupRules,
  sender: AgentId,
  { type, priority, payload }: PublishedMessage,
): PublishFault | undefined {
  switch (rules.kind) {
    case "open":
      return undefined;
    case "broadcast":
      return isAdmin(rules, sender) ? undefined : "not_an_admin";
    case "vote":
      return VOTE_TYPES.some((each) => each === type) ? undefined : "type";
    case "training": {
      const fields = Object.entries(TRAINING).find(([key]) => key === type);
      if (!fields) return "type";
      return read(payload, fields[1]) ? undefined : "payload";
    }
    case "alert": {
      if (type !== "alert") return "type";
      const fields = read(payload, ALERT);
      if (!fields) return "payload";
      const wanted = priorityOf(fields["severity"] as AlertSeverity);
      return priority === wanted ? undefined : "priority";
    }
  }
}

/** A payload that has these fields and no others. */
function read(
  payload: Uint8Array,
  fields: Fields,
): Record<string, unknown> | undefined {
  let value: unknown;
  try {
    value = decodePayload(payload);
  } catch (error) {
    if (!(error instanceof FabricError)) throw error;
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const record = value as Record<string, unknown>;
  const isRight = Object.keys(record).length === Object.keys(fields).length &&
    Object.entries(fields).every(([key, isOf]) => isOf(record[key]));
  return isRight ? record : undefined;
}

function textOf(max: number): (value: unknown) => boolean {
  return (value) =>
    typeof value === "string" && value.length >= 1 && value.length <= max;
}
