import { type Clock, delay } from "../../core/async/mod.ts";
import type { Logger } from "../../core/log/mod.ts";
import { StorageError } from "../../core/storage/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { Agent } from "../identity/agent.ts";
import type { Admission, Inbox, Kept } from "../inbox/inbox.ts";
import type { Outcome } from "../inbox/inbox_rows.ts";
import {
  type Message,
  MESSAGE_ID_LENGTH,
  type Priority,
} from "../message/message.ts";
import { SenderLanes } from "../inbox/sender_lanes.ts";
import type { StatusCode } from "../rpc/frame.ts";
import { SlotMap } from "../slot_map.ts";
import type { Handled, Handlers } from "./handlers.ts";
import { encodePayload } from "./payload.ts";
import type { ReceiptsDue } from "./receipts_due.ts";
import { Shares } from "./shares.ts";

/** The reason of a status `full`, where others' messages have room. */
export const SENDER = "sender";

/** How whoever brought a message is told what becomes of it. */
export interface Route {
  /** Whether the sender waits at the other end; a message that came otherwise is kept, and its answer goes by the way that works then. */
  readonly isLive: boolean;
  /** Says what becomes of it. */
  status(code: StatusCode, reason?: string): void;
  /** Takes the answer to it; `false` if the way is gone, so that it must go another way. `onConfirmed` hears that it came, and no copy of the request will. */
  answer(answer: Message, onConfirmed?: () => void): boolean;
}

/** Parts of a {@link Reception}. */
export interface ReceptionOptions {
  /** Whose messages these are. */
  readonly agent: Agent;
  /** Draws ids. */
  readonly crypto: CryptoProvider;
  /** Remembers what came. */
  readonly inbox: Inbox;
  /** What is done with it. */
  readonly handlers: Handlers;
  /** Who sent it is told. */
  readonly receipts: ReceiptsDue;
  /** Takes answers whose way has gone. */
  readonly sendAnswer: (answer: Message) => void;
  /** Most handlers that run at a time; 256 by default. */
  readonly maxRunning?: number;
  /** Where it says what failed. */
  readonly log: Logger;
  /** Time. */
  readonly clock: Clock;
}

/** Why messages were not taken, or did not reach the end of their handlers. */
export interface ReceptionCounts {
  /** Messages whose handler is done with them. */
  handled: number;
  /** Copies of messages that came before. */
  copies: number;
  /** Messages that came after their deadline. */
  expired: number;
  /** Messages in order that came after later ones. */
  outOfOrder: number;
  /** Messages for which there was no room. */
  full: number;
  /** Messages that a handler refused, whose type has none, or whose deadline is too far. */
  refused: number;
}

interface Queued {
  readonly id: string;
  readonly sender: string;
  readonly priority: Priority;
  readonly message: Message;
}

const MAX_RUNNING = 256;
const SETTLE_AGAIN_MS = 1_000;
/** Requests that wait in memory, of all links together; others are told to come later. */
const MAX_QUEUED = 4_096;
const MAX_QUEUED_BYTES = 64 * 1024 * 1024;
/** How long an answer may be unconfirmed, in milliseconds, before what became of the request is kept; up to twice as long. */
const CONFIRM_MS = 100;

/** Takes messages to their handlers, each once, and tells their senders. */
export class Reception {
  /** What it did so far. */
  readonly counts: ReceptionCounts = {
    ...{ handled: 0, copies: 0, expired: 0, outOfOrder: 0, full: 0 },
    refused: 0,
  };
  readonly #options: ReceptionOptions;
  readonly #over = new AbortController();
  /** Ways by which messages came that are with a handler, by sender and id. */
  readonly #routes = new SlotMap<Route[]>();
  #tasks = 0;
  /** Resolves once no task is left, if that is waited for. */
  #idle: PromiseWithResolvers<void> | undefined;
  /** Requests that wait for a handler to be done, and are not kept. */
  readonly #queue = new SenderLanes<Queued>();
  readonly #queued = new Shares(MAX_QUEUED);
  readonly #queuedBytes = new Shares(MAX_QUEUED_BYTES);
  /** Whether what is kept has the next turn, if both wait. */
  #isTurnOfKept = false;
  readonly #running: Shares;
  /** Whether the handlers are there. */
  #isStarted = false;
  #cancelKeeping: (() => void) | undefined;

  /** What was kept before goes to its handlers with {@link pump}. */
  constructor(options: ReceptionOptions) {
    this.#options = options;
    this.#running = new Shares(options.maxRunning ?? MAX_RUNNING);
  }

