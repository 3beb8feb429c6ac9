/**
 * What waits for clients, in a {@link Store}.
 *
 * ```text
 * c ‖ client id 32                  last seen u64 (ms since 1970) ‖ next sequence u64
 * m ‖ client id 32 ‖ sequence u64   stored u64 (ms since 1970) ‖ identifier 16 ‖ payload
 * ```
 *
 * @module
 */
import { type Bytes, concat, Reader, Writer } from "../../core/bytes/mod.ts";
import { StorageError, type Store } from "../../core/storage/mod.ts";

const CLIENT = Uint8Array.of("c".charCodeAt(0));
const MESSAGE = Uint8Array.of("m".charCodeAt(0));
const ID_LENGTH = 32;
const HEAD = 8 + 16;
/** How much older than the truth the time in the store may be: a write for each client and tick would be all that a gateway does. */
const SEEN_STEP_MS = 10 * 60_000;

/** Bounds of a {@link Mailbox}. */
export interface MailboxLimits {
  /** Most clients known; 10,000 by default. */
  readonly maxClients?: number;
  /** Most messages of one client; 20,000 by default. */
  readonly maxClientMessages?: number;
  /** Most bytes of one client's messages; 32 MiB by default. */
  readonly maxClientBytes?: number;
  /** Most messages in all; 200,000 by default. */
  readonly maxMessages?: number;
  /** Most bytes in all; 200 MiB by default. */
  readonly maxBytes?: number;
  /** How long a message is kept, in milliseconds; 7 days by default. */
  readonly messageExpiryMs?: number;
  /** How long a client is known after it was last connected, in milliseconds; 30 days by default. */
  readonly clientExpiryMs?: number;
}

const MIB = 1024 * 1024;
const DAY_MS = 24 * 3_600_000;

/** {@link MailboxLimits} that apply when none are given. */
export const MAILBOX_LIMITS: Required<MailboxLimits> = {
  maxClients: 10_000,
  maxClientMessages: 20_000,
  maxClientBytes: 32 * MIB,
  maxMessages: 200_000,
  maxBytes: 200 * MIB,
  messageExpiryMs: 7 * DAY_MS,
  clientExpiryMs: 30 * DAY_MS,
};

/** Why a message was not stored. */
export type MailboxRefusal =
  | "unknown_client" // nobody of that name was here, or not for long
  | "client_full" // the client's quota is used up
  | "full"; // the quota of all, or the store, is used up

/** A message in a mailbox. */
export interface MailboxMessage {
  /** Its place in the mailbox, from 1. */
  readonly sequence: number;
  /** 16 bytes: zeros, or a SURB's id. */
  readonly identifier: Bytes;
  /** What was stored. */
  readonly payload: Bytes;
}

/** What a mailbox holds, and what left it unread. */
export interface MailboxCounts {
  /** Clients known. */
  readonly clients: number;
  /** Messages held. */
  readonly messages: number;
  /** Bytes of payloads held. */
  readonly bytes: number;
  /** Messages collected so far. */
  readonly collected: number;
  /** Messages that expired so far, their client's expiry included. */
  readonly expired: number;
}

interface Held {
  readonly sequence: number;
  readonly length: number;
  readonly storedMs: number;
}

interface Client {
  readonly id: Bytes;
  lastSeenMs: number;
  /** The time in the store. */
  savedMs: number;
  nextSequence: number;
  bytes: number;
  /** In the order of their sequence, which is that of their time. */
  readonly held: Held[];
}

/** Keeps messages for clients until they are collected or expire; a message is in the store when {@link put} returns. */
export class Mailbox {
  readonly #store: Store;
  readonly #limits: Required<MailboxLimits>;
  readonly #clients = new Map<string, Client>();
  #messages = 0;
  #bytes = 0;
  #collected = 0;
  #expired = 0;

