import { GroupCommit, type Store } from "../../core/storage/mod.ts";
import type { AgentId } from "../identity/agent_id.ts";
import { MAX_LIFETIME_MS, type Message } from "../message/message.ts";
import { SlotMap } from "../slot_map.ts";
import { InboxRows, type Outcome } from "./inbox_rows.ts";
import { SenderLanes } from "./sender_lanes.ts";

/** Limits of an {@link Inbox}. */
export interface InboxLimits {
  /** Most messages that wait for their handlers; 100,000 by default. */
  readonly maxKept?: number;
  /** Most bytes of them; 256 MiB by default. */
  readonly maxKeptBytes?: number;
  /** Most messages of one sender that wait; 10,000 by default. */
  readonly maxKeptOfSender?: number;
  /** Most bytes of them, or one message; 32 MiB by default. */
  readonly maxKeptBytesOfSender?: number;
  /** Most messages of one sender that wait for one before them; 1,024 by default. */
  readonly maxHeld?: number;
  /** How long after its deadline a message is remembered, as clocks differ; 10 minutes by default. */
  readonly slackMs?: number;
  /** Longest time until the deadline of a message, as it is remembered as long; 30 days by default. */
  readonly maxLifetimeMs?: number;
}

/** {@link InboxLimits} that hold if nothing else is said. */
const INBOX_LIMITS: Required<InboxLimits> = {
  maxKept: 100_000,
  maxKeptBytes: 256 * 1024 * 1024,
  maxKeptOfSender: 10_000,
  maxKeptBytesOfSender: 32 * 1024 * 1024,
  maxHeld: 1_024,
  slackMs: 600_000,
  maxLifetimeMs: MAX_LIFETIME_MS,
};

/** What an inbox does with a message. */
export type Admission =
  | { readonly kind: "new" } // it is for a handler: `settle` it, or `keep` it first
  | { readonly kind: "held" } // `keep` it: it comes out once those before it are done
  | { readonly kind: "busy" } // it is here, and its handler is not done with it
  | { readonly kind: "done"; readonly outcome: Outcome } // what became of it already
  | {
    readonly kind: "refused";
    readonly reason: "expired" | "out_of_order" | "lifetime";
  }
  | { readonly kind: "full"; readonly of: "all" | "sender" }; // later there may be room: for anybody's messages, or this sender's

/** A message that was kept. */
export interface Kept {
  /** The message. */
  readonly message: Message;
  /** Whether its handler may have seen it before the process died. */
  readonly isAgain: boolean;
}

interface Waiting {
  readonly id: string;
  readonly sequence: number;
  readonly sender: string;
  readonly priority: Message["priority"];
  readonly size: number;
  readonly deadlineMs: number;
  readonly isAgain: boolean;
}

/** What is kept of one sender. */
interface Load {
  messages: number;
  bytes: number;
}

interface Settled {
  readonly message: Message;
  readonly outcome: Outcome;
  /** Whether {@link Inbox.keepUnconfirmed} has seen it once. */
  isOld: boolean;
}

/** What an answer takes beside its payload, about. */
const ENTRY_BYTES = 1_024;
/** Bytes of answers that wait to be confirmed; beyond them, they are written at once. */
const MAX_UNCONFIRMED_BYTES = 8 * 1024 * 1024;

/** What is in order from one sender. */
interface Line {
  /** The place of the next message for its handler. */
  place: number;
  /** What its sender says of the lowest place that may still come. */
  floor: number;
  /** The place of the message whose turn it is: the next waits until it is settled. */
  turn: number | undefined;
  /** Messages that are kept and wait for one before them, by place. */
  readonly held: Map<number, Waiting>;
}

/**
 * Messages that came, each for its handler once: what was settled is remembered until its deadline has passed, over the death of the
 * process, so that a copy that comes by another way is told what became of the first.
 *
 * If the process dies while a handler runs, it runs again: `handled` and the answer are committed together when it has returned. Of a
 * request that waits at the other end of a link, they are committed only if the sender does not confirm soon that it has the answer; if
 * the process dies before and the answer was lost with it, the request is handled again.
 */
