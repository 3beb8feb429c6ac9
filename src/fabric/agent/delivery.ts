import {
  type Clock,
  Deadline,
  type WaitOptions,
} from "../../core/async/mod.ts";
import type { Logger } from "../../core/log/mod.ts";
import { FabricError } from "../error.ts";
import type { AgentId } from "../identity/agent_id.ts";
import {
  type Message,
  MESSAGE_KINDS,
  type MessageKind,
} from "../message/message.ts";
import type {
  AcceptOptions,
  Outbox,
  OutgoingMessage,
} from "../outbox/outbox.ts";
import type { RpcLink, SendLiveOptions, Sent } from "../rpc/rpc_link.ts";
import { TurnShare } from "../turn_share.ts";
import { chooseWay, type WayChoice, type WayName } from "../way/choose_way.ts";
import { LinkWatches } from "./link_watches.ts";
import { Redials } from "./redials.ts";

/** How messages travel live. */
export interface LiveWay {
  /** An open link with a node of an agent. */
  with(id: AgentId): RpcLink | undefined;
  /** Whether one can be dialed. */
  canDial(id: AgentId): boolean;
  /** Opens a link. */
  dial(id: AgentId, options: WaitOptions): Promise<RpcLink>;
  /** Milliseconds since the agent was heard of live. */
  sinceHeardMs(id: AgentId): number | undefined;
  /** Milliseconds since it was dialed in vain, or {@link notReached}. */
  sinceFailedMs(id: AgentId): number | undefined;
  /** An agent gave no sign of life in time: a dial that is still under way, or a link that may be dead, says nothing of its own accord. */
  notReached(id: AgentId): void;
}

/** How messages travel later. */
export interface BundleWay {
  /** Whether messages to an agent can be sealed: its record is known. */
  canSend(id: AgentId): boolean;
  /** Sends a message; resolves once a node of bundles has stored it. */
  send(message: Message): Promise<void>;
}

/** How a message came to its end, or a step nearer. */
export interface DeliveryEvents {
  /** It is with the other end. */
  onTaken(message: Message, way: WayName): void;
  /** It was settled, or given up for a reason; by its id. */
  onEnd(id: Uint8Array, reason: string | undefined): void;
  /** A request was answered. */
  onAnswer(answer: Message): void;
}

/** Parts of a {@link Delivery}. */
export interface DeliveryOptions {
  /** What is to be delivered. */
  readonly outbox: Outbox;
  /** How messages travel live. */
  readonly live: LiveWay;
  /** How messages travel later; not at all if absent. */
  readonly bundles?: BundleWay;
  /** Hears what becomes of messages. */
  readonly events: DeliveryEvents;
  /** How long an attempt to reach an agent live may take before a bundle is sent instead, in milliseconds; 2 s by default. */
  readonly budgetMs?: number;
  /** Uniform in [0, 1), for pauses between attempts. */
  readonly random: () => number;
  /** Where it says what failed. */
  readonly log: Logger;
  /** Time. */
  readonly clock: Clock;
}

const BUDGET_MS = 2_000;
const TICK_MS = 1_000;
/** Of each turn of the event loop, for messages that are accepted: half of it as a rule, as the rest is for what they wait for. */
const ACCEPTING_MS = { minMs: 8, maxMs: 32 };
const RETRY = { minMs: 500, maxMs: 60_000 };
/** The other end has the message; if it says no more, it is asked again after this time, twice as long each time. */
const ASK_AGAIN_MS = 30_000;
/** What was being sent when a link began may be on a way of before: if nothing is said of it, it is asked for after this time. */
const UNDER_WAY_MS = 3_000;
/** A bundle is sent again after this share of the time that is left, so that a few may be lost. */
const BUNDLE_AGAIN_SHARE = 0.3;
const MIN_BUNDLE_AGAIN_MS = 60_000;
/** What is done with once the other end has it: nobody says more of it. */
const ENDS_WHEN_TAKEN: ReadonlySet<MessageKind> = new Set<MessageKind>([
  ...["reply", "failure", "receipts", "record"] as const,
]);

/** Takes messages from an outbox to their agents, by the way that works, until they are settled or their deadlines pass. */
export class Delivery {
  /** How often each way was tried. */
  readonly attempts: Record<WayName, number> = { rpc: 0, bundle: 0 };
  /** Messages that each way took, by what they are. */
  readonly carried: Readonly<Record<WayName, Record<MessageKind, number>>> = {
    rpc: noneOfEach(),
    bundle: noneOfEach(),
  };
  /** How often a bundle was chosen for a message as its agent was not reached live within the budget. */
  fallbacks = 0;
  readonly #options: DeliveryOptions;
  readonly #budgetMs: number;
  readonly #accepting: TurnShare;
  readonly #over = new AbortController();
  readonly #tasks = new Set<Promise<void>>();
  readonly #redials: Redials;
  readonly #watches: LinkWatches;
  #cancelTick: () => void = () => {};

