import { equal } from "../../core/bytes/mod.ts";
import { GroupCommit, type Store } from "../../core/storage/mod.ts";
import { FabricError } from "../error.ts";
import type { AgentId } from "../identity/agent_id.ts";
import { type Message, PRIORITIES } from "../message/message.ts";
import type { WayName } from "../way/choose_way.ts";
import {
  type DeadLetter,
  type OutboxEntry,
  OutboxRows,
} from "./outbox_rows.ts";
import { OrderPlaces } from "./order_places.ts";
import { PriorityLanes } from "./priority_lanes.ts";

/** Limits of an {@link Outbox}. */
export interface OutboxLimits {
  /** Most messages; 100,000 by default. */
  readonly maxMessages?: number;
  /** Most bytes of them; 256 MiB by default. */
  readonly maxBytes?: number;
  /** Most messages that one agent is being sent at a time; 256 by default. */
  readonly maxSending?: number;
  /** Most dead letters, of which the oldest give way; 10,000 by default. */
  readonly maxDeadLetters?: number;
}

/** {@link OutboxLimits} that hold if nothing else is said. */
const OUTBOX_LIMITS: Required<OutboxLimits> = {
  maxMessages: 100_000,
  maxBytes: 256 * 1024 * 1024,
  maxSending: 256,
  maxDeadLetters: 10_000,
};

const FRESH = {
  ...{ attempts: 0, failed: 0, taken: 0, bundles: 0 },
  ...{ againMs: undefined, againByMs: undefined, hasNews: false },
};

/** The share of the limits up to which a class is accepted, so that there is room for the classes above it. */
const SHARE = [0.7, 0.85, 0.95, 1];
/** As much as agents that we do not know can have us send; the rest is for what we say ourselves. */
const OWED_SHARE = 0.5;

/** How a message is to be delivered. */
export interface AcceptOptions {
  /** Whether it may not overtake others to the same agent that were accepted so; it may by default. */
  readonly isOrdered?: boolean;
  /** How it may travel; `auto` by default. */
  readonly way?: WayName | "auto";
  /** Whether another agent had us send it, as answers and receipts are: such messages get at most half of the room. */
  readonly isOwed?: boolean;
  /** The dead letter that it is sent again for, which is forgotten in its favour. */
  readonly replaces?: Pick<DeadLetter, "sequence">;
}

/** A message that is to be sent now. */
export interface OutgoingMessage {
  /** The message. */
  readonly message: Message;
  /** How it may travel. */
  readonly way: WayName | "auto";
  /** Attempts in a row that failed, since there was news of the agent. */
  readonly failed: number;
  /** How often the other end took it since there was news of the agent, without saying what became of it. */
  readonly taken: number;
  /** When a node of bundles stored it, in milliseconds since 1970-01-01 UTC, unless it says something new since. */
  readonly bundledMs: number | undefined;
  /** How often one did in this life. */
  readonly bundles: number;
}

/** What an outbox did so far. */
export interface OutboxCounts {
  /** Messages accepted. */
  accepted: number;
  /** Messages not accepted, as there was no room. */
  full: number;
  /** Times that a message was given out to be sent. */
  attempts: number;
  /** Messages that came to their end. */
  settled: number;
  /** Messages given up. */
  dead: number;
  /** Dead letters that gave way to newer ones. */
  forgotten: number;
}

interface Outgoing extends OutboxEntry {
  attempts: number;
  failed: number;
  taken: number;
  bundledMs: number | undefined;
  bundles: number;
  /** Not to be given out before; `undefined` while it waits or is being sent. */
  againMs: number | undefined;
  /** While it is being sent: rests until then at most. */
  againByMs: number | undefined;
  /** Whether it is to be sent again at once, as it says something new of the places before it. */
  hasNews: boolean;
}

interface Peer {
  readonly to: AgentId;
  readonly lanes: PriorityLanes<Outgoing>;
  readonly sending: Set<string>;
}

/**
 * Messages that we have accepted to deliver. What {@link Outbox.accept} has resolved for outlives the process, until it is settled or
 * given up; after a restart everything waits again, so that the other end may see a message twice.
 *
 * The outbox has no clock and sends nothing: somebody asks it what is {@link Outbox.next}, and says what became of it.
 */
