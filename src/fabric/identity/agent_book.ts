import { type Bytes, concat, equal, utf8 } from "../../core/bytes/mod.ts";
import { type Clock, systemClock } from "../../core/async/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { StorageError, type Store } from "../../core/storage/mod.ts";
import { FabricError } from "../error.ts";
import { AGENT_ID_LENGTH, AgentId } from "./agent_id.ts";
import { type AgentName, formatAgentName } from "./agent_name.ts";
import { type AgentRecord, verifyAgentRecord } from "./agent_record.ts";

/** A record, as it says and as it was signed. */
export interface KnownAgent {
  /** What it says. */
  readonly record: AgentRecord;
  /** As it was signed, to be shown to others. */
  readonly bytes: Bytes;
}

/** Parts and limits of an {@link AgentBook}. */
export interface AgentBookOptions {
  /** Checks signatures. */
  readonly crypto: CryptoProvider;
  /** Keeps the records; the book has it for itself. */
  readonly store: Store;
  /** Time; the machine's by default. */
  readonly clock?: Clock;
  /** Most agents; 10,000 by default. */
  readonly maxAgents?: number;
}

const MAX_AGENTS = 10_000;
/** Whether a name was given by {@link AgentBook.pin}: behind the id of its agent, and of a contact. */
const [SEEN, PINNED] = [0, 1] as const;
const RECORD = utf8("record:");
const CONTACT = utf8("contact:");
const NAME = utf8("name:");

/**
 * What is known of agents: the newest record of each, verified, until it expires.
 *
 * A name belongs to the one it was pinned to, else to the first agent that is seen with it: who claims it later is known by id alone.
 * Of a {@link contact} that holds for good. Other agents may be there only to fill the book: if it is full the one that was heard of
 * longest ago gives way to the next, and its name is free when its record goes.
 */
export class AgentBook {
  /** Records whose name is another agent's. */
  conflicts = 0;
  /** Agents that gave way to others. */
  evicted = 0;
  readonly #options: AgentBookOptions & { readonly clock: Clock };
  readonly #maxAgents: number;
  readonly #known = new Map<string, KnownAgent>();
  /** How each contact came to be one, the latest last. */
  readonly #contacts = new Map<string, number>();

  /** Reads what `store` holds; what no longer verifies is dropped. */
  constructor(options: AgentBookOptions) {
    const { clock = systemClock } = options;
    this.#options = { ...options, clock };
    this.#maxAgents = options.maxAgents ?? MAX_AGENTS;
    this.#load();
  }

  /** How many agents are known. */
  get size(): number {
    return this.#known.size;
  }

  /**
   * Takes a signed record; gives what it says.
   *
   * @throws {DecodeError} If it is malformed.
   * @throws {FabricError} `unauthenticated`, `expired`; `stale` if a newer one, or another of the same sequence, is known; `full` if the
   *   book is full of contacts, or the store is.
   */
  learn(bytes: Uint8Array): AgentRecord {
    const { crypto, store, clock } = this.#options;
    const now = clock.wallTime();
    const record = verifyAgentRecord(crypto, bytes, now);
    const key = `${record.id}`;
    const known = this.get(record.id);
    if (known) {
      if (equal(known.bytes, bytes)) return known.record;
      if (known.record.sequence >= record.sequence) {
        throw new FabricError("stale", "A newer record of the agent is known");
      }
    } else if (this.#known.size >= this.#maxAgents && this.sweep() === 0) {
      this.#evict();
    }
    try {
      store.transaction(() => {
        const { expiresMs: expiresAt, id, name } = record;
        store.set(recordKey(id), bytes, { expiresAt });
        if (!this.byName(name)) this.#name(name, id, SEEN);
      });
    } catch (cause) {
      if (!(cause instanceof StorageError)) throw cause;
      throw new FabricError("full", "The record was not written", { cause });
    }
    const owner = this.byName(record.name);
    if (owner && !owner.equals(record.id)) this.conflicts++;
    this.#known.delete(key);
    this.#known.set(key, { record, bytes: bytes.slice() });
    return record;
  }

  /** What is known of an agent. */
  get(id: AgentId): KnownAgent | undefined {
    const known = this.#known.get(`${id}`);
    const now = this.#options.clock.wallTime();
    return known && known.record.expiresMs > now ? known : undefined;
  }

  /** The agent that a name belongs to. */
  byName(name: AgentName): AgentId | undefined {
    return this.#owner(name)?.id;
  }

  /**
   * We deal with an agent: neither its record nor its name gives way to others', as long as it is among the latest with whom we do, half
   * as many as there may be agents.
   */
  contact(id: AgentId): void {
    const key = `${id}`;
    const how = this.#contacts.get(key);
    if (how === undefined) return this.#addContact(id, SEEN);
    this.#contacts.delete(key);
    this.#contacts.set(key, how);
  }

