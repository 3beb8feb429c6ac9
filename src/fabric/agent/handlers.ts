import { Bag, type Clock, type InBag } from "../../core/async/mod.ts";
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
  readonly #running = new Bag<Running>();
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

  /** Lets no handler go on, for a reason; who runs them hears `closed`. */
  close(reason: unknown): void {
    for (const running of this.#running) running.end(reason, "closed");
  }

  /**
   * Runs the handler of a message, until its deadline or {@link close} at the latest: a handler that goes on after it is not waited for.
   *
   * It never rejects.
   */
  async run(message: Message, isAgain: boolean): Promise<Handled> {
    const leftMs = message.deadlineMs - this.#clock.wallTime();
    if (leftMs <= 0) return { state: "refused", reason: "expired" };
    const handler = message.kind === "group"
      ? this.#groups
      : this.#handlers.get(message.type);
    if (!handler) return { state: "refused", reason: "no_handler" };
    const { promise, resolve } = Promise.withResolvers<Handled>();
    const running = new Running(message, isAgain, resolve);
    const cancel = this.#clock.setTimeout(() => {
      const error = new FabricError("expired", "The deadline has passed");
      running.end(error, "deadline");
    }, leftMs);
    this.#running.add(running);
    void handledBy(handler, running).then(resolve);
    try {
      return await promise;
    } finally {
      cancel();
      this.#running.delete(running);
    }
  }
}

/** A message that is with its handler. */
class Running implements Incoming, InBag {
  place = -1;
  readonly message: Message;
  readonly from: AgentId;
  readonly isAgain: boolean;
  readonly #resolve: (handled: Handled) => void;
  #over: AbortController | undefined;
  #end: { readonly reason: unknown } | undefined;

  constructor(
    message: Message,
    isAgain: boolean,
    resolve: (handled: Handled) => void,
  ) {
    this.message = message;
    this.from = message.from;
    this.isAgain = isAgain;
    this.#resolve = resolve;
  }

  /** Made when it is asked for: few handlers do, and it costs more than the rest of a message. */
  get signal(): AbortSignal {
    if (!this.#over) {
      this.#over = new AbortController();
      if (this.#end) this.#over.abort(this.#end.reason);
    }
    return this.#over.signal;
  }

  /** Ends it before its handler is done. */
  end(cause: unknown, reason: string): void {
    this.#end = { reason: cause };
    this.#over?.abort(cause);
    this.#resolve({ state: "refused", reason });
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
