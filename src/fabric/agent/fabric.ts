import {
  type Clock,
  SharedTimer,
  type WaitOptions,
} from "../../core/async/mod.ts";
import type { Bytes } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { Logger } from "../../core/log/mod.ts";
import { namespace, type Store } from "../../core/storage/mod.ts";
import { BoundedMap } from "../bounded_map.ts";
import { FabricError } from "../error.ts";
import { Groups, type GroupSettings } from "../group/groups.ts";
import type { Agent } from "../identity/agent.ts";
import type { AgentBook } from "../identity/agent_book.ts";
import { AgentId } from "../identity/agent_id.ts";
import { type AgentName, formatAgentName } from "../identity/agent_name.ts";
import { Inbox, type InboxLimits } from "../inbox/inbox.ts";
import {
  MAX_LIFETIME_MS,
  type Message,
  MESSAGE_ID_LENGTH,
} from "../message/message.ts";
import {
  type AcceptOptions,
  Outbox,
  type OutboxLimits,
} from "../outbox/outbox.ts";
import type { Receipt } from "../receipt/receipt.ts";
import { ReceiptLog } from "../receipt/receipt_log.ts";
import type { WayChoice } from "../way/choose_way.ts";
import { Answers } from "./answers.ts";
import { type BundleWay, Delivery, type LiveWay } from "./delivery.ts";
import { type Handler, Handlers } from "./handlers.ts";
import {
  newMessage,
  type SendOptions,
  type StreamOptions,
} from "./new_message.ts";
import { decodePayload } from "./payload.ts";
import { ReceiptsDue } from "./receipts_due.ts";
import { Reception, type Route } from "./reception.ts";
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
const MAX_WANTED = 65_536;

/** One agent among others: sends messages by whatever way works, and takes those for it to its handlers. */
export class Fabric implements AsyncDisposable {
  /** Who it is. */
  readonly agent: Agent;
  /** What was signed about our messages. */
  readonly receipts: ReceiptLog;
  /** Answers that came for nobody. */
  lateAnswers = 0;
  /** Receipts that came about no message of ours to who signed them. */
  foreignReceipts = 0;
  readonly #options: FabricOptions;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #handlers: Handlers;
  readonly #delivery: Delivery;
  readonly #reception: Reception;
  readonly #due: ReceiptsDue;
  readonly #streams: Streams;
  readonly #answers: Answers;
  /** To whom were messages whose receipts are wanted, by id; those that wait are in the outbox too. */
  readonly #wanted = new BoundedMap<AgentId>(MAX_WANTED);
  readonly #groups: Groups | undefined;
  readonly #settling = new Map<string, (reason: string | undefined) => void>();