export class Inbox {
  readonly #limits: Required<InboxLimits>;
  readonly #rows: InboxRows;
  readonly #commits: GroupCommit;
  readonly #lanes = new SenderLanes<Waiting>();
  /** Messages with a handler or on the way to one, and how they are kept, by sender and id. */
  readonly #busy = new Map<string, Waiting | undefined>();
  readonly #lines = new Map<string, Line>();
  readonly #ofSender = new Map<string, Load>();
  /** Settled, not written yet, and perhaps never to be: see {@link settleUnkept}. */
  readonly #unconfirmed = new SlotMap<Settled>();
  #unconfirmedBytes = 0;
  /** Whether the life before this one ended while requests that are not kept may have been with a handler. */
  readonly #wasCut: boolean;
  /** When the first message of this life came. */
  #firstMs: number | undefined;
  #bytes = 0;
  #kept = 0;
  #sequence = 0;

  /** Reads what is kept in `store`, which it has for itself. */
  constructor(store: Store, limits: InboxLimits = {}) {
    this.#limits = { ...INBOX_LIMITS, ...limits };
    this.#rows = new InboxRows(store);
    this.#commits = new GroupCommit(store);
    this.#wasCut = this.#rows.isOpen;
    this.#rows.isOpen = true;
    for (const { sequence, message } of this.#rows.kept()) {
      this.#sequence = sequence + 1;
      const waiting = waitingOf(message, sequence, true);
      this.#busy.set(waiting.id, waiting);
      this.#count(waiting, 1);
      this.#enter(waiting, message);
      const { from, order } = message;
      if (order) this.#raise(this.#line(from), order.floor);
    }
  }

  /** Messages that are kept. */
  get size(): number {
    return this.#kept;
  }

