import type { Clock } from "../../core/async/mod.ts";
import type { Bytes } from "../../core/bytes/mod.ts";
import type { Agent } from "../identity/agent.ts";
import type { AgentBook } from "../identity/agent_book.ts";
import { type AgentNode, signAgentRecord } from "../identity/agent_record.ts";

/** Parts of an {@link OwnRecord}. */
export interface OwnRecordOptions {
  /** The node that speaks for the agent. */
  readonly node: AgentNode;
  /** What the agent can do. */
  readonly capabilities: readonly string[];
  /** Knows it too. */
  readonly book: AgentBook;
  /** Hears of each renewal. */
  readonly onRenewed: (bytes: Bytes) => void;
  /** Time. */
  readonly clock: Clock;
}

/** How long a record is good: somebody who was away for less can still seal to its agent. */
const LIFETIME_MS = 7 * 86_400_000;
const RENEWAL_MS = 86_400_000;

/** The record of an agent that is here, signed anew every day. */
export class OwnRecord implements Disposable {
  readonly #agent: Agent;
  readonly #options: OwnRecordOptions;
  #bytes: Bytes;
  #cancel: () => void;

  /** Signs the first record. */
  constructor(agent: Agent, options: OwnRecordOptions) {
    this.#agent = agent;
    this.#options = options;
    this.#bytes = this.#sign();
    this.#cancel = this.#arm();
  }

  /** The record as it is signed now. */
  get bytes(): Bytes {
    return this.#bytes;
  }

  /** Signs it no more. */
  [Symbol.dispose](): void {
    this.#cancel();
  }

  #sign(): Bytes {
    const { node, capabilities, book, clock } = this.#options;
    const nowMs = clock.wallTime();
    const known = book.get(this.#agent.id)?.record.sequence ?? 0;
    const bytes = signAgentRecord(this.#agent, {
      ...{ nodes: [node], capabilities },
      // A clock that was set back must not make the record older than one that others know.
      sequence: Math.max(nowMs, known + 1),
      issuedMs: nowMs,
      expiresMs: nowMs + LIFETIME_MS,
    });
    book.contact(this.#agent.id);
    book.learn(bytes);
    return bytes;
  }

  #arm(): () => void {
    const { clock, onRenewed } = this.#options;
    return clock.setTimeout(() => {
      this.#bytes = this.#sign();
      this.#cancel = this.#arm();
      onRenewed(this.#bytes);
    }, RENEWAL_MS);
  }
}