  /** Starts at once: what was accepted before is delivered, what was kept goes to handlers once {@link start} is called. */
  constructor(options: FabricOptions) {
    const { agent, crypto, store, clock, log } = options;
    this.agent = agent;
    this.#options = options;
    this.receipts = new ReceiptLog({
      crypto,
      store: namespace(store, "receipts"),
    });
    this.#outbox = new Outbox(namespace(store, "outbox"), options.outbox);
    this.#inbox = new Inbox(namespace(store, "inbox"), options.inbox);
    // For deadlines, most of which never come.
    const timer = new SharedTimer(clock);
    this.#answers = new Answers(timer);
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
      sendAnswer: (answer) => this.#acceptQuietly(answer),
      ...options.maxRunning !== undefined &&
        { maxRunning: options.maxRunning },
    });
    this.#streams = new Streams({ ...options.streams, log, clock });
    this.#delivery = new Delivery({
      ...{ ...options, clock: timer },
      outbox: this.#outbox,
      events: {
        onTaken: () => {},
        onEnd: (id, reason) => this.#settle(id, reason),
        onAnswer: (answer) => this.takeAnswer(answer),
      },
    });
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
    return this.#outbox;
  }

  /** What it did with messages that came, and how those of ours went. */
  get counts(): Reception["counts"] & {
    readonly attempts: Delivery["attempts"];
    readonly carried: Delivery["carried"];
    readonly fallbacks: number;
  } {
    const { attempts, carried, fallbacks } = this.#delivery;
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
    const answer = this.#answerTo(message, options);
    try {
      await this.#ask(message, options);
    } catch (error) {
      this.#answers.drop(message.id);
      throw error;
    }
    return await answer;
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
    this.#noteSending({ ...message, wantsReceipts: false });
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
    return await this.#send(message, options);
  }

  async #send(
    message: Omit<Message, "order">,
    options: AcceptOptions,
  ): Promise<SentMessage> {
    this.#noteSending(message);
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#settling.set(message.id.toHex(), resolve);
    try {
      await this.#delivery.accept(message, options);
    } catch (error) {
      this.#settling.delete(message.id.toHex());
      throw error;
    }
    return { id: message.id, settled: promise };
  }

  /**
   * Gives up a message that waits in the outbox: it goes to the dead letters. The other agent may have it already.
   *
   * @returns Whether it was there.
   */
  async giveUp(id: Uint8Array, reason = "given up"): Promise<boolean> {
    if (!this.#outbox.get(id)) return false;
    await this.#outbox.giveUp(id, reason, this.#options.clock.wallTime());
    this.#settle(id, reason);
    return true;
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
    const letter = this.#outbox.deadLetter(id);
    if (!letter) throw new RangeError("It is no dead letter");
    const { order, ...dead } = letter.message;
    const { kind } = dead;
    if (kind !== "notify" && kind !== "request") {
      throw new RangeError(`A message of kind ${kind} is not sent again`);
    }
    const { clock, crypto } = this.#options;
    const nowMs = clock.wallTime();
    const message = {
      ...dead,
      id: crypto.random(MESSAGE_ID_LENGTH),
      createdMs: nowMs,
      deadlineMs: nowMs + dead.deadlineMs - dead.createdMs,
    };
    const isOrdered = order !== undefined;
    const options = { isOrdered, replaces: letter };
    if (kind === "notify") return await this.#send(message, options);
    const answer = this.#answerTo(message);
    try {
      return { ...await this.#send(message, options), answer };
    } catch (error) {
      this.#answers.drop(message.id);
      throw error;
    }
  }

  /** How a message to an agent would travel now, and why. */
  choose(
    to: AgentId | AgentName,
    { way = "auto", ...options }: SendOptions = {},
  ): WayChoice {
    const message = this.#messageOf("notify", to, "choose", null, options);
    return this.#delivery.choose(message, way);
  }

  /** An agent can be reached live now, or a link with it `isOver`. */
  reached(id: AgentId, isOver = false): void {
    this.#delivery.reached(id, isOver);
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
    const isWaited = this.#answers.resolve(answer);
    // A request of a life before this one is not waited for by anybody.
    const { replyTo } = answer;
    const entry = replyTo && this.#outbox.get(replyTo);
    if (entry?.to.equals(answer.from)) {
      this.#outbox.settle(replyTo!);
      this.#settle(replyTo!, undefined);
    }
    if (!isWaited) this.lateAnswers++;
  }

  /** Takes receipts for this agent, as `verifyReceipts` has read them. */
  async takeReceipts(
    signed: Uint8Array,
    receipts: readonly Receipt[],
  ): Promise<void> {
    const nowMs = this.#options.clock.wallTime();
    const ours = receipts.filter(({ from }) => from.equals(this.agent.id));
    const wanted = ours.filter(({ id, by }) =>
      this.#wanted.get(id.toHex())?.equals(by) ||
      this.#outbox.get(id)?.to.equals(by)
    );
    this.foreignReceipts += receipts.length - wanted.length;
    if (wanted.length === 0) return;
    await this.receipts.add(signed, wanted, nowMs);
    for (const { id, by, state, reason } of wanted) {
      const entry = this.#outbox.get(id);
      if (!entry?.to.equals(by) || state === "delivered") continue;
      // Who waits for an answer goes on asking until it comes.
      if (state === "handled" && this.#answers.awaits(id)) continue;
      if (state === "handled") this.#outbox.settle(id);
      else await this.#outbox.giveUp(id, reason || state, nowMs);
      this.#settle(id, state === "handled" ? undefined : reason || state);
    }
    this.#delivery.pump();
  }

  #startGroups(settings: GroupSettings): Groups {
    const { agent, crypto, store, random, clock, log } = this.#options;
    const groups = new Groups({
      ...settings,
      ...{ agent, crypto, random, clock, log },
      store: namespace(store, "groups"),
      send: async (to, payload, priority, lifetimeMs = GROUP_LIFETIME_MS) => {
        const nowMs = clock.wallTime();
        await this.#delivery.accept({
          id: crypto.random(MESSAGE_ID_LENGTH),
          ...{ kind: "group", type: "group", from: agent.id, to, priority },
          createdMs: nowMs,
          deadlineMs: nowMs + lifetimeMs,
          wantsReceipts: true,
          metadata: new Map(),
          payload,
        });
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
    this.receipts.sweep(this.#options.clock.wallTime());
  }

  /** Ends; what was accepted and not settled goes on at the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#due.flush();
    this.#streams.close();
    this.#answers.close();
    await this.#reception.close();
    await this.#groups?.[Symbol.asyncDispose]();
    this.#due.flush();
    await this.#delivery.close();
    this.#inbox.close();
  }

  /** Whom we address does not give way to strangers, and its receipts are wanted. */
  #noteSending({ id, to, wantsReceipts }: Omit<Message, "order">): void {
    this.#options.book.contact(to);
    if (wantsReceipts) this.#wanted.set(id.toHex(), to);
  }

  /** The value of the answer to a request; nobody need look at it if the request is not sent. */
  #answerTo(request: Message, options: WaitOptions = {}): Promise<unknown> {
    const answering = this.#answers.wait(request, options);
    const answer = answering.then(({ kind, payload }) => {
      const result = decodePayload(payload);
      if (kind === "reply") return result;
      throw new FabricError("refused", `The request was refused: ${result}`);
    });
    answer.catch(() => {});
    return answer;
  }

  async #ask(message: Message, options: SendOptions): Promise<void> {
    this.#noteSending(message);
    const { way = "auto", isOrdered, signal } = options;
    const choice = this.#delivery.choose(message, way);
    if (choice.way === "rpc" && !isOrdered) {
      try {
        const { budgetMs } = choice;
        const sent = await this.#delivery.sendLive(message, budgetMs, {
          ...{ signal, isOnlyCopy: true },
        });
        if (sent.kind === "answer") return this.takeAnswer(sent.message);
        if (sent.code === "refused") {
          throw new FabricError("refused", `It was refused: ${sent.reason}`);
        }
      } catch (error) {
        signal?.throwIfAborted();
        const isUnreached = error instanceof FabricError &&
          error.code === "unreachable";
        if (!isUnreached) throw error;
      }
    }
    await this.#delivery.accept(message, options);
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
    this.#acceptQuietly({
      id: crypto.random(MESSAGE_ID_LENGTH),
      kind: "receipts",
      from: this.agent.id,
      ...{ to, type: "receipts", priority: "high" },
      createdMs: clock.wallTime(),
      deadlineMs: Math.min(
        deadlineMs + RECEIPTS_SLACK_MS,
        clock.wallTime() + MAX_LIFETIME_MS,
      ),
      wantsReceipts: false,
      metadata: new Map(),
      payload: signed,
    });
  }

  /** Accepts what nobody waits for. */
  #acceptQuietly(message: Message): void {
    if (this.#outbox.get(message.id)) return; // an answer, to a copy too
    this.#outbox.accept(message, { isOwed: true }).then(
      () => this.#delivery.pump(),
      (error) => this.#options.log.warn("fabric.not_accepted", { error }),
    );
  }

  #settle(id: Uint8Array, reason: string | undefined): void {
    const key = id.toHex();
    this.#settling.get(key)?.(reason);
    this.#settling.delete(key);
    if (reason !== undefined) this.#answers.fail(id, reason);
  }
}