export class Outbox {
  /** What it did so far. */
  readonly counts: OutboxCounts = {
    ...{ accepted: 0, full: 0, attempts: 0 },
    ...{ settled: 0, dead: 0, forgotten: 0 },
  };
  readonly #limits: Required<OutboxLimits>;
  readonly #rows: OutboxRows;
  readonly #commits: GroupCommit;
  readonly #messages = new Map<string, Outgoing>();
  readonly #peers = new Map<string, Peer>();
  /** Messages that wait for a time, by agent: they are not given out before. */
  readonly #resting = new Map<string, Set<Outgoing>>();
  readonly #places = new OrderPlaces<Outgoing>();
  #deadSequences: number[];
  #bytes = 0;
  /** Messages that are being committed. */
  readonly #pending = new Set<string>();
  #pendingBytes = 0;
  #sequence = 0;

  /** Reads what waits in `store`, which it has for itself. */
  constructor(store: Store, limits: OutboxLimits = {}) {
    this.#limits = { ...OUTBOX_LIMITS, ...limits };
    this.#rows = new OutboxRows(store);
    this.#commits = new GroupCommit(store);
    for (const entry of this.#rows.entries()) {
      const bundledMs = this.#rows.bundledMs(entry.sequence);
      this.#enter({ ...entry, ...FRESH, bundledMs });
      this.#sequence = entry.sequence + 1;
    }
    this.#places.findGaps();
    this.#deadSequences = this.#rows.deadSequences();
    const lastDead = this.#deadSequences.at(-1) ?? -1;
    this.#sequence = Math.max(this.#sequence, lastDead + 1);
  }

  /** Messages that are not settled. */
  get size(): number {
    return this.#messages.size;
  }

  /** Bytes of them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Every message that is not settled, without its payload. */
  entries(): IterableIterator<OutboxEntry & { readonly attempts: number }> {
    return this.#messages.values();
  }

