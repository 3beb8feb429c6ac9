import { type Clock, systemClock } from "../../core/async/mod.ts";
import type { Duplex } from "../duplex.ts";
import { splice, type SpliceResult } from "../splice.ts";
import { AcceptLoop, type Incoming, type ServeOptions } from "./accept_loop.ts";
import { Tally, type TunnelStats } from "./stats.ts";

/** Options of a {@link TunnelEnd}. */
export interface TunnelEndOptions<Refusal extends string> {
  /** Most connections served at once. */
  readonly maxConnections: number;
  /** Most of them from one source; as many if not given. */
  readonly maxPerSource?: number;
  /** Every reason why a connection does not become a tunnel, with a 0. */
  readonly refusals: Readonly<Record<Refusal, 0>>;
  /** As `SpliceOptions.idleTimeoutMs`. */
  readonly idleTimeoutMs?: number | undefined;
  /** The machine's clock if not given. */
  readonly clock?: Clock | undefined;
}

/** What takes connections, joins each with another, and counts what becomes of them. */
export abstract class TunnelEnd<Refusal extends string> {
  /** Counts. */
  protected readonly tally: Tally<Refusal>;
  /** Times everything. */
  protected readonly clock: Clock;
  readonly #idleTimeoutMs: number | undefined;
  readonly #loop: AcceptLoop;

  /** Starts with no connections. */
  protected constructor(options: TunnelEndOptions<Refusal>) {
    const { maxConnections, maxPerSource = maxConnections } = options;
    this.tally = new Tally(options.refusals);
    this.clock = options.clock ?? systemClock;
    this.#idleTimeoutMs = options.idleTimeoutMs;
    this.#loop = new AcceptLoop({
      ...{ maxConnections, maxPerSource },
      serve: (connection, signal) => {
        this.tally.accept();
        return this.take(connection, signal);
      },
      refuse: (connection) => this.turnAway(connection),
    });
  }

  /** What it has done so far. */
  stats(): TunnelStats<Refusal> {
    return this.tally.snapshot(this.#loop.active);
  }

  /** Serves what comes from a source until that ends and the last of it has; rethrows what its iteration throws. */
  serve(source: Incoming, options: ServeOptions = {}): Promise<void> {
    return this.#loop.run(source, options);
  }

  /** Serves one connection to its end; must not reject. */
  protected abstract take(
    connection: Duplex,
    signal: AbortSignal | undefined,
  ): Promise<void>;

  /** Refuses one beyond the limits; must not reject. */
  protected abstract turnAway(connection: Duplex): Promise<void>;

  /** Passes bytes on both ways until that ends, and counts them. */
  protected splice(
    near: Duplex,
    far: Duplex,
    signal: AbortSignal | undefined,
  ): Promise<SpliceResult> {
    const idleTimeoutMs = this.#idleTimeoutMs;
    return splice(near, far, {
      clock: this.clock,
      ...signal && { signal },
      ...idleTimeoutMs !== undefined && { idleTimeoutMs },
      onBytes: this.tally.move,
    });
  }
}