  /** Says what is to be done with a message; `new` or `held` to the first copy alone. It may let others come out of {@link next}. */
  admit(message: Message, nowMs: number): Admission {
    this.#firstMs ??= nowMs;
    const key = keyOf(message);
    this.#learnFloor(message);
    if (this.#busy.has(key)) return { kind: "busy" };
    const outcome = this.#unconfirmed.get(key)?.outcome ??
      this.#rows.outcome(message);
    if (outcome) return { kind: "done", outcome };
    if (message.deadlineMs <= nowMs) {
      return { kind: "refused", reason: "expired" };
    }
    const { maxLifetimeMs, slackMs } = this.#limits;
    if (message.deadlineMs > nowMs + maxLifetimeMs + slackMs) {
      return { kind: "refused", reason: "lifetime" };
    }
    const full = this.#fullFor(message);
    if (full) return { kind: "full", of: full };
    const admission = this.#inOrder(message);
    if (admission.kind === "new" || admission.kind === "held") {
      this.#busy.set(key, undefined);
    }
    return admission;
  }

  /**
   * Whether a handler may have had a message that was admitted, in a life that ended before it was settled. A request that came live is
   * not kept: after the death of the process every one that is older than this life counts, as far as clocks differ.
   */
  isAgain({ kind, createdMs }: Message): boolean {
    return this.#wasCut && kind === "request" &&
      createdMs <= this.#firstMs! + this.#limits.slackMs;
  }

  /**
   * Keeps a message that was admitted; resolves once it would be here after the death of the process. It comes out of {@link next}.
   *
   * @throws {StorageError} If it cannot be written; the message is as if it had not come.
   */
  async keep(message: Message): Promise<void> {
    const isAgain = this.isAgain(message);
    const waiting = waitingOf(message, this.#sequence++, isAgain);
    this.#busy.set(waiting.id, waiting);
    this.#count(waiting, 1);
    try {
      await this.#commits.run(() => this.#rows.keep(waiting.sequence, message));
    } catch (error) {
      this.#count(waiting, -1);
      this.#readmit(message);
      throw error;
    }
    this.#enter(waiting, message);
  }

  /** A message that is kept, for its handler; `settle` it when it is done. Senders that may have a turn take turns, as do one's own classes. */
  next(mayGo: (sender: string) => boolean = () => true): Kept | undefined {
    for (let waiting; (waiting = this.#lanes.shift(mayGo));) {
      const message = this.#rows.message(waiting.sequence);
      if (message) return { message, isAgain: waiting.isAgain };
    }
  }

  /**
   * A handler is done with a message; resolves once that would be known after the death of the process.
   *
   * @throws {StorageError} If it cannot be written; the message is still with its handler: settle it again.
   */
  async settle(message: Message, outcome: Outcome): Promise<void> {
    const key = keyOf(message);
    const waiting = this.#busy.get(key);
    const { sequence = NaN } = message.order ?? {};
    const line = message.order && this.#line(message.from);
    // One that was let go at its deadline leaves those before it their turns.
    const place = line?.turn === sequence
      ? Math.max(line.place, line.floor, sequence + 1)
      : undefined;
    await this.#commits.run(() => {
      this.#rows.setOutcome(message, outcome, this.#expiry(message));
      if (waiting) this.#rows.drop(waiting.sequence);
      if (place === undefined) return;
      this.#rows.setPlace(message.from, place, this.#expiry(message));
    });
    if (waiting) this.#count(waiting, -1);
    this.#busy.delete(key);
    if (place === undefined) return;
    line!.place = place;
    line!.turn = undefined;
    this.#raise(line!, line!.floor);
    this.#release(line!);
  }

  /**
   * A handler is done with a request that is not kept: its answer leaves at once, and what became of it is written by the next
   * {@link keepUnconfirmed}, unless the sender has confirmed the answer by then ({@link forget}), after which no copy comes. `false`, and
   * nothing is done, if it must be settled before.
   */
  settleUnkept(message: Message, outcome: Outcome): boolean {
    const key = keyOf(message);
    const { kind, order, wantsReceipts } = message;
    if (kind !== "request" || order || wantsReceipts || this.#busy.get(key)) {
      return false;
    }
    const size = sizeOf(outcome);
    if (this.#unconfirmedBytes + size > MAX_UNCONFIRMED_BYTES) return false;
    this.#unconfirmedBytes += size;
    this.#unconfirmed.set(key, { message, outcome, isOld: false });
    this.#busy.delete(key);
    return true;
  }

  /** The sender of a request has its answer, and will send no copy of it. */
  forget(message: Message): void {
    const key = keyOf(message);
    const settled = this.#unconfirmed.get(key);
    if (!settled) return;
    this.#unconfirmed.delete(key);
    this.#unconfirmedBytes -= sizeOf(settled.outcome);
  }

  /**
   * Writes what became of requests whose answers were not confirmed when this was last called, or at once of all; resolves once it would
   * be known after the death of the process.
   *
   * @returns Whether some are left for the next time.
   * @throws {StorageError} If it cannot be written; it is known until the process ends, and the next call writes it.
   */
  async keepUnconfirmed(which: "old" | "all" = "old"): Promise<boolean> {
    const all: Settled[] = [];
    for (const settled of this.#unconfirmed.values()) {
      if (which === "all" || settled.isOld) all.push(settled);
      settled.isOld = true;
    }
    if (all.length > 0) {
      await this.#commits.run(() => {
        for (const { message, outcome } of all) {
          this.#rows.setOutcome(message, outcome, this.#expiry(message));
        }
      });
    }
    for (const { message } of all) this.forget(message);
    return this.#unconfirmed.size > 0;
  }

  /** Forgets outcomes whose time has passed, and lines in which nothing is; lets what waits in one beyond its deadline come out of {@link next}. */
  sweep(nowMs: number): void {
    this.#rows.sweep(nowMs);
    for (const [sender, { turn, held }] of this.#lines) {
      for (const [place, waiting] of held) {
        if (waiting.deadlineMs > nowMs) continue;
        held.delete(place);
        this.#lanes.push(waiting);
      }
      if (turn === undefined && held.size === 0) this.#lines.delete(sender);
    }
  }

  /** Takes nothing any more. What was not settled, and was with a handler, may come to it again in the next life. */
  close(): void {
    const isCut = this.#unconfirmed.size > 0 ||
      this.#busy.values().some((kept) => kept === undefined);
    if (!isCut) this.#rows.isOpen = false;
  }

