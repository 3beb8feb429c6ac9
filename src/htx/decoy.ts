import { type Clock, Deadline, systemClock } from "../core/async/mod.ts";
import {
  type Connection,
  type DialOptions,
  TransportError,
} from "../core/transport/mod.ts";
import { BufferedDuplex, type Duplex } from "./duplex.ts";
import { GreetedDuplex } from "./greeted_duplex.ts";
import { type Protocol, ProtocolTally } from "./protocol_tally.ts";
import { splice } from "./splice.ts";

/** Options of {@link Decoy}. */
export interface DecoyOptions {
  /**
   * Connects to the origin: the web server that everybody without a ticket sees. `alpn` is what the visitor and we agreed on, so
   * that the origin has to speak it.
   */
  readonly dial: (
    options: DialOptions & { readonly alpn?: string },
  ) => Promise<Connection>;
  /** Most connections at once; 512 by default, as nginx's `worker_connections`. */
  readonly maxConnections?: number;
  /**
   * Ends a connection on which no byte moved for this long; 120,000 by default. It has to be longer than the origin's patience,
   * nginx's 75 s for one, so that the end is the origin's own, close_notify and all.
   */
  readonly idleTimeoutMs?: number;
  /** Ends a connection after this long; 3,600,000 by default, as nginx's `keepalive_time`. */
  readonly totalTimeoutMs?: number;
  /** Times both; the machine's clock by default. */
  readonly clock?: Clock;
}

/** What became of the connections so far. */
export interface DecoyCounts {
  /** Joined to the origin. */
  readonly served: number;
  /** Closed at once, because {@link DecoyOptions.maxConnections} were open. */
  readonly refused: number;
  /** Closed, because the origin could not be reached. */
  readonly unreachable: number;
  /** Closed, because the origin began with something else than we had in its place. */
  readonly unlike: number;
}

/**
 * Joins whoever is not admitted to an ordinary web server (BN11-5.2-11).
 *
 * Bytes pass unread and unchanged both ways, those already received first, so that a prober sees what the origin answers, to
 * malformed and slow requests too. What differs from the bare origin is the time until a request is known to carry no ticket.
 *
 * Beyond the limit a connection is closed without a byte, as nginx does when its workers have no connection left. A connection
 * holds at most 512 KiB, and only while it is busy: the slower side sets the pace.
 */
export class Decoy {
  readonly #options: Required<DecoyOptions>;
  #active = 0;
  readonly #counts = { served: 0, refused: 0, unreachable: 0, unlike: 0 };
  readonly #visitors = new ProtocolTally();

  /** Connects nowhere yet. */
  constructor(options: DecoyOptions) {
    this.#options = {
      maxConnections: 512,
      idleTimeoutMs: 120_000,
      totalTimeoutMs: 3_600_000,
      clock: systemClock,
      ...options,
    };
  }

  /** Number of connections now. */
  get active(): number {
    return this.#active;
  }

  /** What became of the connections so far. */
  get counts(): DecoyCounts {
    return { ...this.#counts };
  }

  /** How many of them were joined to the origin, by protocol. */
  get visitors(): Readonly<Record<Protocol, number>> {
    return this.#visitors.counts;
  }

  /**
   * Serves `connection` until it ends, and closes it; never rejects for what the peer or the origin does.
   *
   * @param received What was read from it already.
   * @param options With `alpn`, the protocol agreed on in TLS; and `greeting`, what we have said in the origin's place: the origin
   * has to say the same first, and is not heard twice.
   */
  async serve(
    connection: Duplex,
    received: Uint8Array,
    options: DialOptions & {
      readonly alpn?: string | undefined;
      readonly greeting?: Uint8Array | undefined;
    } = {},
  ): Promise<void> {
    if (this.#active >= this.#options.maxConnections) {
      this.#counts.refused++;
      return connection.close();
    }
    this.#active++;
    try {
      await this.#join(connection, received, options);
    } finally {
      connection.close();
      this.#active--;
    }
  }

  async #join(
    connection: Duplex,
    received: Uint8Array,
    options: NonNullable<Parameters<Decoy["serve"]>[2]>,
  ): Promise<void> {
    const { clock, totalTimeoutMs, idleTimeoutMs } = this.#options;
    using total = new Deadline(clock, totalTimeoutMs, options);
    const { signal } = total;
    const origin = await this.#dial(signal, options.alpn);
    if (!origin) return;
    await using _ = origin;
    this.#counts.served++;
    this.#visitors.add(options.alpn);
    const visitor = new VisitorDuplex(connection, received);
    const far = options.greeting
      ? new GreetedDuplex(origin, options.greeting, () => this.#counts.unlike++)
      : origin;
    await splice(visitor, far, { idleTimeoutMs, signal, clock });
  }

  async #dial(
    signal: AbortSignal,
    alpn: string | undefined,
  ): Promise<Connection | undefined> {
    const { clock, idleTimeoutMs, dial } = this.#options;
    using deadline = new Deadline(clock, idleTimeoutMs, { signal });
    try {
      return await dial({
        signal: deadline.signal,
        ...(alpn !== undefined && { alpn }),
      });
    } catch (error) {
      if (!(error instanceof TransportError) && !deadline.signal.aborted) {
        throw error;
      }
      this.#counts.unreachable++;
      return undefined;
    }
  }
}

/** A visitor who ended first is not told of our end: as nginx, we send no close_notify then. */
class VisitorDuplex extends BufferedDuplex {
  #hasEnded = false;

  override async read(buffer: Uint8Array): Promise<number | null> {
    const length = await super.read(buffer);
    if (length === null) this.#hasEnded = true;
    return length;
  }

  override async closeWrite(): Promise<void> {
    if (this.#hasEnded) this.close();
    else await super.closeWrite();
  }
}
