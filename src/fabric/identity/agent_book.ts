import { type Bytes, concat, equal, utf8 } from "../../core/bytes/mod.ts";
import type { Clock } from "../../core/async/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { Store } from "../../core/storage/mod.ts";
import { FabricError } from "../error.ts";
import { AgentId } from "./agent_id.ts";
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
  /** Time. */
  readonly clock: Clock;
  /** Most agents; 10,000 by default. */
  readonly maxAgents?: number;
}

const MAX_AGENTS = 10_000;
const RECORD = utf8("record:");
const NAME = utf8("name:");

/**
 * What is known of agents: the newest record of each, verified, until it expires.
 *
 * A name belongs to the first agent that is seen with it, or to the one it was pinned to, for good: who claims it later is known by
 * id alone.
 */
export class AgentBook {
  /** Records whose name is another agent's. */
  conflicts = 0;
  readonly #options: AgentBookOptions;
  readonly #maxAgents: number;
  readonly #known = new Map<string, KnownAgent>();

  /** Reads what `store` holds; what no longer verifies is dropped. */
  constructor(options: AgentBookOptions) {
    this.#options = options;
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
   * @throws {FabricError} `unauthenticated`, `expired`; `stale` if a newer one, or another of the same sequence, is known; `full`.
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
      throw new FabricError("full", "The book of agents is full");
    }
    store.transaction(() => {
      store.set(recordKey(record.id), bytes, { expiresAt: record.expiresMs });
      if (!this.byName(record.name)) this.#pin(record.name, record.id);
    });
    const owner = this.byName(record.name);
    if (owner && !owner.equals(record.id)) this.conflicts++;
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
    const bytes = this.#options.store.get(nameKey(name));
    return bytes && new AgentId(bytes);
  }

  /**
   * Gives a name to an agent.
   *
   * @throws {FabricError} `conflict` if it is another's.
   */
  pin(name: AgentName, id: AgentId): void {
    const owner = this.byName(name);
    if (owner && !owner.equals(id)) {
      const text = `${formatAgentName(name)} belongs to another agent`;
      throw new FabricError("conflict", text);
    }
    this.#pin(name, id);
  }

  /** Whether a session with `staticKey` at its other end speaks for an agent. */
  speaksFor(staticKey: Uint8Array, id: AgentId): boolean {
    const nodes = this.get(id)?.record.nodes ?? [];
    return nodes.some((node) => equal(node.staticKey, staticKey));
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
    const { store, clock } = this.#options;
    const now = clock.wallTime();
    let count = 0;
    for (const [key, { record }] of this.#known) {
      if (record.expiresMs > now) continue;
      this.#known.delete(key);
      store.delete(recordKey(record.id));
      count++;
    }
    return count;
  }

  #load(): void {
    const { crypto, store, clock } = this.#options;
    const now = clock.wallTime();
    for (const { key, value } of [...store.entries(RECORD)]) {
      try {
        const record = verifyAgentRecord(crypto, value, now);
        this.#known.set(`${record.id}`, { record, bytes: value });
      } catch {
        store.delete(key);
      }
    }
  }

  #pin(name: AgentName, id: AgentId): void {
    this.#options.store.set(nameKey(name), id.bytes);
  }
}

function recordKey(id: AgentId): Bytes {
  return concat(RECORD, id.bytes);
}

function nameKey(name: AgentName): Bytes {
  return concat(NAME, utf8(formatAgentName(name)));
}