  #fullFor({ from, payload }: Message): "all" | "sender" | undefined {
    const limits = this.#limits;
    const load = this.#ofSender.get(`${from}`);
    if (
      load && (load.messages >= limits.maxKeptOfSender ||
        load.bytes + payload.length > limits.maxKeptBytesOfSender)
    ) return "sender";
    const isFull = this.#kept >= limits.maxKept ||
      this.#bytes + payload.length > limits.maxKeptBytes;
    return isFull ? "all" : undefined;
  }

  #inOrder({ from, order }: Message): Admission {
    if (!order) return { kind: "new" };
    const line = this.#line(from);
    if (order.sequence < line.place) {
      return { kind: "refused", reason: "out_of_order" };
    }
    if (order.sequence === line.place && line.turn === undefined) {
      line.turn = order.sequence;
      return { kind: "new" };
    }
    return line.held.size < this.#limits.maxHeld
      ? { kind: "held" }
      : { kind: "full", of: "sender" };
  }

  /** Lets a message that is kept wait for its handler, or for those before it. */
  #enter(waiting: Waiting, { from, order }: Message): void {
    if (!order) return this.#lanes.push(waiting);
    const line = this.#line(from);
    if (line.turn === order.sequence) {
      return this.#lanes.push(waiting);
    }
    line.held.set(order.sequence, waiting);
    this.#release(line);
  }

  /** What a message says of the places that may still come counts for those that are kept, also after the death of the process. */
  #learnFloor(message: Message): void {
    const { from, order } = message;
    if (!order) return;
    const line = this.#line(from);
    if (order.floor > Math.max(line.place, line.floor)) {
      const expiry = this.#expiry(message);
      this.#commits.run(() => this.#rows.setPlace(from, line.floor, expiry))
        // It is said again with the next message.
        .catch(() => {});
    }
    this.#raise(line, order.floor);
  }

  /** Waits for no place below `floor` any more. */
  #raise(line: Line, floor: number): void {
    line.floor = Math.max(line.floor, floor);
    if (line.turn !== undefined || line.floor <= line.place) return;
    line.place = line.floor;
    this.#release(line);
  }

  /** Lets the first message in order go to its handler, if nothing is to come before it. */
  #release(line: Line): void {
    if (line.turn !== undefined || line.held.size === 0) return;
    const first = Math.min(...line.held.keys());
    if (first > line.place) return;
    this.#lanes.push(line.held.get(first)!);
    line.held.delete(first);
    line.turn = first;
  }

  #line(from: AgentId): Line {
    const known = this.#lines.get(`${from}`);
    if (known) return known;
    const place = this.#rows.place(from);
    const line = { place, floor: 0, turn: undefined, held: new Map() };
    this.#lines.set(`${from}`, line);
    return line;
  }

  /** As if the message had not come. */
  #readmit(message: Message): void {
    this.#busy.delete(keyOf(message));
    if (!message.order) return;
    const line = this.#line(message.from);
    if (line.turn === message.order.sequence) line.turn = undefined;
  }

  #count({ sender, size }: Waiting, sign: 1 | -1): void {
    this.#kept += sign;
    this.#bytes += sign * size;
    const load = this.#ofSender.get(sender) ?? { messages: 0, bytes: 0 };
    load.messages += sign;
    load.bytes += sign * size;
    if (load.messages === 0) this.#ofSender.delete(sender);
    else this.#ofSender.set(sender, load);
  }

  #expiry({ deadlineMs }: Message): number {
    return deadlineMs + this.#limits.slackMs;
  }
}

function keyOf({ from, id }: Message): string {
  return `${from}${id.toHex()}`;
}

function sizeOf({ answer }: Outcome): number {
  return ENTRY_BYTES + (answer?.payload.length ?? 0);
}

function waitingOf(
  message: Message,
  sequence: number,
  isAgain: boolean,
): Waiting {
  const { from, priority, payload, deadlineMs } = message;
  return {
    id: keyOf(message),
    sender: `${from}`,
    size: payload.length,
    ...{ sequence, priority, deadlineMs, isAgain },
  };
}