  /**
   * Accepts a message; resolves once it would be here after the death of the process.
   *
   * @param options - How it is to be delivered.
   * @throws {FabricError} `full` if there is no room for its class.
   * @throws {RangeError} If a field is out of range, the id is taken, or what it replaces is not here.
   */
  async accept(
    message: Omit<Message, "order">,
    options: AcceptOptions = {},
  ): Promise<void> {
    const share = options.isOwed
      ? OWED_SHARE
      : SHARE[PRIORITIES.indexOf(message.priority)]!;
    const { maxMessages, maxBytes } = this.#limits;
    const size = message.payload.length;
    if (
      this.#messages.size + this.#pending.size >= share * maxMessages ||
      this.#bytes + this.#pendingBytes + size > share * maxBytes
    ) {
      this.counts.full++;
      throw new FabricError("full", "There is no room for the message");
    }
    const id = message.id.toHex();
    if (this.#messages.has(id) || this.#pending.has(id)) {
      throw new RangeError("The id is taken");
    }
    const { replaces } = options;
    if (replaces && !this.#unbury(replaces)) {
      throw new RangeError("It is no dead letter");
    }
    let entry: OutboxEntry | undefined;
    this.#pending.add(id);
    this.#pendingBytes += size;
    try {
      await this.#commits.run(() => {
        const { isOrdered, way = "auto" } = options;
        const place = isOrdered ? this.#rows.takePlace(message.to) : undefined;
        const whole = withPlace(message, place);
        if (replaces) this.#rows.forget(replaces.sequence);
        entry = this.#rows.add(this.#sequence++, whole, way);
      });
    } catch (error) {
      if (replaces) this.#deadSequences.push(replaces.sequence);
      throw error;
    } finally {
      this.#pending.delete(id);
      this.#pendingBytes -= size;
    }
    this.counts.accepted++;
    this.#enter({ ...entry!, ...FRESH, bundledMs: undefined });
  }

  /**
   * What is to be sent now, agents taking turns; it counts as being sent until {@link wait}, {@link settle} or {@link giveUp} is called.
   *
   * @param isOpen - Whether an agent can be sent something at all; its messages go on waiting if not.
   */
  next(isOpen: (to: AgentId) => boolean): OutgoingMessage | undefined {
    for (const [key, peer] of this.#peers) {
      if (
        peer.lanes.size === 0 || peer.sending.size >= this.#limits.maxSending ||
        !isOpen(peer.to)
      ) continue;
      const outgoing = peer.lanes.shift()!;
      // Behind all others from now on.
      this.#peers.delete(key);
      this.#peers.set(key, peer);
      const message = this.#rows.message(outgoing.sequence);
      if (!message) continue;
      peer.sending.add(outgoing.id);
      const { failed, taken, hasNews, bundledMs } = outgoing;
      outgoing.attempts++;
      outgoing.hasNews = false;
      outgoing.againByMs = undefined;
      this.counts.attempts++;
      return {
        message: withPlace(message, outgoing.place, this.#places.floor(key)),
        way: outgoing.way,
        ...{ failed, taken },
        bundledMs: hasNews ? undefined : bundledMs,
        bundles: outgoing.bundles,
      };
    }
  }

  /** A message that is neither settled nor given up, without its payload. */
  get(id: Uint8Array): OutboxEntry | undefined {
    return this.#messages.get(id.toHex());
  }

  /** An attempt failed: a message is to be sent again, not before `againMs`, unless it is settled until then. */
  wait(id: Uint8Array, againMs: number): void {
    const outgoing = this.#messages.get(id.toHex());
    if (!outgoing) return;
    outgoing.failed++;
    this.#pause(outgoing, againMs);
  }

  /**
   * The other end has a message, or a node of bundles has, and has yet to say what became of it: the same.
   *
   * @param bundledMs - When a node of bundles stored it, if that is new; it is remembered over the death of the process.
   */
  rest(id: Uint8Array, againMs: number, bundledMs?: number): void {
    const outgoing = this.#messages.get(id.toHex());
    if (!outgoing) return;
    outgoing.failed = 0;
    outgoing.taken++;
    if (bundledMs !== undefined) {
      outgoing.bundledMs = bundledMs;
      outgoing.bundles++;
      const { sequence } = outgoing;
      this.#commits.run(() => this.#rows.setBundledMs(sequence, bundledMs))
        // Then it may be sent once more than it need be.
        .catch(() => {});
    }
    this.#pause(outgoing, againMs);
  }

  /** Whether a message to an agent waits for a time. */
  rests(to: AgentId): boolean {
    return this.#resting.has(`${to}`);
  }

  /** A message came to its end: it is forgotten, soon for good. Says who it was to, `undefined` if it was not here. */
  settle(id: Uint8Array): AgentId | undefined {
    const outgoing = this.#messages.get(id.toHex());
    if (!outgoing) return undefined;
    this.#remove(outgoing);
    this.counts.settled++;
    // If we die before, or the store cannot be written, it is sent again at the next start: the other end's inbox answers what became of
    // it, and no handler runs. If its deadline has passed by then, it is a dead letter, `expired`, and its receipt is in the log.
    this.#commits.run(() => this.#delete(outgoing)).catch(() => {});
    return outgoing.to;
  }

  /** Gives a message up: it goes to the dead letters. */
  async giveUp(id: Uint8Array, reason: string, nowMs: number): Promise<void> {
    const outgoing = this.#messages.get(id.toHex());
    if (outgoing) await this.#bury([outgoing], reason, nowMs);
  }

  /**
   * Lets messages wait again whose time has come, and gives up those whose deadline has passed, with the reason `expired`.
   *
   * @returns Those given up.
   */
  async tick(nowMs: number): Promise<readonly OutboxEntry[]> {
    for (const resting of this.#resting.values()) {
      for (const outgoing of resting) {
        if (outgoing.againMs! <= nowMs) this.#offer(outgoing);
      }
    }
    const expired = [...this.#messages.values()].filter(({ deadlineMs }) =>
      deadlineMs <= nowMs
    );
    await this.#bury(expired, "expired", nowMs);
    return expired;
  }

  /**
   * There is news of an agent, as a link with it began or is over: what failed or was taken before does not count any more.
   *
   * @param byMs - Lets messages to it that rest do so until then at most; not at all by default.
   * @param sendingByMs - The same for those that are being sent, which may still be on a way of before; `byMs` by default.
   */
  hurry(to: AgentId, byMs?: number, sendingByMs = byMs): void {
    const key = `${to}`;
    for (const outgoing of this.#resting.get(key) ?? []) {
      outgoing.failed = outgoing.taken = 0;
      if (byMs === undefined) this.#offer(outgoing);
      else outgoing.againMs = Math.min(outgoing.againMs!, byMs);
    }
    for (const id of this.#peers.get(key)?.sending ?? []) {
      const outgoing = this.#messages.get(id)!;
      outgoing.failed = outgoing.taken = 0;
      const { againByMs = Infinity } = outgoing;
      outgoing.againByMs = Math.min(againByMs, sendingByMs ?? Infinity);
    }
  }

  /** Messages that were given up, in the order in which they were accepted. */
  deadLetters(): IterableIterator<DeadLetter> {
    return this.#rows.deadLetters();
  }

  /** The message of an id among those given up. */
  deadLetter(id: Uint8Array): DeadLetter | undefined {
    for (const letter of this.#rows.deadLetters()) {
      if (equal(letter.message.id, id)) return letter;
    }
  }

  #enter(outgoing: Outgoing): void {
    this.#messages.set(outgoing.id, outgoing);
    this.#bytes += outgoing.size;
    this.#places.add(`${outgoing.to}`, outgoing);
    this.#offer(outgoing);
  }

  #delete({ sequence, bundledMs }: Outgoing): void {
    this.#rows.delete(sequence);
    if (bundledMs !== undefined) this.#rows.setBundledMs(sequence, undefined);
  }

  #offer(outgoing: Outgoing): void {
    this.#wake(outgoing);
    outgoing.againMs = undefined;
    const key = `${outgoing.to}`;
    let peer = this.#peers.get(key);
    if (!peer) {
      const { to } = outgoing;
      peer = { to, lanes: new PriorityLanes(), sending: new Set() };
      this.#peers.set(key, peer);
    }
    peer.lanes.push(outgoing);
  }

  /** Takes a message from where it waits, rests or is being sent. */
  #leave(outgoing: Outgoing): void {
    this.#wake(outgoing);
    const key = `${outgoing.to}`;
    const peer = this.#peers.get(key);
    if (!peer) return;
    peer.sending.delete(outgoing.id);
    peer.lanes.delete(outgoing);
    if (peer.lanes.size + peer.sending.size === 0) this.#peers.delete(key);
  }

  #pause(outgoing: Outgoing, againMs: number): void {
    this.#leave(outgoing);
    if (outgoing.hasNews) return this.#offer(outgoing);
    outgoing.againMs = Math.min(againMs, outgoing.againByMs ?? Infinity);
    const key = `${outgoing.to}`;
    const resting = this.#resting.get(key) ?? new Set();
    this.#resting.set(key, resting.add(outgoing));
  }

  /** A message rests no longer, if it did; says whether. */
  #wake(outgoing: Outgoing): boolean {
    const key = `${outgoing.to}`;
    const resting = this.#resting.get(key);
    if (!resting?.delete(outgoing)) return false;
    if (resting.size === 0) this.#resting.delete(key);
    return true;
  }

  #remove(outgoing: Outgoing): void {
    this.#leave(outgoing);
    this.#messages.delete(outgoing.id);
    this.#bytes -= outgoing.size;
    const teller = this.#places.remove(`${outgoing.to}`, outgoing);
    if (!teller) return;
    if (this.#wake(teller)) this.#offer(teller);
    else teller.hasNews = true;
  }

  /** Takes a dead letter from those that are here; says whether it was. */
  #unbury({ sequence }: Pick<DeadLetter, "sequence">): boolean {
    const index = this.#deadSequences.indexOf(sequence);
    if (index >= 0) this.#deadSequences.splice(index, 1);
    return index >= 0;
  }

  async #bury(
    letters: readonly Outgoing[],
    reason: string,
    nowMs: number,
  ): Promise<void> {
    if (letters.length === 0) return;
    for (const each of letters) this.#places.giveUp(`${each.to}`, each);
    for (const outgoing of letters) this.#remove(outgoing);
    this.counts.dead += letters.length;
    this.#deadSequences.push(...letters.map(({ sequence }) => sequence));
    const excess = Math.max(
      0,
      this.#deadSequences.length - this.#limits.maxDeadLetters,
    );
    const forgotten = this.#deadSequences.slice(0, excess);
    this.#deadSequences = this.#deadSequences.slice(excess);
    this.counts.forgotten += excess;
    await this.#commits.run(() => {
      for (const { sequence, bundledMs } of letters) {
        this.#rows.bury(sequence, reason, nowMs);
        if (bundledMs !== undefined) {
          this.#rows.setBundledMs(sequence, undefined);
        }
      }
      for (const sequence of forgotten) this.#rows.forget(sequence);
    });
  }
}

function withPlace(
  message: Omit<Message, "order">,
  sequence: number | undefined,
  floor = 0,
): Message {
  if (sequence === undefined) return message;
  return { ...message, order: { sequence, floor } };
}
