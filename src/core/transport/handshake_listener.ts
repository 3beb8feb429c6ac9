import {
  BoundedQueue,
  type Clock,
  Deadline,
  delay,
  systemClock,
} from "../async/mod.ts";
import type { Address, Connection } from "./connection.ts";

const BACKLOG_CONNECTIONS = 128;
const MAX_HANDSHAKES = 256;
const HANDSHAKE_MS = 10_000;
/** A burst of arrivals comes in one turn of the event loop: without this, the oldest would give way before its first byte was read. */
const UNCROWDED_MS = 250;
/** That turn may take longer than that on a machine that has no time for us: whoever came in it stays so long at least. */
const TURN_MS = 50;

/** What a handshake makes: a connection, or what lives on one. */
export interface Closeable {
  /** Drops it at once. */
  close(): void;
}

/** What {@link HandshakeListener} makes connections of. */
export interface HandshakeSource<Raw, Made extends Closeable = Connection> {
  /** Where it listens. */
  readonly address: Address;
  /** What arrives before its handshake. */
  readonly arrivals: AsyncIterable<Raw>;
  /** Makes a connection of an arrival; if it fails or the signal aborts, it lets go of the arrival and rejects. */
  handshake(arrival: Raw, signal: AbortSignal): Promise<Made>;
  /** Ends the arrivals; called once. */
  close(): void;
}

/**
 * Accepts connections that start with a handshake, several at a time, so that a slow one holds up nobody.
 *
 * A handshake may take 10 s unless another limit is given; of 256 at once the oldest gives way to a new one, but not in its first
 * 250 ms: until then the new one waits to be accepted.
 * 128 connections wait to be taken by the iteration; further ones wait as a part of their handshake.
 */
export class HandshakeListener<Raw, Made extends Closeable = Connection>
  implements AsyncIterable<Made>, AsyncDisposable {
  readonly #source: HandshakeSource<Raw, Made>;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  /** Those that have not been told to give way, with the times they began, the oldest first. */
  readonly #handshakes = new Map<AbortController, number>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #queue = new BoundedQueue<Made>({
    capacity: BACKLOG_CONNECTIONS,
  });
  readonly #accepting: Promise<void>;
  #onRoom: () => void = () => {};
  /** When accepting last waited. */
  #waitedMs = -Infinity;
  #isClosed = false;
  #refused = 0;

  /** Takes over `source`, and accepts at once; `clock` times the handshakes, each of which may take `timeoutMs`. */
  constructor(
    source: HandshakeSource<Raw, Made>,
    clock: Clock = systemClock,
    timeoutMs: number = HANDSHAKE_MS,
  ) {
    this.#source = source;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#accepting = this.#acceptAll();
  }

  /** Where it listens. */
  get address(): Address {
    return this.#source.address;
  }

  /** Number of arrivals that became no connection: malformed, broken, too slow or crowded out. */
  get refused(): number {
    return this.#refused;
  }

  /** Gives connections until closed. */
  [Symbol.asyncIterator](): AsyncIterator<Made> {
    return this.#queue[Symbol.asyncIterator]();
  }

  /** Stops accepting, and drops unfinished handshakes and the connections that nobody took. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#source.close();
    for (const controller of this.#handshakes.keys()) controller.abort();
    for (const connection of this.#queue.drain()) connection.close();
    this.#queue.close();
  }

  /** Closes, and waits until every handshake has let go. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#accepting;
    await Promise.all(this.#tasks);
  }

  async #acceptAll(): Promise<void> {
    for await (const arrival of this.#source.arrivals) {
      await this.#makeRoom();
      const controller = new AbortController();
      if (this.#isClosed) controller.abort();
      this.#handshakes.set(controller, this.#clock.now());
      const task = this.#accept(arrival, controller.signal).finally(() => {
        this.#handshakes.delete(controller);
        this.#tasks.delete(task);
        this.#onRoom();
      });
      this.#tasks.add(task);
    }
  }

  async #makeRoom(): Promise<void> {
    const isFull = () => this.#handshakes.size >= MAX_HANDSHAKES;
    if (!isFull()) return;
    const [oldest, sinceMs] = this.#handshakes.entries().next().value!;
    const leftMs = Math.max(
      sinceMs + UNCROWDED_MS - this.#clock.now(),
      sinceMs >= this.#waitedMs ? TURN_MS : 0,
    );
    if (leftMs > 0) await this.#room(leftMs);
    if (!isFull()) return;
    this.#handshakes.delete(oldest);
    oldest.abort();
  }

  /** Waits until a handshake has ended, for `ms` at most. */
  async #room(ms: number): Promise<void> {
    const ended = new AbortController();
    this.#onRoom = () => ended.abort();
    await delay(this.#clock, ms, { signal: ended.signal }).catch(() => {});
    this.#onRoom = () => {};
    this.#waitedMs = this.#clock.now();
  }

  async #accept(arrival: Raw, crowdedOut: AbortSignal): Promise<void> {
    using deadline = new Deadline(this.#clock, this.#timeoutMs, {
      signal: crowdedOut,
    });
    const { signal } = deadline;
    try {
      const connection = await this.#source.handshake(arrival, signal);
      try {
        await this.#queue.push(connection, { signal });
      } catch (error) {
        connection.close();
        throw error;
      }
    } catch {
      this.#refused++;
    }
  }
}
