import { type Clock, delay } from "../../core/async/mod.ts";
import { ContactError } from "../cla/contact_error.ts";
import type { Contact, RefusalReason } from "../cla/convergence_layer.ts";
import type { ContactCost } from "../schedule/scheduler.ts";
import { Pause } from "./pause.ts";

/** What became of a bundle that a neighbour was sent. */
export type SentOutcome =
  | "sent" // it has it
  | "later" // it has no room now
  | "again" // not over this contact, or not at once
  | "never" // it does not want it, or does not say why
  | "too_large" // it takes none of that size
  | "unknown"; // the contact ended before the outcome was known

/** What sending over a contact costs, whoever is at its other end. */
export type SendingCost = Omit<ContactCost, "peer">;

/** Parts of a {@link Neighbour}. */
export interface NeighbourOptions {
  /** Its node id. */
  readonly id: string;
  /** The contact. */
  readonly contact: Contact;
  /** What sending over it costs. */
  readonly cost: SendingCost;
  /** How long it may be without an outcome while bundles are under way, in milliseconds, beside the time that they take. */
  readonly silenceMs: number;
  /** Time. */
  readonly clock: Clock;
}

/** Refusals that say nothing of the bundle; any other is for good. */
const OUTCOME_OF: Partial<Record<RefusalReason, SentOutcome>> = {
  noResources: "later",
  retransmit: "again",
  sessionTerminating: "again",
};
/** What a contact of a known speed holds, beside what is on its way: what is not under way the scheduler can still give to another. */
const WINDOW_S = 2;
/** Bytes a second below which a contact counts as silent, where it is not said to be slower. */
const SLOWEST = 16_000;

/** A contact with a neighbour, and what is under way over it. */
export class Neighbour {
  /** Its node id. */
  readonly id: string;
  /** The contact. */
  readonly contact: Contact;
  /** What sending over it costs. */
  readonly cost: ContactCost;
  /** On while this contact fails, so that bundles go over others. */
  readonly pause: Pause;
  readonly #options: NeighbourOptions;
  /** Lengths of the bundles under way, by name. */
  readonly #sending = new Map<string, number>();
  #sendingBytes = 0;
  #asked = 0;
  #askedBytes = 0;
  #heardMs = 0;
  #cancelWatch: (() => void) | undefined;
  readonly #over = new AbortController();
  #isSilent = false;
  /** Whether the layer only hands over, so that nothing tells when there is room for more. */
  #handsOver = false;
  /** Until when what was handed over takes, at the contact's speed. */
  #busyUntilMs = 0;
  #isDoubted = false;
  #hasAnswered = false;

  /** Begins with nothing under way. */
  constructor(options: NeighbourOptions) {
    this.id = options.id;
    this.contact = options.contact;
    this.cost = { ...options.cost, peer: options.id };
    this.pause = new Pause(options.clock);
    void this.contact.closed.then(() => this.#over.abort());
    this.#options = options;
  }

  /** Whether it was closed as it gave no outcome. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** Bytes under way. */
  get sendingBytes(): number {
    return this.#sendingBytes;
  }

  /** Whether sending over the contact costs nothing, so that nothing speaks for waiting. */
  get isFree(): boolean {
    const { energyPerByte, moneyPerByte, exposure } = this.cost;
    return energyPerByte + moneyPerByte + exposure === 0;
  }

  /** Whether it has told the outcome of a bundle. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** Another contact with the same node has begun, so that this one may be dead: it has room for one bundle until it gives an outcome. */
  doubt(): void {
    this.#isDoubted = true;
  }

  /** Whether a bundle is under way. */
  isSending(id: string): boolean {
    return this.#sending.has(id);
  }

  /** Whether another bundle may be under way: fewer than `maxSending` are, and no more than two seconds take where its speed is known. */
  hasRoom(maxSending: number): boolean {
    const { size } = this.#sending;
    if (this.pause.isOn || this.#isSilent) return false;
    if (size === 0) return true;
    if (this.#isDoubted) return false;
    const { bytesPerSecond, latencyMs } = this.cost;
    const windowS = WINDOW_S + 2 * latencyMs / 1_000;
    return size < maxSending && this.#sendingBytes < windowS * bytesPerSecond;
  }

  /** A bundle is under way from now on. */
  began(id: string, size: number): void {
    this.#sending.set(id, size);
    this.#sendingBytes += size;
  }

  /** It is not any more. */
  ended(id: string): void {
    this.#sendingBytes -= this.#sending.get(id) ?? 0;
    this.#sending.delete(id);
  }

  /** Sends a bundle, or a fragment of one; at the contact's speed, if that is known and the layer does not tell what arrived. */
  async send(bytes: Uint8Array): Promise<SentOutcome> {
    this.#asked++;
    this.#askedBytes += bytes.length;
    this.#watch();
    try {
      await this.#turn(bytes.length);
      const outcome = await this.contact.send(bytes);
      this.#isDoubted = false;
      this.#hasAnswered = true;
      this.#handsOver = outcome.kind === "handedOver";
      if (outcome.kind !== "refused") return "sent";
      return OUTCOME_OF[outcome.reason] ?? "never";
    } catch (error) {
      if (!(error instanceof ContactError)) throw error;
      return error.code === "tooLarge" ? "too_large" : "unknown";
    } finally {
      this.#asked--;
      this.#askedBytes -= bytes.length;
      this.#heardMs = this.#options.clock.now();
      this.#watch();
    }
  }

  /** Waits until so many bytes may leave. */
  async #turn(length: number): Promise<void> {
    const { cost: { bytesPerSecond } } = this;
    if (!this.#handsOver || bytesPerSecond === Infinity) return;
    const { clock } = this.#options;
    const nowMs = clock.now();
    const startMs = Math.max(nowMs, this.#busyUntilMs);
    this.#busyUntilMs = startMs + length / bytesPerSecond * 1_000;
    if (startMs === nowMs) return;
    const { signal } = this.#over;
    // If the contact ends, sending says so.
    await delay(clock, startMs - nowMs, { signal }).catch(() => {});
  }

  /** Looks for silence while something is under way, and only then. */
  #watch(): void {
    if (this.#asked === 0) {
      this.#cancelWatch?.();
      this.#cancelWatch = undefined;
    } else if (!this.#cancelWatch && !this.#isSilent) {
      this.#heardMs = this.#options.clock.now();
      this.#look();
    }
  }

  #look(): void {
    const { clock, silenceMs } = this.#options;
    const untilMs = this.#heardMs + silenceMs + this.#takesMs();
    const leftMs = untilMs - clock.now();
    if (leftMs > 0) {
      this.#cancelWatch = clock.setTimeout(() => this.#look(), leftMs);
      return;
    }
    this.#isSilent = true;
    this.contact.close();
  }

  /** How long what is under way may take, with its answer. */
  #takesMs(): number {
    const { bytesPerSecond, latencyMs } = this.cost;
    const slowest = Math.min(SLOWEST, bytesPerSecond);
    return this.#askedBytes / slowest * 1_000 + 2 * latencyMs;
  }
}