  /** Starts at once. */
  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#budgetMs = options.budgetMs ?? BUDGET_MS;
    this.#accepting = new TurnShare(options.clock, ACCEPTING_MS);
    const { outbox, live, random, clock } = options;
    this.#watches = new LinkWatches({
      ...{ ms: this.#budgetMs, clock },
      onSilent: (to) => live.notReached(to),
    });
    this.#redials = new Redials({
      ...{ random, clock },
      isWanted: (id) => outbox.rests(id) && !live.with(id) && live.canDial(id),
      dial: (id, signal) => live.dial(id, { signal }),
    });
    this.#tick();
  }

  /**
   * Accepts a message, and takes it on; whoever does so in a loop is held back, so that messages are sent meanwhile.
   *
   * @throws {FabricError} `full`.
   */
  async accept(
    message: Omit<Message, "order">,
    options: AcceptOptions = {},
  ): Promise<void> {
    await this.#accepting.enter();
    await this.#options.outbox.accept(message, options);
    this.pump();
  }

  /** Takes on what waits now. */
  pump(): void {
    if (this.#over.signal.aborted) return;
    const { outbox } = this.#options;
    for (
      let next;
      (next = outbox.next((id) => this.#isOpen(id)));
    ) this.#track(this.#attempt(next));
  }

  /**
   * An agent can be reached live now: what rests is tried again. If a link with it `isOver`, so may be receipts that were under way: it
   * is dialed again, and asked again soon.
   */
  reached(id: AgentId, isOver = false): void {
    if (this.#over.signal.aborted) return;
    const { outbox, clock } = this.#options;
    const nowMs = clock.wallTime();
    if (isOver) {
      outbox.hurry(id, nowMs + ASK_AGAIN_MS);
      return this.#track(this.#redials.start(id, ASK_AGAIN_MS));
    }
    outbox.hurry(id, undefined, nowMs + UNDER_WAY_MS);
    this.pump();
  }

  /** Chooses a way for a message, as things are now. */
  choose(message: Message, wanted: WayName | "auto"): WayChoice {
    const { live, bundles, clock } = this.#options;
    const { to, priority, payload, deadlineMs } = message;
    const sinceHeardMs = live.sinceHeardMs(to);
    const sinceFailedMs = live.sinceFailedMs(to);
    return chooseWay({
      ...{ wanted, priority, budgetMs: this.#budgetMs },
      isLive: live.with(to) !== undefined,
      isDialable: live.canDial(to),
      hasBundles: bundles?.canSend(to) ?? false,
      size: payload.length,
      leftMs: deadlineMs - clock.wallTime(),
      ...sinceHeardMs !== undefined && { sinceHeardMs },
      ...sinceFailedMs !== undefined && { sinceFailedMs },
    });
  }

  /**
   * Sends a message live.
   *
   * @param budgetMs - How long a sign of life may be missing, in milliseconds; 0 for as long as the dialer and the session allow.
   * @throws {FabricError} `unreachable`.
   * @throws The reason of the signal.
   */
  async sendLive(
    message: Message,
    budgetMs: number,
    { signal, isOnlyCopy = false }: SendLiveOptions = {},
  ): Promise<Sent> {
    const { live, clock } = this.#options;
    this.attempts.rpc++;
    const ms = budgetMs || Infinity;
    let link = live.with(message.to);
    if (!link) {
      using deadline = new Deadline(clock, ms, { signal });
      link = await live.dial(message.to, { signal: deadline.signal })
        .catch((cause) => {
          signal?.throwIfAborted();
          if (deadline.signal.aborted) live.notReached(message.to);
          throw unreachable(cause);
        });
    }
    using _watch = budgetMs === 0
      ? undefined
      : this.#watches.watch(link, message.to);
    const sent = await link.send(message, { signal, isOnlyCopy });
    this.carried.rpc[message.kind]++;
    return sent;
  }

  /** Takes on nothing more, and waits for what is under way. */
  async close(): Promise<void> {
    this.#over.abort(new FabricError("closed", "The fabric is closed"));
    this.#redials.close();
    this.#watches.close();
    this.#cancelTick();
    this.#accepting[Symbol.dispose]();
    await Promise.all(this.#tasks);
  }

  async #attempt(next: OutgoingMessage): Promise<void> {
    const { outbox } = this.#options;
    const { message, failed } = next;
    const { way, budgetMs } = this.choose(message, next.way);
    try {
      if (way === "rpc") return await this.#byRpc(next, budgetMs);
      if (way === "bundle") return await this.#byBundle(next);
    } catch (error) {
      if (this.#over.signal.aborted) return;
      if (!(error instanceof FabricError)) {
        this.#options.log.warn("fabric.not_sent", { error });
      }
    }
    outbox.wait(message.id, this.#pausedUntil(failed));
  }

  async #byRpc(next: OutgoingMessage, budgetMs: number): Promise<void> {
    const { message, failed, taken } = next;
    const { events, outbox, clock } = this.#options;
    const { signal } = this.#over;
    let sent: Sent;
    try {
      sent = await this.sendLive(message, budgetMs, { signal });
    } catch (error) {
      const isLater = error instanceof FabricError && budgetMs > 0 &&
        !signal.aborted;
      if (!isLater) throw error;
      this.fallbacks++;
      return await this.#byBundle(next);
    }
    if (sent.kind === "answer") return events.onAnswer(sent.message);
    switch (sent.code) {
      case "taken":
      case "handled": {
        // Receipts are on their way, if they are wanted: a word without a signature does not stand for them.
        const isOver = sent.code === "handled" && !message.wantsReceipts;
        if (isOver) return this.#end(message);
        events.onTaken(message, "rpc");
        if (this.#endsWhenTaken(message)) return;
        const pauseMs = ASK_AGAIN_MS * 2 ** Math.min(taken, 8);
        return outbox.rest(message.id, clock.wallTime() + pauseMs);
      }
      case "full":
        return outbox.wait(message.id, this.#pausedUntil(failed));
      case "refused":
        await outbox.giveUp(message.id, sent.reason, clock.wallTime());
        return events.onEnd(message.id, sent.reason);
    }
  }

  async #byBundle(next: OutgoingMessage): Promise<void> {
    const { message, bundledMs, bundles: sent } = next;
    const { bundles, outbox, events, clock } = this.#options;
    if (!bundles?.canSend(message.to)) {
      throw unreachable("No node of bundles is joined");
    }
    const pauseMs = (nowMs: number) =>
      Math.max(
        MIN_BUNDLE_AGAIN_MS,
        BUNDLE_AGAIN_SHARE * (message.deadlineMs - nowMs),
      );
    const beganMs = clock.wallTime();
    if (bundledMs !== undefined && bundledMs <= beganMs) {
      // It is on its way, and links that come and go in the meantime are no reason for another: less and less.
      const leastMs = MIN_BUNDLE_AGAIN_MS * 2 ** Math.max(0, sent - 1);
      const againMs = bundledMs + Math.min(leastMs, pauseMs(bundledMs));
      if (beganMs < againMs) return outbox.rest(message.id, againMs);
    }
    this.attempts.bundle++;
    await bundles.send(message);
    this.carried.bundle[message.kind]++;
    events.onTaken(message, "bundle");
    if (this.#endsWhenTaken(message)) return;
    const nowMs = clock.wallTime();
    outbox.rest(message.id, nowMs + pauseMs(nowMs), nowMs);
  }

  #endsWhenTaken(message: Message): boolean {
    const isOver = ENDS_WHEN_TAKEN.has(message.kind) ||
      message.kind !== "request" && !message.wantsReceipts;
    if (isOver) this.#end(message);
    return isOver;
  }

  #end(message: Message): void {
    this.#options.outbox.settle(message.id);
    this.#options.events.onEnd(message.id, undefined);
  }

  #isOpen(id: AgentId): boolean {
    const { live, bundles } = this.#options;
    return live.with(id) !== undefined || live.canDial(id) ||
      (bundles?.canSend(id) ?? false);
  }

  #pausedUntil(failed: number): number {
    const { random, clock } = this.#options;
    const bound = Math.min(RETRY.maxMs, RETRY.minMs * 2 ** (failed + 1));
    return clock.wallTime() + bound * (0.5 + 0.5 * random());
  }

  #tick(): void {
    const { outbox, clock, events } = this.#options;
    const nowMs = clock.wallTime();
    this.#track(
      outbox.tick(nowMs).then((expired) => {
        for (const { id } of expired) {
          events.onEnd(Uint8Array.fromHex(id), "expired");
        }
      }),
    );
    this.pump();
    this.#cancelTick = clock.setTimeout(() => this.#tick(), TICK_MS);
  }

  #track(task: Promise<void>): void {
    const tracked = task.catch((error) => {
      this.#options.log.error("fabric.failed", { error });
    }).finally(() => {
      this.#tasks.delete(tracked);
      if (this.#options.outbox.size > 0) this.pump();
    });
    this.#tasks.add(tracked);
  }
}

function noneOfEach(): Record<MessageKind, number> {
  const entries = MESSAGE_KINDS.map((kind) => [kind, 0]);
  return Object.fromEntries(entries) as Record<MessageKind, number>;
}

function unreachable(cause: unknown): FabricError {
  return new FabricError("unreachable", "The agent was not reached live", {
    cause,
  });
}
