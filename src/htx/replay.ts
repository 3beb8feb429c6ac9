/**
 * Memory of the tickets that were accepted (Betanet 1.1 §5.2, profile G17).
 *
 * No ticket that was accepted is accepted again, wherever the wall clock jumps: it is remembered, or its hour is closed, which
 * refuses all tickets of that hour for good. An hour is closed and its tickets forgotten once none of it was accepted for 3 h of
 * monotonic time, and a ticket of an hour later by 3 or more was. A ticket of hour h is accepted while the wall clock shows hour
 * h − 1, h or h + 1, so the clock has then left that hour behind.
 *
 * Only hours whose tickets were forgotten are closed. A clock that was ahead for a while leaves tickets of hours to come: they stay
 * remembered one by one until those hours have passed, so that other tickets of them are good when they come. While more than half
 * of the memory is taken they are closed as well after their 3 h, so that such tickets cannot fill it for good.
 *
 * What is remembered is the accessTicket, not (cliPub, hour): several X25519 public keys, such as those that differ in the unused
 * top bit or by a point of low order, lead to the same shared secret, so who saw a ticket could change its cliPub and send it again.
 * The accessTicket stands for secret, key id and hour.
 *
 * ```text
 * store keys   00 ‖ u32 hour ‖ 16B of the accessTicket → nothing
 *              01                                      → the closed hours, see closed_hours.ts
 * ```
 *
 * @module
 */
import { type Bytes, Reader, Writer } from "../core/bytes/mod.ts";
import type { Store } from "../core/storage/mod.ts";
import { ClosedHours } from "./closed_hours.ts";

/** What a replay memory needs of a `Store`. */
export type ReplayStore = Pick<
  Store,
  "get" | "set" | "delete" | "entries" | "transaction"
>;

/** Options of {@link ReplayMemory}. */
export interface ReplayMemoryOptions {
  /** Keeps the tickets across restarts; a namespace of its own, with room for twice the capacity. */
  readonly store: ReplayStore;
  /** Most tickets remembered at once; 262,144 by default: 24 a second for 3 h, about 14 MB. */
  readonly capacity?: number;
  /** Monotonic time in milliseconds at which the tickets in the store count as accepted. */
  readonly nowMs: number;
}

/** `new`: remembered now; `replayed`: seen before, or of a closed hour; `full`: no room. */
export type ReplayVerdict = "new" | "replayed" | "full";

/** How long a ticket is remembered at least after the last one of its hour, in milliseconds. */
export const REPLAY_MEMORY_MS = 3 * 3_600_000;
/** A verified ticket shows that the wall clock can take no ticket of an hour earlier by this much. */
const PASSED_HOURS = 3;

const TAG_LENGTH = 16;
const TICKET = 0x00;
const CLOSED = Uint8Array.of(0x01);
const EMPTY = new Uint8Array(0);
/** Forgotten tickets that leave the store with each new one, so that no call takes long. */
const DELETIONS = 2;

interface Hour {
  readonly tags: Set<string>;
  lastMs: number;
}

/**
 * Tells a first ticket from a repeated one.
 *
 * When full it refuses new tickets rather than forget old ones: only verified tickets take room, at the pace of the token buckets,
 * and forgetting would let whoever can fill the memory send again what he saw others send.
 */
export class ReplayMemory {
  readonly #store: ReplayStore;
  readonly #capacity: number;
  readonly #hours = new Map<number, Hour>();
  /** Keys of forgotten tickets that are still in the store. */
  readonly #forgotten: Iterator<Bytes>[] = [];
  #closed: ClosedHours;
  #size = 0;

  /**
   * Loads what the store remembers.
   *
   * @throws {DecodeError} If the store holds anything else.
   */
  constructor({ store, capacity = 262_144, nowMs }: ReplayMemoryOptions) {
    this.#store = store;
    this.#capacity = capacity;
    const closed = store.get(CLOSED);
    this.#closed = closed ? ClosedHours.decode(closed) : ClosedHours.NONE;
    const stale: Bytes[] = [];
    for (const { key } of store.entries(Uint8Array.of(TICKET))) {
      const { hour, tag } = decodeKey(key);
      if (this.#closed.has(hour)) stale.push(key);
      else this.#add(hour, tag, nowMs);
    }
    this.#forgotten.push(stale.values());
  }

  /** Number of tickets remembered. */
  get size(): number {
    return this.#size;
  }

  /**
   * Remembers a verified ticket; when it returns `new`, the store has it.
   *
   * @param accessTicket The ticket's 32-byte accessTicket.
   * @param hour The hour it was made for; the wall clock is within an hour of it.
   * @param nowMs Monotonic time in milliseconds.
   * @throws {StorageError} If the store fails; the ticket then counts as not seen.
   */
  remember(
    accessTicket: Uint8Array,
    hour: number,
    nowMs: number,
  ): ReplayVerdict {
    this.#forget(hour, nowMs);
    if (this.#closed.has(hour)) return "replayed";
    const tag = tagOf(accessTicket);
    if (this.#hours.get(hour)?.tags.has(tag)) return "replayed";
    if (this.#size >= this.#capacity) return "full";
    this.#store.transaction(() => {
      this.#store.set(encodeKey(hour, tag), EMPTY);
      this.#deleteForgotten();
    });
    this.#add(hour, tag, nowMs);
    return "new";
  }

  #add(hour: number, tag: string, nowMs: number) {
    let entry = this.#hours.get(hour);
    if (!entry) this.#hours.set(hour, entry = { tags: new Set(), lastMs: 0 });
    entry.tags.add(tag);
    entry.lastMs = nowMs;
    this.#size++;
  }

  #forget(ticketHour: number, nowMs: number) {
    for (const [hour, { tags, lastMs }] of this.#hours) {
      const passed = hour <= ticketHour - PASSED_HOURS;
      const crowded = this.#size > this.#capacity / 2;
      if (nowMs - lastMs < REPLAY_MEMORY_MS || !passed && !crowded) continue;
      const closed = this.#closed.with(hour);
      this.#store.set(CLOSED, closed.encode());
      this.#closed = closed;
      this.#hours.delete(hour);
      this.#size -= tags.size;
      this.#forgotten.push(keysOf(hour, tags));
    }
  }

  #deleteForgotten() {
    for (let i = 0; i < DELETIONS && this.#forgotten.length > 0; i++) {
      const next = this.#forgotten[0]!.next();
      if (next.done) this.#forgotten.shift();
      else this.#store.delete(next.value);
    }
  }
}

function* keysOf(hour: number, tags: Set<string>): Generator<Bytes, undefined> {
  for (const tag of tags) yield encodeKey(hour, tag);
}

/** The tag's bytes as characters: a compact key of a `Set`. */
function tagOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, TAG_LENGTH));
}

function encodeKey(hour: number, tag: string): Bytes {
  const key = new Writer(5 + TAG_LENGTH).u8(TICKET).u32(hour);
  for (let i = 0; i < TAG_LENGTH; i++) key.u8(tag.charCodeAt(i));
  return key.finish();
}

function decodeKey(bytes: Uint8Array): { hour: number; tag: string } {
  const r = new Reader(bytes, "replay memory's ticket");
  r.u8();
  const entry = { hour: r.u32(), tag: tagOf(r.take(TAG_LENGTH)) };
  r.end();
  return entry;
}