  /** Takes a message, whose sender is verified, that came by `route`. */
  receive(message: Message, route: Route): void {
    const { inbox, clock } = this.#options;
    const nowMs = clock.wallTime();
    const isQueued = message.kind === "request" && route.isLive;
    const full = this.#over.signal.aborted
      ? ""
      : isQueued
      ? this.#fullFor(message)
      : undefined;
    if (full !== undefined) {
      this.counts.full++;
      return route.status("full", full);
    }
    const admission = inbox.admit(message, nowMs);
    if (admission.kind === "new" && isQueued) {
      this.#join(message, route);
      this.#enqueue(message);
    } else this.#admitted(message, admission, route, nowMs);
    // Also of those behind it, which may have waited for what it says alone.
    this.pump();
  }

  /** Forgets what has been kept long enough, and takes what has waited in vain to its handlers. */
  sweep(): void {
    const { inbox, clock } = this.#options;
    inbox.sweep(clock.wallTime());
    if (this.#isStarted) this.pump();
  }

  /** Takes what waits to its handlers, as many as may run. */
  pump(): void {
    this.#isStarted = true;
    const { inbox } = this.#options;
    const mayGo = (sender: string) => this.#running.mayTake(sender, 1);
    while (this.#running.hasRoom(1) && !this.#over.signal.aborted) {
      const next = this.#isTurnOfKept
        ? inbox.next(mayGo) ?? this.#nextQueued(mayGo)
        : this.#nextQueued(mayGo) ?? inbox.next(mayGo);
      if (!next) return;
      this.#isTurnOfKept = !this.#isTurnOfKept;
      const sender = `${next.message.from}`;
      this.#running.take(sender, 1);
      const task = this.#run(next.message, next.isAgain).finally(() => {
        this.#running.take(sender, -1);
        this.pump();
      });
      this.#track(task);
    }
  }

  /** Takes nothing to a handler any more, and waits for none: who asked is told to ask again later. */
  async close(): Promise<void> {
    this.#over.abort();
    this.#options.handlers.close(this.#over.signal.reason);
    if (this.#tasks > 0) {
      this.#idle ??= Promise.withResolvers();
      await this.#idle.promise;
    }
    for (const routes of this.#routes.values()) {
      for (const route of routes) route.status("full");
    }
    this.#routes.clear();
    this.#cancelKeeping?.();
    const { inbox, log } = this.#options;
    await inbox.keepUnconfirmed("all").catch((error) => {
      log.error("fabric.not_settled", { error });
    });
  }

  #admitted(
    message: Message,
    admission: Admission,
    route: Route,
    nowMs: number,
  ): void {
    switch (admission.kind) {
      case "full":
        this.counts.full++;
        return route.status("full", admission.of === "sender" ? SENDER : "");
      case "refused":
        return this.#refuse(message, admission.reason, route);
      case "busy":
        this.counts.copies++;
        return this.#join(message, route);
      case "done":
        this.counts.copies++;
        return this.#tell(message, admission.outcome, route);
      default:
        this.#track(this.#keep(message, route, nowMs));
    }
  }

  #refuse(
    message: Message,
    reason: "expired" | "out_of_order" | "lifetime",
    route: Route,
  ): void {
    const { receipts, clock } = this.#options;
    const state = reason === "lifetime" ? "refused" : "expired";
    if (reason === "out_of_order") this.counts.outOfOrder++;
    else this.counts[state]++;
    receipts.add(message, state, clock.wallTime(), reason);
    route.status("refused", reason);
  }

  /** Why a live request finds no room, as the reason of a status. */
  #fullFor({ from, payload: { length } }: Message): string | undefined {
    if (!this.#queued.hasRoom(1) || !this.#queuedBytes.hasRoom(length)) {
      return "";
    }
    const isAllowed = this.#queued.mayTake(`${from}`, 1) &&
      this.#queuedBytes.mayTake(`${from}`, length);
    return isAllowed ? undefined : SENDER;
  }

  #enqueue(message: Message): void {
    const { priority, payload } = message;
    const sender = `${message.from}`;
    this.#queue.push({ id: keyOf(message), sender, priority, message });
    this.#queued.take(sender, 1);
    this.#queuedBytes.take(sender, payload.length);
  }

  #nextQueued(mayGo: (sender: string) => boolean): Kept | undefined {
    const queued = this.#queue.shift(mayGo);
    if (!queued) return undefined;
    const { message, sender } = queued;
    this.#queued.take(sender, -1);
    this.#queuedBytes.take(sender, -message.payload.length);
    return { message, isAgain: this.#options.inbox.isAgain(message) };
  }

  async #keep(message: Message, route: Route, nowMs: number): Promise<void> {
    const { inbox, receipts } = this.#options;
    try {
      await inbox.keep(message);
    } catch (error) {
      route.status("full");
      throw error;
    }
    this.#join(message, route);
    receipts.add(message, "delivered", nowMs);
    this.pump();
  }

  async #run(message: Message, isAgain: boolean): Promise<void> {
    const { handlers, inbox, clock } = this.#options;
    const { signal } = this.#over;
    const handled = await handlers.run(message, isAgain);
    // It runs again after the next start.
    if (signal.aborted) return;
    if (handled.state === "refused" && handled.cause !== undefined) {
      const { cause: error } = handled;
      this.#options.log.warn("fabric.handler_failed", { error });
    }
    this.counts[handled.state]++;
    const outcome = this.#outcome(message, handled, clock.wallTime());
    if (inbox.settleUnkept(message, outcome)) this.#keepSoon();
    else await this.#settle(message, outcome);
    if (signal.aborted) return;
    const key = keyOf(message);
    this.#tell(message, outcome, ...this.#routes.get(key) ?? []);
    this.#routes.delete(key);
  }

  /** Writes what became of a message, again and again if need be: its handler must not run once more. */
  async #settle(message: Message, outcome: Outcome): Promise<void> {
    const { inbox, clock, log } = this.#options;
    const { signal } = this.#over;
    while (!signal.aborted) {
      try {
        return await inbox.settle(message, outcome);
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        log.error("fabric.not_settled", { error });
        await delay(clock, SETTLE_AGAIN_MS, { signal }).catch(() => {});
      }
    }
  }

  /** Answers that are confirmed until then need not be kept. */
  #keepSoon(afterMs = CONFIRM_MS): void {
    this.#cancelKeeping ??= this.#options.clock.setTimeout(() => {
      this.#cancelKeeping = undefined;
      this.#track(this.#keepUnconfirmed());
    }, afterMs);
  }

  async #keepUnconfirmed(): Promise<void> {
    const { inbox, log } = this.#options;
    let pauseMs = CONFIRM_MS;
    try {
      if (!await inbox.keepUnconfirmed()) return;
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      log.error("fabric.not_settled", { error });
      pauseMs = SETTLE_AGAIN_MS;
    }
    if (!this.#over.signal.aborted) this.#keepSoon(pauseMs);
  }

  #outcome(message: Message, handled: Handled, atMs: number): Outcome {
    const { state } = handled;
    const reason = state === "refused" ? handled.reason : "";
    if (message.kind !== "request") return { state, reason, atMs };
    const { crypto, agent } = this.#options;
    const answer: Message = {
      id: crypto.random(MESSAGE_ID_LENGTH),
      kind: state === "handled" ? "reply" : "failure",
      from: agent.id,
      to: message.from,
      type: message.type,
      priority: message.priority,
      createdMs: atMs,
      deadlineMs: message.deadlineMs,
      replyTo: message.id,
      wantsReceipts: false,
      metadata: new Map(),
      payload: state === "handled" ? handled.answer : encodePayload(reason),
    };
    return { state, reason, atMs, answer };
  }

  /** Says what became of a message, by the ways it came and in a receipt. */
  #tell(message: Message, outcome: Outcome, ...routes: Route[]): void {
    const { receipts, sendAnswer, inbox } = this.#options;
    const { state, reason, atMs, answer } = outcome;
    receipts.add(message, state, atMs, reason);
    let isAnswered = false;
    const onConfirmed = () => inbox.forget(message);
    for (const route of routes) {
      if (!answer) route.status(state, reason);
      else if (route.answer(answer, onConfirmed)) isAnswered = true;
      else route.status("taken");
    }
    if (answer && !isAnswered) sendAnswer(answer);
  }

  /** A message is with its handler: `route` hears when that is done. */
  #join(message: Message, route: Route): void {
    if (message.kind !== "request" || !route.isLive) {
      return route.status("taken");
    }
    const key = keyOf(message);
    const routes = this.#routes.get(key);
    // One more copy than two ways bring is told nothing: its sender asks again.
    if (routes && routes.length >= MAX_ROUTES) return route.status("taken");
    if (routes) routes.push(route);
    else this.#routes.set(key, [route]);
  }

  #track(task: Promise<void>): void {
    this.#tasks++;
    void task.catch((error) => {
      this.#options.log.error("fabric.failed", { error });
    }).then(() => {
      if (--this.#tasks === 0) this.#idle?.resolve();
    });
  }
}

const MAX_ROUTES = 4;

function keyOf({ from, id }: Message): string {
  return `${from}${id.toHex()}`;
}
