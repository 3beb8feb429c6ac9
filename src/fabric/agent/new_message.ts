import type { WaitOptions } from "../../core/async/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { AgentId } from "../identity/agent_id.ts";
import {
  MAX_LIFETIME_MS,
  type Message,
  MESSAGE_ID_LENGTH,
  type Priority,
} from "../message/message.ts";
import type { WayName } from "../way/choose_way.ts";
import { encodePayload } from "./payload.ts";

/** How a message is to be sent. */
export interface SendOptions extends WaitOptions {
  /** How urgent it is; normal by default. */
  readonly priority?: Priority;
  /** How long it is of use, in milliseconds; 30 s for requests, a day for others. */
  readonly lifetimeMs?: number;
  /** How it may travel; `auto` by default: live within a budget, else as a bundle. */
  readonly way?: WayName | "auto";
  /** Texts beside the payload. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Whether it may not overtake others to the same agent that are sent so; it may by default. */
  readonly isOrdered?: boolean;
  /** Whether the other agent is to sign what becomes of it; not by default for requests, by default for others. */
  readonly receipts?: boolean;
}

/** How a stream is to be opened. */
export type StreamOptions = Omit<SendOptions, "isOrdered" | "receipts">;

const REQUEST_LIFETIME_MS = 30_000;
const LIFETIME_MS = 86_400_000;

/**
 * What an application says, as a message.
 *
 * @throws {RangeError} If it would live longer than 30 days, or the value is none that messages carry.
 */
export function newMessage(
  { kind, from, to, type, value, crypto, nowMs }: {
    readonly kind: "request" | "notify";
    readonly from: AgentId;
    readonly to: AgentId;
    readonly type: string;
    readonly value: unknown;
    readonly crypto: CryptoProvider;
    readonly nowMs: number;
  },
  options: SendOptions,
): Message {
  const isRequest = kind === "request";
  const lifetimeMs = Math.ceil(
    options.lifetimeMs ?? (isRequest ? REQUEST_LIFETIME_MS : LIFETIME_MS),
  );
  if (!(lifetimeMs >= 0 && lifetimeMs <= MAX_LIFETIME_MS)) {
    throw new RangeError("A message lives from 0 ms to 30 days");
  }
  return {
    ...{ kind, type, from, to },
    id: crypto.random(MESSAGE_ID_LENGTH),
    wantsReceipts: options.receipts ?? !isRequest,
    priority: options.priority ?? "normal",
    createdMs: nowMs,
    deadlineMs: nowMs + lifetimeMs,
    metadata: new Map(Object.entries(options.metadata ?? {})),
    payload: encodePayload(value),
  };
}

/** What a fabric says by itself, of its groups or as receipts, as a message. */
export function ownMessage(
  { kind, crypto, nowMs, ...parts }:
    & Pick<Message, "deadlineMs" | "from" | "payload" | "priority" | "to">
    & {
      readonly kind: "group" | "receipts";
      readonly crypto: CryptoProvider;
      readonly nowMs: number;
    },
): Message {
  return {
    ...parts,
    ...{ kind, type: kind },
    id: crypto.random(MESSAGE_ID_LENGTH),
    wantsReceipts: kind === "group",
    createdMs: nowMs,
    metadata: new Map(),
  };
}
