import { Backoff, type Clock } from "../../core/async/mod.ts";
import type { AgentId } from "../identity/agent_id.ts";

/** Parts of {@link Redials}. */
export interface RedialsOptions {
  /** Whether an agent is still to be dialed: something rests for it, and it is not here. */
  readonly isWanted: (id: AgentId) => boolean;
  /** Dials an agent. */
  readonly dial: (id: AgentId, signal: AbortSignal) => Promise<unknown>;
  /** Uniform in [0, 1), for pauses between attempts. */
  readonly random: () => number;
  /** Time. */
  readonly clock: Clock;
}

const PAUSE = { minMs: 1_000, maxMs: 16_000 };
/** Most agents that are dialed again at a time; others are when something is sent to them. */
const MAX_AGENTS = 1_024;

/**
 * Agents that were here a moment ago, and may have been on the way to say what became of our messages: they are dialed, with growing
 * pauses, as both ends say again what is open when they have a link.
 */
export class Redials {
  readonly #options: RedialsOptions;
  readonly #agents = new Map<string, AbortController>();

  /** Starts with none. */
  constructor(options: RedialsOptions) {
    this.#options = options;
  }

  /** Dials an agent again and again until it is reached, nobody wants it any more, or `forMs` are over. */
  async start(id: AgentId, forMs: number): Promise<void> {
    const key = `${id}`;
    if (this.#agents.has(key) || this.#agents.size >= MAX_AGENTS) return;
    const { clock, random, isWanted, dial } = this.#options;
    const over = new AbortController();
    const { signal } = over;
    this.#agents.set(key, over);
    const endMs = clock.now() + forMs;
    const backoff = new Backoff({ ...PAUSE, random, clock });
    try {
      for (;;) {
        await backoff.wait({ signal });
        if (clock.now() >= endMs || !isWanted(id)) return;
        await dial(id, signal).catch(() => {});
        signal.throwIfAborted();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#agents.delete(key);
    }
  }

  /** Dials nobody any more. */
  close(): void {
    for (const over of this.#agents.values()) over.abort();
  }
}
