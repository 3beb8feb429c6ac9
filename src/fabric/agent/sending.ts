import type { Clock, WaitOptions } from "../../core/async/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { Logger } from "../../core/log/mod.ts";
import { namespace, type Store } from "../../core/storage/mod.ts";
import { FabricError } from "../error.ts";
import type { Agent } from "../identity/agent.ts";
import type { AgentBook } from "../identity/agent_book.ts";
import { type Message, MESSAGE_ID_LENGTH } from "../message/message.ts";
import {
  type AcceptOptions,
  Outbox,
  type OutboxLimits,
} from "../outbox/outbox.ts";
import type { Receipt } from "../receipt/receipt.ts";
import { ReceiptLog } from "../receipt/receipt_log.ts";
import { Answers } from "./answers.ts";
import { type BundleWay, Delivery, type LiveWay } from "./delivery.ts";
import type { SendOptions } from "./new_message.ts";
import { decodePayload } from "./payload.ts";
import type { ResentMessage, SentMessage } from "./sent_message.ts";
import { WantedReceipts } from "./wanted_receipts.ts";

/** Parts of a {@link Sending}. */
export interface SendingOptions {
  /** Who sends. */
  readonly agent: Pick<Agent, "id">;
  /** Signatures, ids. */
  readonly crypto: CryptoProvider;
  /** Keeps outbox and receipts. */
  readonly store: Store;
  /** Where other agents are. */
  readonly book: AgentBook;
  /** How messages travel live. */
  readonly live: LiveWay;
  /** How messages travel later; not at all if absent. */
  readonly bundles?: BundleWay;
  /** As `FabricOptions.budgetMs`. */
  readonly budgetMs?: number;
  /** Limits of the outbox. */
  readonly outbox?: OutboxLimits;
  /** Uniform in [0, 1), for pauses between attempts. */
  readonly random: () => number;
  /** Where it says what failed. */
  readonly log: Logger;
  /** Time; for deadlines, most of which never come. */
  readonly clock: Clock;
}

/** The messages that an agent sends, until it is known what became of each: by answers, by signed receipts, or as they were given up. */
export class Sending {
  /** What waits to be delivered, and what was given up. */
  readonly outbox: Outbox;
  /** What was signed about our messages. */
  readonly receipts: ReceiptLog;
  /** Takes them to where they go. */
  readonly delivery: Delivery;
  /** Answers that came for nobody. */
  lateAnswers = 0;
  /** Which receipts are kept, and how many were not. */
  readonly wanted = new WantedReceipts();
  readonly #options: SendingOptions;
  readonly #answers: Answers;
  readonly #settling = new Map<string, (reason: string | undefined) => void>();

  /** Starts at once with what was accepted before. */
  constructor(options: SendingOptions) {
    const { crypto, store, clock } = options;
    this.#options = options;
    this.receipts = new ReceiptLog({
      crypto,
      store: namespace(store, "receipts"),
    });
    this.outbox = new Outbox(namespace(store, "outbox"), options.outbox);
    this.#answers = new Answers(clock);
    this.delivery = new Delivery({
      ...options,
      outbox: this.outbox,
      events: {
        onTaken: () => {},
        onEnd: (id, reason) => this.#settle(id, reason),
        onAnswer: (answer) => this.takeAnswer(answer),
      },
    });
  }

  /** Whom we address does not give way to strangers, and its receipts are wanted. */
  note({ id, to, wantsReceipts }: Omit<Message, "order">): void {
    this.#options.book.contact(to);
    if (wantsReceipts) this.wanted.expect(id, to);
  }

  /**
   * Accepts a message for delivery.
   *
   * @throws {FabricError} `full`.
   */
  async send(
    message: Omit<Message, "order">,
    options: AcceptOptions = {},
  ): Promise<SentMessage> {
    this.note(message);
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#settling.set(message.id.toHex(), resolve);
    try {
      await this.delivery.accept(message, options);
    } catch (error) {
      this.#settling.delete(message.id.toHex());
      throw error;
    }
    return { id: message.id, settled: promise };
  }

