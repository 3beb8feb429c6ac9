import { type Clock, SharedTimer } from "../../core/async/mod.ts";
import type { Bytes } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { Logger } from "../../core/log/mod.ts";
import { namespace, type Store } from "../../core/storage/mod.ts";
import { FabricError } from "../error.ts";
import { Groups, type GroupSettings } from "../group/groups.ts";
import type { Agent } from "../identity/agent.ts";
import type { AgentBook } from "../identity/agent_book.ts";
import { AgentId } from "../identity/agent_id.ts";
import { type AgentName, formatAgentName } from "../identity/agent_name.ts";
import { Inbox, type InboxLimits } from "../inbox/inbox.ts";
import { MAX_LIFETIME_MS, type Message } from "../message/message.ts";
import type { Outbox, OutboxLimits } from "../outbox/outbox.ts";
import type { Receipt } from "../receipt/receipt.ts";
import type { ReceiptLog } from "../receipt/receipt_log.ts";
import type { WayChoice } from "../way/choose_way.ts";
import type { BundleWay, Delivery, LiveWay } from "./delivery.ts";
import { type Handler, Handlers } from "./handlers.ts";
import {
  newMessage,
  ownMessage,
  type SendOptions,
  type StreamOptions,
} from "./new_message.ts";
import { ReceiptsDue } from "./receipts_due.ts";
import { Reception, type Route } from "./reception.ts";
import { Sending } from "./sending.ts";
import type { ResentMessage, SentMessage } from "./sent_message.ts";
import type { FabricStream } from "../stream/fabric_stream.ts";
import {
  NO_DEADLINE,
  type StreamCounts,
  type StreamHandler,
  type StreamLimits,
  Streams,
} from "../stream/streams.ts";
import type { Stream } from "../../htx/mod.ts";
import type { RpcLink } from "../rpc/rpc_link.ts";

/** Parts and limits of a {@link Fabric}. */
export interface FabricOptions {
  /** Who it is. */
  readonly agent: Agent;
  /** Keys, signatures, ids. */
  readonly crypto: CryptoProvider;
  /** Keeps its outbox, inbox and receipts; the fabric has it for itself. */
  readonly store: Store;
  /** Where other agents are. */
  readonly book: AgentBook;
  /** How messages travel live. */
  readonly live: LiveWay;
  /** How messages travel later; not at all if absent. */
  readonly bundles?: BundleWay;
  /** How long an attempt to reach an agent live may take before a bundle is sent instead, in milliseconds; 2 s by default. */
  readonly budgetMs?: number;
  /** Limits of the outbox. */
  readonly outbox?: OutboxLimits;
  /** Limits of the inbox. */
  readonly inbox?: InboxLimits;
  /** Most handlers that run at a time; 256 by default. */
  readonly maxRunning?: number;
  /** What is said about groups; the agent has none if absent. */
  readonly groups?: GroupSettings;
  /** Limits of its streams. */
  readonly streams?: StreamLimits;
  /** Uniform in [0, 1), for pauses between attempts. */
  readonly random: () => number;
  /** Where it says what failed. */
  readonly log: Logger;
  /** Time. */
  readonly clock: Clock;
}

/** As long as a member may be away and still hear everything. */
const GROUP_LIFETIME_MS = 7 * 86_400_000;
/** Receipts are of use for a while after the deadlines of what they are about. */
const RECEIPTS_SLACK_MS = 86_400_000;

/** One agent among others: sends messages by whatever way works, and takes those for it to its handlers. */
export class Fabric implements AsyncDisposable {
  /** Who it is. */
  readonly agent: Agent;
  readonly #options: FabricOptions;
  readonly #inbox: Inbox;
  readonly #handlers: Handlers;
  readonly #sending: Sending;
  readonly #reception: Reception;
  readonly #due: ReceiptsDue;
  readonly #streams: Streams;
  readonly #groups: Groups | undefined;

