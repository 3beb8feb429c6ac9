import type { Clock } from "../core/async/mod.ts";
import { DecodeError } from "../core/bytes/mod.ts";
import { StorageError, type Store } from "../core/storage/mod.ts";
import type { cla } from "../dtn/mod.ts";
import type { MixMessage } from "../mixnet/mod.ts";
import { encodeAnswer } from "./answer.ts";
import type { MixCarrier } from "./mix_ask.ts";
import type { MixContact } from "./mix_contact.ts";
import type { MixContacts } from "./mix_contacts.ts";
import { type MixDecisionLimits, MixDecisions } from "./mix_decisions.ts";
import {
  decodeMixEnvelope,
  encodeMixAnswer,
  MIX_OVER,
  type MixEnvelope,
} from "./mix_envelope.ts";

/** What became of messages that came, where it is not in the counters of a contact. */
export interface MixLayerCounts {
  /** Messages that are no envelope: dropped. */
  readonly malformed: number;
  /** Bundles without a way to answer: dropped, as their sender could never forget them. */
  readonly unanswerable: number;
  /** Bundles that came again: answered as before, or with the one that waits for the node. */
  readonly duplicates: number;
  /** Bundles and hellos of contacts that are over, or that nobody listens for. */
  readonly over: number;
  /** Bundles and hellos for which there was no room, in a contact or for one. */
  readonly full: number;
  /** Answers that the other side did not take, or that found no room in the client. */
  readonly unanswered: number;
  /** Times that a store failed; what it should have kept may be given, or asked, again. */
  readonly storeFailures: number;
}

/** Parts of {@link MixInlet}. */
export interface MixInletOptions {
  /** Whose messages are taken. */
  readonly client: MixCarrier;
  readonly clock: Clock;
  /** Whom they are for. */
  readonly contacts: MixContacts;
  /** Keeps decisions. */
  readonly store: Store;
  /** Bounds of decisions. */
  readonly decisions: MixDecisionLimits;
  /** What bundles take room of until the node has decided. */
  readonly budget: cla.ByteBudget;
}

type Reply = NonNullable<MixMessage["reply"]>;
type BundleEnvelope = Extract<MixEnvelope, { kind: "bundle" }>;

/** Ways to answer one transfer; of copies beyond it only the newest are answered. */
const MAX_REPLIES = 4;
const NO_RESOURCES = encodeAnswer("noResources");

/**
 * Takes the messages of a client apart. A message is taken from the client once its bundle is decided: until then it is given again
 * after a restart.
 */
export class MixInlet {
  readonly #options: MixInletOptions;
  readonly #decisions: MixDecisions;
  /** Ways to answer transfers that wait for the node, by transfer id in hex. */
  readonly #waiting = new Map<string, Reply[]>();
  readonly #counts = {
    malformed: 0,
    unanswerable: 0,
    duplicates: 0,
    over: 0,
    full: 0,
    unanswered: 0,
    storeFailures: 0,
  };
  #isClosed = false;

  /** Begins at once. */
  constructor(options: MixInletOptions) {
    this.#options = options;
    this.#decisions = new MixDecisions(options.store, options.decisions);
    void this.#run();
  }

  /** What became of messages so far. */
  get counts(): MixLayerCounts {
    const storeFailures = this.#counts.storeFailures +
      this.#decisions.storeFailures;
    return { ...this.#counts, storeFailures };
  }

  /** Forgets old decisions. */
  tick(wallMs: number): void {
    this.#decisions.tick(wallMs);
  }

  /** Takes no message any more. */
  close(): void {
    this.#isClosed = true;
  }

  async #run(): Promise<void> {
    for (;;) {
      // An iteration takes a message when it asks for the next one, so each has its own.
      const { value, done } = await this.#options
        .client[Symbol.asyncIterator]().next();
      if (done || this.#isClosed) return;
      this.#take(value);
    }
  }

  #take(message: MixMessage): void {
    const { contacts } = this.#options;
    let envelope;
    try {
      envelope = decodeMixEnvelope(message.bytes);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#counts.malformed++;
      return this.#taken(message);
    }
    if (envelope.kind === "bundle") return this.#bundle(envelope, message);
    if (envelope.kind === "leave") contacts.left(envelope);
    else {
      const contact = contacts.of(envelope);
      if (typeof contact === "string") this.#counts[contact]++;
      else contact.counts.bytesIn += message.bytes.length;
      this.#answer(
        message.reply,
        contact === "over" ? MIX_OVER : contact === "full" ? NO_RESOURCES : 0,
      );
    }
    this.#taken(message);
  }

  #bundle(envelope: BundleEnvelope, message: MixMessage): void {
    const { reply } = message;
    if (!reply) {
      this.#counts.unanswerable++;
      return this.#taken(message);
    }
    const hex = envelope.transferId.toHex();
    const decided = this.#decisions.get(envelope.transferId);
    const waiting = this.#waiting.get(hex);
    if (decided !== undefined || waiting) {
      this.#counts.duplicates++;
      if (decided !== undefined) this.#answer(reply, decided);
      else if (waiting!.push(reply) > MAX_REPLIES) waiting!.shift();
      return this.#taken(message);
    }
    const contact = this.#options.contacts.of(envelope);
    if (typeof contact === "string") {
      this.#counts[contact]++;
      this.#answer(reply, contact === "over" ? MIX_OVER : NO_RESOURCES);
      return this.#taken(message);
    }
    contact.counts.bytesIn += message.bytes.length;
    const refusal = this.#give(contact, envelope, message, reply);
    if (refusal === undefined) return;
    this.#answer(reply, refusal);
    this.#taken(message);
  }

  /** Gives a bundle to the node; the code that refuses it if there is no room. */
  #give(
    contact: MixContact,
    { transferId, bundle }: BundleEnvelope,
    message: MixMessage,
    reply: Reply,
  ): number | undefined {
    const { budget, clock } = this.#options;
    const { length } = bundle;
    if (!budget.take(length)) {
      this.#counts.full++;
      contact.counts.refusedByLayer++;
      return NO_RESOURCES;
    }
    const hex = transferId.toHex();
    this.#waiting.set(hex, [reply]);
    const refusal = contact.take(bundle, (decision) => {
      budget.give(length);
      const isOver = decision === "over";
      const code = isOver ? MIX_OVER : encodeAnswer(decision);
      if (!isOver) this.#decisions.set(transferId, code, clock.wallTime());
      const replies = this.#waiting.get(hex)!;
      this.#waiting.delete(hex);
      for (const each of replies) this.#answer(each, code);
      this.#taken(message);
    });
    if (!refusal) return undefined;
    budget.give(length);
    this.#waiting.delete(hex);
    return encodeAnswer(refusal);
  }

  #answer(reply: Reply | undefined, code: number): void {
    reply?.(encodeMixAnswer(code)).catch(() => this.#counts.unanswered++);
  }

  #taken(message: MixMessage): void {
    try {
      message.taken();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#counts.storeFailures++;
    }
  }
}