  /** Accepts what nobody waits for. */
  sendQuietly(message: Message): void {
    if (this.outbox.get(message.id)) return; // an answer, to a copy too
    this.outbox.accept(message, { isOwed: true }).then(
      () => this.delivery.pump(),
      (error) => this.#options.log.warn("fabric.not_accepted", { error }),
    );
  }

  /** Sends a request; resolves with the value of its answer, as `Fabric.request` says. */
  async request(message: Message, options: SendOptions): Promise<unknown> {
    const answer = this.#answerTo(message, options);
    try {
      await this.#ask(message, options);
    } catch (error) {
      this.#answers.drop(message.id);
      throw error;
    }
    return await answer;
  }

  /** Gives up a message that waits in the outbox; says whether it was there. */
  async giveUp(id: Uint8Array, reason: string): Promise<boolean> {
    if (!this.outbox.get(id)) return false;
    await this.outbox.giveUp(id, reason, this.#options.clock.wallTime());
    this.#settle(id, reason);
    return true;
  }

  /** Sends what a dead letter says again, as `Fabric.resend` says. */
  async resend(id: Uint8Array): Promise<ResentMessage> {
    const letter = this.outbox.deadLetter(id);
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
    if (kind === "notify") return await this.send(message, options);
    const answer = this.#answerTo(message);
    try {
      return { ...await this.send(message, options), answer };
    } catch (error) {
      this.#answers.drop(message.id);
      throw error;
    }
  }

  /** Takes the answer to a request, whose sender is verified. */
  takeAnswer(answer: Message): void {
    const isWaited = this.#answers.resolve(answer);
    // A request of a life before this one is not waited for by anybody.
    const { replyTo } = answer;
    const entry = replyTo && this.outbox.get(replyTo);
    if (entry?.to.equals(answer.from)) {
      this.outbox.settle(replyTo!);
      this.#settle(replyTo!, undefined);
    }
    if (!isWaited) this.lateAnswers++;
  }

  /** Takes receipts, as `verifyReceipts` has read them from `signed`: those that are about messages of ours. */
  async takeReceipts(
    signed: Uint8Array,
    receipts: readonly Receipt[],
  ): Promise<void> {
    const { agent, clock } = this.#options;
    const nowMs = clock.wallTime();
    const ours = receipts.filter(({ from }) => from.equals(agent.id));
    const wanted = this.wanted.choose(
      ours,
      signed.length,
      (id) => this.outbox.get(id)?.to,
    );
    if (wanted.length === 0) return;
    await this.receipts.add(signed, wanted, nowMs);
    for (const { id, by, state, reason } of wanted) {
      const entry = this.outbox.get(id);
      if (!entry?.to.equals(by) || state === "delivered") continue;
      // Who waits for an answer goes on asking until it comes.
      if (state === "handled" && this.#answers.awaits(id)) continue;
      if (state === "handled") this.outbox.settle(id);
      else await this.outbox.giveUp(id, reason || state, nowMs);
      this.#settle(id, state === "handled" ? undefined : reason || state);
    }
    this.delivery.pump();
  }

  /** Nobody waits for answers any more. */
  stopWaiting(): void {
    this.#answers.close();
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
    this.note(message);
    const { way = "auto", isOrdered, signal } = options;
    const choice = this.delivery.choose(message, way);
    if (choice.way === "rpc" && !isOrdered) {
      try {
        const { budgetMs } = choice;
        const sent = await this.delivery.sendLive(message, budgetMs, {
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
    await this.delivery.accept(message, options);
  }

  #settle(id: Uint8Array, reason: string | undefined): void {
    const key = id.toHex();
    this.#settling.get(key)?.(reason);
    this.#settling.delete(key);
    if (reason !== undefined) this.#answers.fail(id, reason);
  }
}
