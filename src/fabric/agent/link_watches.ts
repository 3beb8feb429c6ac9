import type { Clock } from "../../core/async/mod.ts";
import type { AgentId } from "../identity/agent_id.ts";
import type { RpcLink } from "../rpc/rpc_link.ts";

/** What is looked at in a link. */
export type WatchedLink = Pick<RpcLink, "heard" | "check">;

/** Parts of {@link LinkWatches}. */
export interface LinkWatchesOptions {
  /** How long nothing may come, in milliseconds, before the other end is asked for a sign of life, and how long that may take. */
  readonly ms: number;
  /** Hears that a link is ended as there was none, for each that waits. */
  readonly onSilent: (to: AgentId) => void;
  /** Time. */
  readonly clock: Clock;
}

interface Waiter {
  readonly to: AgentId;
}

interface Watch {
  readonly waiters: Set<Waiter>;
  cancel: () => void;
}

/** Links over which something is waited for: one from which nothing comes, though it was asked, ends. */
export class LinkWatches {
  readonly #options: LinkWatchesOptions;
  readonly #watches = new Map<WatchedLink, Watch>();

  /** Starts without a link. */
  constructor(options: LinkWatchesOptions) {
    this.#options = options;
  }

  /** Something to an agent is waited for over `link`, until what this gives is disposed of. */
  watch(link: WatchedLink, to: AgentId): Disposable {
    let watch = this.#watches.get(link);
    if (!watch) {
      watch = { waiters: new Set(), cancel: () => {} };
      this.#watches.set(link, watch);
      this.#listen(link, watch);
    }
    const { waiters } = watch;
    const waiter: Waiter = { to };
    waiters.add(waiter);
    return { [Symbol.dispose]: () => void waiters.delete(waiter) };
  }

  /** Looks after no link any more. */
  close(): void {
    for (const { cancel } of this.#watches.values()) cancel();
    this.#watches.clear();
  }

  #listen(link: WatchedLink, watch: Watch): void {
    const { clock, ms } = this.#options;
    const { heard } = link;
    watch.cancel = clock.setTimeout(() => {
      if (watch.waiters.size === 0) this.#watches.delete(link);
      else if (link.heard !== heard) this.#listen(link, watch);
      else void this.#ask(link, watch);
    }, ms);
  }

  async #ask(link: WatchedLink, watch: Watch): Promise<void> {
    const silence = new AbortController();
    this.#await(link, watch, silence);
    try {
      await link.check(silence.signal);
    } catch {
      this.#watches.delete(link);
    }
    watch.cancel();
    if (this.#watches.has(link)) this.#listen(link, watch);
  }

  #await(link: WatchedLink, watch: Watch, silence: AbortController): void {
    const { clock, ms, onSilent } = this.#options;
    const { heard } = link;
    watch.cancel = clock.setTimeout(() => {
      // If this process was busy, what has come is read first.
      watch.cancel = clock.setTimeout(() => {
        // The other end may speak, and have yet to come to the question.
        if (link.heard !== heard) return this.#await(link, watch, silence);
        for (const { to } of watch.waiters) onSilent(to);
        const text = `Nothing came within ${ms} ms`;
        silence.abort(new DOMException(text, "TimeoutError"));
      }, 0);
    }, ms);
  }
}
