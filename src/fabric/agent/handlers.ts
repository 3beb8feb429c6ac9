import type { Clock } from "../../core/async/mod.ts";
import { FabricError } from "../error.ts";
import type { AgentId } from "../identity/agent_id.ts";
import type { Message } from "../message/message.ts";
import { decodePayload, encodePayload } from "./payload.ts";

/** What a handler knows of a message beside its payload. */
export interface Incoming {
  /** The message. */
  readonly message: Message;
  /** Who sent it, verified. */
  readonly from: AgentId;
  /** Whether a handler may have seen it before, when the process died in the middle of it. */
  readonly isAgain: boolean;
  /** Aborts at the message's deadline, or when the fabric closes. */
  readonly signal: AbortSignal;
}

/**
 * Handles messages of one type; what it gives is the answer to a request, and nothing to others.
 *
 * To refuse a message, throw a {@link FabricError} `refused` whose message says why: it goes to the sender.
 */
export type Handler = (
  payload: unknown,
  incoming: Incoming,
) => unknown | Promise<unknown>;

/** What a handler made of a message. */
export type Handled =
  | { readonly state: "handled"; readonly answer: Uint8Array }
  | {
    readonly state: "refused";
    readonly reason: string;
    /** What was thrown, for our own log. */
    readonly cause?: unknown;
  };

/** Longest reason that a receipt carries, in characters. */
const MAX_REASON = 64;

/** Handlers by the type of messages. */
export class Handlers {
  readonly #handlers = new Map<string, Handler>();
  #groups: Handler | undefined;
  readonly #clock: Clock;

  /** Starts without any. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Types that are handled. */
  get types(): readonly string[] {
    return [...this.#handlers.keys()];
  }

  /**
   * Lets `handler` have messages of a type; what it gives takes it away.
   *
   * @throws {RangeError} If the type has one.
   */
  add(type: string, handler: Handler): Disposable {
    if (this.#handlers.has(type)) {
      throw new RangeError(`Messages of type ${type} have a handler`);
    }
    this.#handlers.set(type, handler);
    return { [Symbol.dispose]: () => void this.#handlers.delete(type) };
  }

  /** Lets `handler` have the messages of groups, whatever their type; their payloads are not decoded. */
  setGroups(handler: Handler): void {
    this.#groups = handler;
  }

  /**
   * Runs the handler of a message, until its deadline or `closing` at the latest: a handler that goes on after it is not waited for.
   *
   * It never rejects.
   */
  async run(
    message: Message,
    isAgain: boolean,
    closing: AbortSignal,
  ): Promise<Handled> {
    const leftMs = message.deadlineMs - this.#clock.wallTime();
    if (leftMs <= 0) return { state: "refused", reason: "expired" };
    const handler = message.kind === "group"
      ? this.#groups
      : this.#handlers.get(message.type);
    if (!handler) return { state: "refused", reason: "no_handler" };
    const over = new AbortController();
    const { promise, resolve } = Promise.withResolvers<Handled>();
    const cancel = this.#clock.setTimeout(() => {
      over.abort(new FabricError("expired", "The deadline has passed"));
      resolve({ state: "refused", reason: "deadline" });
    }, leftMs);
    const onClose = () => {
      over.abort(closing.reason);
      resolve({ state: "refused", reason: "closed" });
    };
    closing.addEventListener("abort", onClose, { once: true });
    const incoming: Incoming = {
      ...{ message, isAgain },
      from: message.from,
      signal: over.signal,
    };
    try {
      return await Promise.race([promise, handledBy(handler, incoming)]);
    } finally {
      cancel();
      closing.removeEventListener("abort", onClose);
    }
  }
}

async function handledBy(
  handler: Handler,
  incoming: Incoming,
): Promise<Handled> {
  try {
    const { kind, payload: bytes } = incoming.message;
    const payload = kind === "group" ? bytes : decodePayload(bytes);
    const answer = await handler(payload, incoming);
    return { state: "handled", answer: encodePayload(answer) };
  } catch (cause) {
    if (!(cause instanceof FabricError)) {
      return { state: "refused", reason: "handler_failed", cause };
    }
    const reason = cause.code === "refused" ? cause.message : cause.code;
    return { state: "refused", reason: reason.slice(0, MAX_REASON), cause };
  }
}
