/**
 * Rows of an outbox.
 *
 * ```text
 * m ‖ sequence u64       u8 way (0 auto, 1 rpc, 2 bundle) ‖ the message
 * b ‖ sequence u64       when a node of bundles last stored it, u64
 * d ‖ sequence u64       dead letter; array: reason, when, the message
 * o ‖ 32B to             the place of the next message in order, u64
 * ```
 *
 * The sequence is the order of acceptance.
 *
 * @module
 */
import { type Bytes, encodeCbor, Writer } from "../../core/bytes/mod.ts";
import type { Store } from "../../core/storage/mod.ts";
import { FieldReader } from "../field_reader.ts";
import type { AgentId } from "../identity/agent_id.ts";
import {
  decodeMessage,
  encodeMessage,
  type Message,
  type Priority,
} from "../message/message.ts";
import { RecentMessages } from "../recent_messages.ts";
import type { WayName } from "../way/choose_way.ts";

/** A message that waits, without its payload. */
export interface OutboxEntry {
  /** In the order of acceptance. */
  readonly sequence: number;
  /** Its id, as hex. */
  readonly id: string;
  /** To whom. */
  readonly to: AgentId;
  /** How urgent it is. */
  readonly priority: Priority;
  /** Bytes of the encoded message. */
  readonly size: number;
  /** When it was accepted, in milliseconds since 1970-01-01 UTC. */
  readonly createdMs: number;
  /** From when on it is of no use, the same. */
  readonly deadlineMs: number;
  /** Its place among those that must not overtake each other. */
  readonly place?: number;
  /** How it may travel. */
  readonly way: WayName | "auto";
}

/** A message that was given up. */
export interface DeadLetter {
  /** In the order of acceptance. */
  readonly sequence: number;
  /** The message. */
  readonly message: Message;
  /** Why. */
  readonly reason: string;
  /** When, in milliseconds since 1970-01-01 UTC. */
  readonly atMs: number;
}

const LETTER = {
  ...{ message: 0x6d, bundled: 0x62 },
  ...{ dead: 0x64, order: 0x6f },
} as const;
const WAYS = ["auto", "rpc", "bundle"] as const;
const MAX_REASON = 128;
/** What a dead letter has beside its message, at most. */
const ROOM = MAX_REASON + 32;
const waiting = new FieldReader("row of an outbox");
const dead = new FieldReader("dead letter");

/** Reads and writes the rows of one outbox. */
export class OutboxRows {
  readonly #store: Store;
  readonly #recent = new RecentMessages();

  /** Has `store` for itself. */
  constructor(store: Store) {
    this.#store = store;
  }

  /** What waits, in the order of acceptance. */
  *entries(): IterableIterator<OutboxEntry> {
    for (const { key, value } of this.#store.entries(prefix("message"))) {
      const way = waiting.name(value[0] ?? WAYS.length, WAYS);
      const message = decodeMessage(value.subarray(1));
      yield entryOf(sequenceOf(key), message, value.length - 1, way);
    }
  }

  /** Writes a message that waits. */
  add(
    sequence: number,
    message: Message,
    way: WayName | "auto",
  ): OutboxEntry {
    const bytes = encodeMessage(message);
    const row = new Writer(1 + bytes.length).u8(WAYS.indexOf(way)).put(bytes)
      .finish();
    this.#store.set(keyOf("message", sequence), row);
    this.#recent.put(sequence, message, bytes);
    return entryOf(sequence, message, bytes.length, way);
  }

  /** The place of the next message in order to an agent, which the one after it gets no more. */
  takePlace(to: AgentId): number {
    const key = new Writer(33).u8(LETTER.order).put(to.bytes).finish();
    const bytes = this.#store.get(key);
    const place = bytes ? sequenceOf(bytes, 0) : 0;
    this.#store.set(key, new Writer(8).u64(BigInt(place + 1)).finish());
    return place;
  }

  /** A message that waits. */
  message(sequence: number): Message | undefined {
    const recent = this.#recent.take(sequence);
    if (recent) return recent;
    const row = this.#store.get(keyOf("message", sequence));
    return row && decodeMessage(row.subarray(1));
  }

  /** When a node of bundles last stored a message that waits, in milliseconds since 1970-01-01 UTC. */
  bundledMs(sequence: number): number | undefined {
    const bytes = this.#store.get(keyOf("bundled", sequence));
    return bytes && sequenceOf(bytes, 0);
  }

  /** Writes when a node of bundles stored a message that waits; `undefined` once it waits no longer. */
  setBundledMs(sequence: number, atMs: number | undefined): void {
    const key = keyOf("bundled", sequence);
    if (atMs === undefined) return void this.#store.delete(key);
    this.#store.set(key, new Writer(8).u64(BigInt(atMs)).finish());
  }

  /** Removes a message. */
  delete(sequence: number): void {
    this.#recent.take(sequence);
    this.#store.delete(keyOf("message", sequence));
  }

  /** Puts a message among the dead letters. */
  bury(sequence: number, reason: string, atMs: number): void {
    const row = this.#store.get(keyOf("message", sequence));
    this.delete(sequence);
    if (!row) return;
    const fields = [reason.slice(0, MAX_REASON), atMs, row.subarray(1)];
    this.#store.set(
      keyOf("dead", sequence),
      encodeCbor(fields, row.length + ROOM),
    );
  }

  /** The dead letters, in the order in which they were accepted. */
  *deadLetters(): IterableIterator<DeadLetter> {
    for (const { key, value } of this.#store.entries(prefix("dead"))) {
      const options = { maxDepth: 1, maxItems: 4 };
      const [reason, atMs, bytes] = dead.items(value, 3, options);
      if (!(bytes instanceof Uint8Array)) throw dead.malformed("want bytes");
      yield {
        sequence: sequenceOf(key),
        message: decodeMessage(bytes),
        reason: dead.text(reason, MAX_REASON),
        atMs: dead.unsigned(atMs),
      };
    }
  }

  /** Sequences of the dead letters, in order. */
  deadSequences(): number[] {
    const rows = [...this.#store.entries(prefix("dead"))];
    return rows.map(({ key }) => sequenceOf(key));
  }

  /** Removes a dead letter. */
  forget(sequence: number): boolean {
    return this.#store.delete(keyOf("dead", sequence));
  }
}

function entryOf(
  sequence: number,
  { id, to, priority, createdMs, deadlineMs, order }: Message,
  size: number,
  way: OutboxEntry["way"],
): OutboxEntry {
  return {
    ...{ sequence, to, priority, size, createdMs, deadlineMs, way },
    id: id.toHex(),
    ...order && { place: order.sequence },
  };
}

function prefix(kind: keyof typeof LETTER): Bytes {
  return Uint8Array.of(LETTER[kind]);
}

function keyOf(kind: keyof typeof LETTER, sequence: number): Bytes {
  return new Writer(9).u8(LETTER[kind]).u64(BigInt(sequence)).finish();
}

function sequenceOf(bytes: Uint8Array, at = 1): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Number(view.getBigUint64(at));
}
