/**
 * Rows of an inbox.
 *
 * ```text
 * s ‖ 32B from ‖ 16B id   what became of a message: array of state (1 handled, 2 refused), reason, when, answer or null
 * k ‖ sequence u64        a message that is kept until it is handled
 * o ‖ 32B from            the place of the next message in order, u64
 * l                       (empty) the inbox is open, or was not closed
 * ```
 *
 * The sequence is the order of arrival. An answer is an encoded message.
 *
 * @module
 */
import {
  type Bytes,
  concat,
  encodeCbor,
  Writer,
} from "../../core/bytes/mod.ts";
import type { Store } from "../../core/storage/mod.ts";
import { FieldReader } from "../field_reader.ts";
import { AGENT_ID_LENGTH, type AgentId } from "../identity/agent_id.ts";
import {
  decodeMessage,
  encodeMessage,
  MAX_PAYLOAD_BYTES,
  type Message,
} from "../message/message.ts";
import { RecentMessages } from "../recent_messages.ts";
import { IdFilter } from "./id_filter.ts";

/** What became of a message. */
export interface Outcome {
  /** Whether its handler is done with it, or it was not wanted. */
  readonly state: "handled" | "refused";
  /** Why it was refused; empty otherwise. */
  readonly reason: string;
  /** When, in milliseconds since 1970-01-01 UTC. */
  readonly atMs: number;
  /** The answer to a request. */
  readonly answer?: Message;
}

/** From number 1 on. */
const STATES = ["handled", "refused"] as const;
const LETTER = { seen: 0x73, kept: 0x6b, order: 0x6f, life: 0x6c } as const;
const LIFE_KEY = Uint8Array.of(LETTER.life);
const MAX_REASON = 64;
/** Where the id is in the key of an outcome. */
const ID_AT = 1 + AGENT_ID_LENGTH;
/** Outcomes for which room is made at first, 32 KiB, and at most, 1 MiB. */
const MIN_IDS = 16_384;
const MAX_IDS = 524_288;
/** Outcomes whose ids are read at a time. */
const READ_IDS = 10_000;
const MAX_ANSWER_BYTES = MAX_PAYLOAD_BYTES + 65_536;
const seen = new FieldReader("outcome in an inbox");

/** Reads and writes the rows of one inbox. */
export class InboxRows {
  readonly #store: Store;
  readonly #recent = new RecentMessages();

  /** Ids of outcomes, so that the store need not be asked about most messages that come. */
  #ids = new IdFilter(MIN_IDS);
  /** From where on outcomes are not in {@link #ids} yet; `undefined` if all are. */
  #unread: Uint8Array | undefined = new Uint8Array();

  /** Has `store` for itself. */
  constructor(store: Store) {
    this.#store = store;
    this.#readIds();
  }

  /** Whether the inbox is open, or was when the process died. */
  get isOpen(): boolean {
    return this.#store.get(LIFE_KEY) !== undefined;
  }

  set isOpen(isOpen: boolean) {
    if (isOpen) this.#store.set(LIFE_KEY, new Uint8Array());
    else this.#store.delete(LIFE_KEY);
  }

  /** What became of a message; `undefined` if it is not known. */
  outcome({ from, id }: Pick<Message, "from" | "id">): Outcome | undefined {
    if (this.#unread === undefined && !this.#ids.mayHold(id)) return undefined;
    const row = this.#store.get(seenKey(from, id));
    if (!row) return undefined;
    const options = { maxDepth: 1, maxItems: 5 };
    const [state, reason, atMs, answer] = seen.items(row, 4, options);
    return {
      state: seen.name(seen.unsigned(state) - 1, STATES),
      reason: seen.text(reason, MAX_REASON),
      atMs: seen.unsigned(atMs),
      ...answer !== null &&
        { answer: decodeMessage(seen.bytesUpTo(answer, MAX_ANSWER_BYTES)) },
    };
  }

  /** Writes what became of a message, to be remembered until `expiresAt`. */
  setOutcome(
    { from, id }: Pick<Message, "from" | "id">,
    { state, reason, atMs, answer }: Outcome,
    expiresAt: number,
  ): void {
    const fields = [
      ...[STATES.indexOf(state) + 1, reason.slice(0, MAX_REASON), atMs],
      answer ? encodeMessage(answer) : null,
    ];
    const row = encodeCbor(fields);
    this.#addId(id);
    this.#store.set(seenKey(from, id), row, { expiresAt });
  }

  /** Messages that are kept, in the order of their arrival. */
  *kept(): IterableIterator<{ sequence: number; message: Message }> {
    const rows = this.#store.entries(Uint8Array.of(LETTER.kept));
    for (const { key, value } of rows) {
      yield { sequence: numberAt(key, 1), message: decodeMessage(value) };
    }
  }

  /** A message that is kept. */
  message(sequence: number): Message | undefined {
    const recent = this.#recent.take(sequence);
    if (recent) return recent;
    const bytes = this.#store.get(keptKey(sequence));
    return bytes && decodeMessage(bytes);
  }

  /** Keeps a message. */
  keep(sequence: number, message: Message): void {
    const bytes = encodeMessage(message);
    this.#store.set(keptKey(sequence), bytes);
    this.#recent.put(sequence, message, bytes);
  }

  /** Keeps a message no longer. */
  drop(sequence: number): void {
    this.#recent.take(sequence);
    this.#store.delete(keptKey(sequence));
  }

  /** The place of the next message in order from an agent. */
  place(from: AgentId): number {
    const bytes = this.#store.get(orderKey(from));
    return bytes ? numberAt(bytes, 0) : 0;
  }

  /** Sets the place of the next message in order from an agent; once it is forgotten, the floors of messages say it. */
  setPlace(from: AgentId, place: number, expiresAt: number): void {
    const bytes = new Writer(8).u64(BigInt(place)).finish();
    this.#store.set(orderKey(from), bytes, { expiresAt });
  }

  /** Forgets outcomes whose time has passed; says how many. */
  sweep(nowMs: number): number {
    const count = this.#store.sweep(nowMs);
    this.#readIds();
    return count;
  }

  /** Reads the ids of some outcomes more; until all are read, each message that comes is looked for in the store. */
  #readIds(): void {
    if (this.#unread === undefined) return;
    const ids = this.#ids;
    const rows = this.#store.entries(Uint8Array.of(LETTER.seen), this.#unread);
    let left = READ_IDS;
    for (const { key } of rows) {
      if (left-- === 0) {
        this.#unread = key.slice(1);
        return;
      }
      this.#addId(key.subarray(ID_AT));
      // They did not fit: all are read again.
      if (this.#ids !== ids) return;
    }
    this.#unread = undefined;
  }

  #addId(id: Uint8Array): void {
    this.#ids.add(id);
    if (!this.#ids.isFull) return;
    // What was forgotten since is not in the next one.
    this.#ids = new IdFilter(Math.min(MAX_IDS, 2 * this.#ids.capacity));
    this.#unread = new Uint8Array();
  }
}

function seenKey(from: AgentId, id: Uint8Array): Bytes {
  return concat(Uint8Array.of(LETTER.seen), from.bytes, id);
}

function keptKey(sequence: number): Bytes {
  return new Writer(9).u8(LETTER.kept).u64(BigInt(sequence)).finish();
}

function orderKey(from: AgentId): Bytes {
  return concat(Uint8Array.of(LETTER.order), from.bytes);
}

function numberAt(bytes: Uint8Array, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Number(view.getBigUint64(at));
}