  /** Starts at once: what was accepted before is delivered, what was kept goes to handlers once {@link start} is called. */
  constructor(options: FabricOptions) {
    const { agent, crypto, store, clock, log } = options;
    this.agent = agent;
    this.#options = options;
    this.#inbox = new Inbox(namespace(store, "inbox"), options.inbox);
    // For deadlines, most of which never come.
    const timer = new SharedTimer(clock);
    this.#sending = new Sending({ ...options, clock: timer });
    this.#handlers = new Handlers(timer);
    this.#due = new ReceiptsDue(
      agent,
      clock,
      (to, signed, deadlineMs) => this.#sendReceipts(to, signed, deadlineMs),
    );
    this.#reception = new Reception({
      ...{ agent, crypto, log, clock },
      inbox: this.#inbox,
      handlers: this.#handlers,
      receipts: this.#due,
      sendAnswer: (answer) => this.#sending.sendQuietly(answer),
      ...options.maxRunning !== undefined &&
        { maxRunning: options.maxRunning },
    });
    this.#streams = new Streams({ ...options.streams, log, clock });
    this.#groups = options.groups && this.#startGroups(options.groups);
  }

  /**
   * The groups of the agent.
   *
   * @throws {TypeError} If nothing was said about groups.
   */
  get groups(): Groups {
    if (this.#groups) return this.#groups;
    throw new TypeError("The fabric was made without groups");
  }

  /** Types of messages that have a handler. */
  get types(): readonly string[] {
    return this.#handlers.types;
  }

  /** Messages that wait to be delivered. */
  get outbox(): Pick<
    Outbox,
    "size" | "bytes" | "counts" | "entries" | "deadLetters"
  > {
    return this.#sending.outbox;
  }

  /** What was signed about our messages. */
  get receipts(): ReceiptLog {
    return this.#sending.receipts;
  }

  /** Answers that came for nobody. */
  get lateAnswers(): number {
    return this.#sending.lateAnswers;
  }

  /** Receipts that came about no message of ours to who signed them. */
  get foreignReceipts(): number {
    return this.#sending.wanted.foreign;
  }

  /** Receipts that came and were not kept, as they say again what others do, or are lost among foreign ones. */
  get surplusReceipts(): number {
    return this.#sending.wanted.surplus;
  }

  /** What it did with messages that came, and how those of ours went. */
  get counts(): Reception["counts"] & {
    readonly attempts: Delivery["attempts"];
    readonly carried: Delivery["carried"];
    readonly fallbacks: number;
  } {
    const { attempts, carried, fallbacks } = this.#sending.delivery;
    return { ...this.#reception.counts, attempts, carried, fallbacks };
  }

  /**
   * Lets `handler` have messages of a type; disposing of what it gives takes it away.
   *
   * @throws {RangeError} If the type has a handler.
   */
  handle(type: string, handler: Handler): Disposable {
    return this.#handlers.add(type, handler);
  }

  /** What became of streams. */
  get streams(): Readonly<StreamCounts> & { readonly open: number } {
    return { ...this.#streams.counts, open: this.#streams.size };
  }

  /**
   * Lets `handler` have the streams of a type that others open; disposing of what it gives takes it away.
   *
   * @throws {RangeError} If the type has a handler.
   */
  handleStream(type: string, handler: StreamHandler): Disposable {
    return this.#streams.handle(type, handler);
  }

  /** Takes what was kept before this start to its handlers, which should be there now. */
  start(): void {
    this.#reception.pump();
    this.#groups?.start().catch((error) => {
      this.#options.log.error("fabric.groups_failed", { error });
    });
  }

  /**
   * Sends a request; resolves with the value of its answer.
   *
   * It goes live if the agent can be reached within the budget; then, or if the link breaks before the answer, it is a message like
   * others, which goes by whatever way works until its lifetime is over. The answer comes by whatever way works then.
   *
   * @throws {FabricError} `refused` if the other agent does not want it or its handler failed; `expired` if there is no answer in time;
   *   `full`; `unknown_agent` if a name is nobody's; `closed`.
   * @throws The reason of the signal; a request that was sent is not taken back.
   */
  async request(
    to: AgentId | AgentName,
    type: string,
    value?: unknown,
    options: SendOptions = {},
  ): Promise<unknown> {
    options.signal?.throwIfAborted();
    const message = this.#messageOf("request", to, type, value, options);
    return await this.#sending.request(message, options);
  }

  /**
   * Sends a message that wants no answer; resolves once it would be delivered even if this process died.
   *
   * @throws {FabricError} `full`; `unknown_agent` if a name is nobody's.
   */
  async notify(
    to: AgentId | AgentName,
    type: string,
    value?: unknown,
    options: SendOptions = {},
  ): Promise<SentMessage> {
    options.signal?.throwIfAborted();
    const message = this.#messageOf("notify", to, type, value, options);
    return await this.send(message, options);
  }

  /**
   * Opens a stream of values both ways; resolves once the other agent has accepted it.
   *
   * A stream is live only: it is opened over a link, which is dialed if there is none, and ends with it. Its `lifetimeMs` bounds the
   * whole of it, and has no end by default; the signal closes it.
   *
   * @param value - Goes with the opening: at most about 64 KiB as CBOR.
   * @throws {FabricError} `refused`, and why: `no_handler`, `full`, `unknown_agent`; `unreachable` if there is no link, or no word in
   *   10 s; `full` if this agent has as many as it may; `unknown_agent` if a name is nobody's; `closed`.
   * @throws {RangeError} If the value is too long, or it is to go as a bundle.
   * @throws The reason of the signal.
   */
  async stream(
    to: AgentId | AgentName,
    type: string,
    value?: unknown,
    options: StreamOptions = {},
  ): Promise<FabricStream> {
    if (options.way === "bundle") {
      throw new RangeError(
        "A stream is live only: send requests or notifications by bundles",
      );
    }
    const message = this.#messageOf("request", to, type, value, options);
    const opening = options.lifetimeMs === undefined
      ? { ...message, deadlineMs: NO_DEADLINE }
      : message;
    const { live } = this.#options;
    const { to: id } = message;
    this.#sending.note({ ...message, wantsReceipts: false });
    return await this.#streams.open(
      opening,
      async (waiting) => live.with(id) ?? await live.dial(id, waiting),
      options,
    );
  }

  /**
   * Accepts a message of this agent for delivery.
   *
   * @throws {FabricError} `full`.
   */
  async send(
    message: Omit<Message, "order">,
    options: Pick<SendOptions, "isOrdered" | "way"> = {},
  ): Promise<SentMessage> {
    return await this.#sending.send(message, options);
  }

  /**
   * Gives up a message that waits in the outbox: it goes to the dead letters. The other agent may have it already.
   *
   * @returns Whether it was there.
   */
  async giveUp(id: Uint8Array, reason = "given up"): Promise<boolean> {
    return await this.#sending.giveUp(id, reason);
  }

  /**
   * Sends what a dead letter says again, as a new message with as much time as it had; the dead letter is forgotten in its favour. Who sent
   * a request waits for it no longer: its answer is for who sends it again.
   *
   * @throws {FabricError} `full`.
   * @throws {RangeError} If it is no dead letter, or one that the fabric said by itself: answers go when they are asked for again, receipts
   *   and what is for groups when they are missed.
   */
  async resend(id: Uint8Array): Promise<ResentMessage> {
    return await this.#sending.resend(id);
  }

  /** How a message to an agent would travel now, and why. */
  choose(
    to: AgentId | AgentName,
    { way = "auto", ...options }: SendOptions = {},
  ): WayChoice {
    const message = this.#messageOf("notify", to, "choose", null, options);
    return this.#sending.delivery.choose(message, way);
  }

  /** An agent can be reached live now, or a link with it `isOver`. */
  reached(id: AgentId, isOver = false): void {
    this.#sending.delivery.reached(id, isOver);
  }

  /** Takes a message for this agent, whose sender is verified. */
  receive(message: Message, route: Route): void {
    this.#reception.receive(message, route);
  }

  /** Takes a stream for this agent, whose opener is verified; `rest` are its first bytes. */
  acceptStream(
    opening: Message,
    stream: Stream,
    rest: Uint8Array,
    link: RpcLink,
  ): void {
    void this.#streams.accept(opening, stream, rest, link);
  }

  /** Takes the answer to a request, whose sender is verified. */
  takeAnswer(answer: Message): void {
    this.#sending.takeAnswer(answer);
  }

  /** Takes receipts for this agent, as `verifyReceipts` has read them. */
  async takeReceipts(
    signed: Uint8Array,
    receipts: readonly Receipt[],
  ): Promise<void> {
    await this.#sending.takeReceipts(signed, receipts);
  }

  #startGroups(settings: GroupSettings): Groups {
    const { agent, crypto, store, random, clock, log } = this.#options;
    const groups = new Groups({
      ...settings,
      ...{ agent, crypto, random, clock, log },
      store: namespace(store, "groups"),
      send: async (to, payload, priority, lifetimeMs = GROUP_LIFETIME_MS) => {
        const nowMs = clock.wallTime();
        await this.#sending.delivery.accept(ownMessage({
          ...{ kind: "group", from: agent.id, to, priority, payload },
          ...{ crypto, nowMs, deadlineMs: nowMs + lifetimeMs },
        }));
      },
    });
    this.#handlers.setGroups(async (_, { from, message }) => {
      await groups.receive(from, message.payload);
    });
    return groups;
  }

  /** Forgets what has been kept long enough. */
  sweep(): void {
    this.#reception.sweep();
    this.#sending.receipts.sweep(this.#options.clock.wallTime());
  }

  /** Ends; what was accepted and not settled goes on at the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#due.flush();
    this.#streams.close();
    this.#sending.stopWaiting();
    await this.#reception.close();
    await this.#groups?.[Symbol.asyncDispose]();
    this.#due.flush();
    await this.#sending.delivery.close();
    this.#inbox.close();
  }

  #messageOf(
    kind: "request" | "notify",
    to: AgentId | AgentName,
    type: string,
    value: unknown,
    options: SendOptions,
  ): Message {
    const { crypto, clock } = this.#options;
    return newMessage({
      ...{ kind, type, value, crypto },
      ...{ from: this.agent.id, to: this.#idOf(to), nowMs: clock.wallTime() },
    }, options);
  }

  #idOf(to: AgentId | AgentName): AgentId {
    if (to instanceof AgentId) return to;
    const id = this.#options.book.byName(to);
    if (id) return id;
    const text = `Nobody is known as ${formatAgentName(to)}`;
    throw new FabricError("unknown_agent", text);
  }

  #sendReceipts(to: AgentId, signed: Bytes, deadlineMs: number): void {
    const { live, crypto, clock } = this.#options;
    const link = live.with(to);
    if (link) return link.sendReceipts(signed);
    const nowMs = clock.wallTime();
    this.#sending.sendQuietly(ownMessage({
      ...{ kind: "receipts", from: this.agent.id, to, priority: "high" },
      ...{ crypto, nowMs, payload: signed },
      deadlineMs: Math.min(
        deadlineMs + RECEIPTS_SLACK_MS,
        nowMs + MAX_LIFETIME_MS,
      ),
    }));
  }
}