  /**
   * Gives a name to an agent, whoever was seen with it.
   *
   * @throws {FabricError} `conflict` if it was given to another.
   */
  pin(name: AgentName, id: AgentId): void {
    const owner = this.#owner(name);
    if (owner?.isPinned && !owner.id.equals(id)) {
      const text = `${formatAgentName(name)} belongs to another agent`;
      throw new FabricError("conflict", text);
    }
    this.#name(name, id, PINNED);
    this.#addContact(id, PINNED);
  }

  /**
   * Takes back that a name was given to an agent: it belongs to one that is known with it, if any, else to the next that is seen.
   *
   * @throws {FabricError} `unknown_agent` if it was given to nobody.
   */
  unpin(name: AgentName): void {
    const owner = this.#owner(name);
    const text = formatAgentName(name);
    if (!owner?.isPinned) {
      throw new FabricError("unknown_agent", `${text} was given to nobody`);
    }
    const { store } = this.#options;
    store.transaction(() => {
      store.delete(nameKey(name));
      if (!this.#hasPinned(owner.id)) this.#addContact(owner.id, SEEN);
      for (const { record } of this.entries()) {
        if (formatAgentName(record.name) !== text) continue;
        return this.#name(name, record.id, SEEN);
      }
    });
  }

  /** Whether a session with `staticKey` at its other end speaks for an agent. */
  speaksFor(staticKey: Uint8Array, id: AgentId): boolean {
    const nodes = this.get(id)?.record.nodes ?? [];
    return nodes.some((node) => equal(node.staticKey, staticKey));
  }

  /** Whether a session with `staticKey` at its other end speaks for an agent with whom we deal. */
  isOfContact(staticKey: Uint8Array): boolean {
    for (const key of this.#contacts.keys()) {
      const nodes = this.#known.get(key)?.record.nodes ?? [];
      if (nodes.some((node) => equal(node.staticKey, staticKey))) return true;
    }
    return false;
  }

  /** Every agent that is known, in no order. */
  *entries(): IterableIterator<KnownAgent> {
    const now = this.#options.clock.wallTime();
    for (const known of this.#known.values()) {
      if (known.record.expiresMs > now) yield known;
    }
  }

  /** Forgets records that have expired; says how many. */
  sweep(): number {
    const now = this.#options.clock.wallTime();
    let count = 0;
    for (const { record } of [...this.#known.values()]) {
      if (record.expiresMs > now) continue;
      this.#forget(record);
      count++;
    }
    return count;
  }

  #addContact(id: AgentId, how: number): void {
    const { store } = this.#options;
    store.set(contactKey(id), Uint8Array.of(how));
    this.#contacts.set(`${id}`, how);
    if (2 * (this.#contacts.size - 1) < this.#maxAgents) return;
    for (const [key, how] of this.#contacts) {
      if (how === PINNED) continue;
      this.#contacts.delete(key);
      return void store.delete(contactKey(AgentId.parse(key)));
    }
  }

  #evict(): void {
    for (const [key, { record }] of this.#known) {
      if (this.#contacts.has(key)) continue;
      this.evicted++;
      return this.#forget(record);
    }
    throw new FabricError("full", "The book is full of contacts");
  }

  #forget({ id, name }: AgentRecord): void {
    const { store } = this.#options;
    this.#known.delete(`${id}`);
    store.delete(recordKey(id));
    const isOwner = this.byName(name)?.equals(id);
    if (isOwner && !this.#contacts.has(`${id}`)) store.delete(nameKey(name));
  }

  #load(): void {
    const { crypto, store, clock } = this.#options;
    const now = clock.wallTime();
    for (const { key, value } of store.entries(CONTACT)) {
      const id = new AgentId(key.slice(CONTACT.length));
      this.#contacts.set(`${id}`, value[0] ?? SEEN);
    }
    for (const { key, value } of [...store.entries(RECORD)]) {
      try {
        const record = verifyAgentRecord(crypto, value, now);
        this.#known.set(`${record.id}`, { record, bytes: value });
      } catch {
        store.delete(key);
      }
    }
  }

  #hasPinned(id: AgentId): boolean {
    const pinned = concat(id.bytes, Uint8Array.of(PINNED));
    const names = Iterator.from(this.#options.store.entries(NAME));
    return names.some(({ value }) => equal(value, pinned));
  }

  #name(name: AgentName, id: AgentId, how: number): void {
    const value = concat(id.bytes, Uint8Array.of(how));
    this.#options.store.set(nameKey(name), value);
  }

  #owner(name: AgentName): { id: AgentId; isPinned: boolean } | undefined {
    const value = this.#options.store.get(nameKey(name));
    if (!value) return undefined;
    const id = new AgentId(value.slice(0, AGENT_ID_LENGTH));
    return { id, isPinned: value[AGENT_ID_LENGTH] === PINNED };
  }
}

function contactKey(id: AgentId): Bytes {
  return concat(CONTACT, id.bytes);
}

function recordKey(id: AgentId): Bytes {
  return concat(RECORD, id.bytes);
}

function nameKey(name: AgentName): Bytes {
  return concat(NAME, utf8(formatAgentName(name)));
}
