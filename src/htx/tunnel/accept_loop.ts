import { closeOnAbort } from "../close_on_abort.ts";
import type { Duplex } from "../duplex.ts";

/** What connections come from: a `Listener`, or the streams of a session. */
export type Incoming = AsyncIterable<Duplex> & { close?(): void };

/** Options of a `serve` method. */
export interface ServeOptions {
  /** Stops accepting, if the source can be closed, and cuts the connections that were accepted. */
  readonly signal?: AbortSignal;
}

/** What an {@link AcceptLoop} does with connections; neither function may reject. */
export interface AcceptLoopOptions {
  /** Most connections served at once. */
  readonly maxConnections: number;
  /** Most of them that come from one source; `maxConnections` if not given. */
  readonly maxPerSource?: number;
  /** Serves one connection to its end. */
  readonly serve: (connection: Duplex, signal?: AbortSignal) => Promise<void>;
  /** Turns away a connection beyond either limit; beyond twice that it is closed without a word. */
  readonly refuse: (connection: Duplex) => Promise<void>;
}

/** Serves what comes, up to a number of connections at once over all its sources. */
export class AcceptLoop {
  readonly #options: Required<AcceptLoopOptions>;
  #active = 0;

  /** Starts with no connections. */
  constructor(options: AcceptLoopOptions) {
    const { maxConnections, maxPerSource = maxConnections } = options;
    for (const limit of [maxConnections, maxPerSource]) {
      if (!(Number.isInteger(limit) && limit > 0)) {
        throw new RangeError(`Want a limit above 0: got ${limit}`);
      }
    }
    this.#options = { ...options, maxPerSource };
  }

  /** Connections held now. */
  get active(): number {
    return this.#active;
  }

  /** Serves until the source ends and then until every connection from it has; rethrows what the source throws. */
  async run(source: Incoming, { signal }: ServeOptions = {}): Promise<void> {
    using _abort = closeOnAbort(signal, { close: () => source.close?.() });
    const running = new Set<Promise<void>>();
    try {
      for await (const connection of source) {
        const task = this.#hold(connection, running.size, signal);
        running.add(task);
        void task.then(() => running.delete(task));
      }
    } finally {
      await Promise.all(running);
    }
  }

  async #hold(
    connection: Duplex,
    ofSource: number,
    signal?: AbortSignal,
  ): Promise<void> {
    const { maxConnections, maxPerSource, serve, refuse } = this.#options;
    const before = this.#active++;
    const isWithin = (factor: number) =>
      before < factor * maxConnections && ofSource < factor * maxPerSource;
    try {
      if (isWithin(1)) await serve(connection, signal);
      else if (isWithin(2)) await refuse(connection);
    } finally {
      connection.close();
      this.#active--;
    }
  }
}