  /** Takes up what `store` holds. */
  constructor(store: Store, limits: MailboxLimits = {}) {
    this.#store = store;
    this.#limits = { ...MAILBOX_LIMITS, ...limits };
    for (const { key, value } of store.entries(CLIENT)) {
      const r = new Reader(value, "mailbox client");
      const id = key.slice(CLIENT.length);
      const lastSeenMs = Number(r.u64());
      this.#clients.set(id.toHex(), {
        id,
        lastSeenMs,
        savedMs: lastSeenMs,
        nextSequence: Number(r.u64()),
        bytes: 0,
        held: [],
      });
    }
    for (const { key, value } of store.entries(MESSAGE)) {
      const r = new Reader(key.subarray(MESSAGE.length), "mailbox key");
      const client = this.#clients.get(r.take(ID_LENGTH).toHex());
      const storedMs = Number(new Reader(value, "mailbox message").u64());
      const length = value.length - HEAD;
      if (client) this.#hold(client, Number(r.u64()), length, storedMs);
      else store.delete(key);
    }
  }

  /** What it holds. */
  get counts(): MailboxCounts {
    return {
      clients: this.#clients.size,
      messages: this.#messages,
      bytes: this.#bytes,
      collected: this.#collected,
      expired: this.#expired,
    };
  }

  /** Notes that `client` is here; `false` if it is new and there are too many. */
  register(client: Uint8Array, wallMs: number): boolean {
    const known = this.#clients.get(client.toHex());
    if (!known && this.#clients.size >= this.#limits.maxClients) return false;
    const entry: Client = known ?? {
      id: new Uint8Array(client),
      lastSeenMs: 0,
      savedMs: -Infinity,
      nextSequence: 1,
      bytes: 0,
      held: [],
    };
    entry.lastSeenMs = wallMs;
    if (Math.abs(wallMs - entry.savedMs) < SEEN_STEP_MS) return true;
    try {
      this.#save(entry);
    } catch (error) {
      if (!isFull(error)) throw error;
      if (!known) return false;
    }
    this.#clients.set(client.toHex(), entry);
    return true;
  }

  /** Stores a message; says why not. */
  put(
    client: Uint8Array,
    identifier: Uint8Array,
    payload: Uint8Array,
    wallMs: number,
  ): MailboxRefusal | undefined {
    const known = this.#clients.get(client.toHex());
    if (!known) return "unknown_client";
    const limits = this.#limits;
    const { length } = payload;
    if (
      known.held.length >= limits.maxClientMessages ||
      known.bytes + length > limits.maxClientBytes
    ) return "client_full";
    if (
      this.#messages >= limits.maxMessages ||
      this.#bytes + length > limits.maxBytes
    ) return "full";
    const sequence = known.nextSequence++;
    try {
      this.#store.transaction(() => {
        this.#save(known);
        const value = new Writer(HEAD + length)
          .u64(BigInt(Math.floor(wallMs))).put(identifier).put(payload);
        this.#store.set(messageKey(known, sequence), value.finish());
      });
    } catch (error) {
      known.nextSequence = sequence;
      if (isFull(error)) return "full";
      throw error;
    }
    this.#hold(known, sequence, length, wallMs);
    return undefined;
  }

  /** The first message of `client` behind `sequence`. */
  next(client: Uint8Array, sequence: number): MailboxMessage | undefined {
    const known = this.#clients.get(client.toHex());
    if (!known) return undefined;
    const found = known.held[firstBehind(known.held, sequence)];
    const value = found && this.#store.get(messageKey(known, found.sequence));
    if (!value) return undefined;
    return {
      sequence: found.sequence,
      identifier: value.slice(8, HEAD),
      payload: value.slice(HEAD),
    };
  }

  /** Removes the messages of `client` up to `sequence`. */
  collect(client: Uint8Array, sequence: number): void {
    const known = this.#clients.get(client.toHex());
    if (!known) return;
    this.#collected += this.#drop(known, firstBehind(known.held, sequence));
  }

  /** Removes what expired. */
  tick(wallMs: number): void {
    const { messageExpiryMs, clientExpiryMs } = this.#limits;
    for (const [key, client] of this.#clients) {
      const isGone = client.lastSeenMs + clientExpiryMs <= wallMs;
      const late = client.held
        .findIndex(({ storedMs }) => storedMs + messageExpiryMs > wallMs);
      const count = isGone || late < 0 ? client.held.length : late;
      this.#expired += this.#drop(client, count);
      if (!isGone) continue;
      this.#clients.delete(key);
      this.#store.delete(concat(CLIENT, client.id));
    }
  }

  /** Removes the first `count` messages of `client`. */
  #drop(client: Client, count: number): number {
    if (count === 0) return 0;
    const dropped = client.held.slice(0, count);
    this.#store.transaction(() => {
      for (const { sequence } of dropped) {
        this.#store.delete(messageKey(client, sequence));
      }
    });
    client.held.splice(0, count);
    for (const { length } of dropped) {
      client.bytes -= length;
      this.#bytes -= length;
    }
    this.#messages -= count;
    return count;
  }

  #hold(
    client: Client,
    sequence: number,
    length: number,
    storedMs: number,
  ): void {
    client.held.push({ sequence, length, storedMs });
    client.bytes += length;
    this.#bytes += length;
    this.#messages++;
  }

  #save(client: Client): void {
    const { id, lastSeenMs, nextSequence } = client;
    const value = new Writer(16).u64(BigInt(Math.floor(lastSeenMs)))
      .u64(BigInt(nextSequence)).finish();
    this.#store.set(concat(CLIENT, id), value);
    client.savedMs = lastSeenMs;
  }
}

function messageKey({ id }: Client, sequence: number): Bytes {
  return new Writer(41).put(MESSAGE).put(id).u64(BigInt(sequence)).finish();
}

function isFull(error: unknown): boolean {
  return error instanceof StorageError && error.code === "full";
}

/** Index of the first that comes behind `sequence`. */
function firstBehind(held: readonly Held[], sequence: number): number {
  let low = 0;
  let high = held.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (held[middle]!.sequence <= sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}
