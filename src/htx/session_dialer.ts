import {
  Backoff,
  type Clock,
  orAbort,
  systemClock,
} from "../core/async/mod.ts";
import { Reader } from "../core/bytes/mod.ts";
import { defaultProvider } from "../core/crypto/mod.ts";
import { HtxError } from "./error.ts";
import type { CloseOptions, Session } from "./session.ts";
import type { Stream } from "./stream.ts";
import { addStats, emptyTotals, type SessionTotals } from "./totals.ts";

/** Options of {@link SessionDialer}. */
export interface SessionDialerOptions {
  /** Upper bound of the pause after the first failure, in milliseconds. Default 250. */
  readonly minPauseMs?: number;
  /** Upper bound of every pause, in milliseconds. Default 15,000. */
  readonly maxPauseMs?: number;
  /** Uniform in [0, 1). Default: from the system's generator. */
  readonly random?: () => number;
  /** Times the pauses. Default: the machine's clock. */
  readonly clock?: Clock;
}

/** How often a {@link SessionDialer} dialled. */
export interface SessionDialerCounts {
  /** Sessions that stood. */
  readonly established: number;
  /** Attempts that failed. */
  readonly failed: number;
}

/**
 * Opens streams on one session, which it dials when the first stream is wanted and again after it has ended.
 *
 * A failed attempt fails all who wait for it; the next one waits for a pause that grows up to `maxPauseMs`.
 */
export class SessionDialer implements AsyncDisposable {
  readonly #dial: (signal: AbortSignal) => Promise<Session>;
  readonly #backoff: Backoff;
  readonly #closing = new AbortController();
  readonly #ended = emptyTotals();
  #pause: Promise<void> = Promise.resolve();
  #dialling: Promise<Session> | undefined;
  #session: Session | undefined;
  #established = 0;
  #failed = 0;

  /** Dials by `dial`, not before a stream is wanted. */
  constructor(
    dial: (signal: AbortSignal) => Promise<Session>,
    options: SessionDialerOptions = {},
  ) {
    const { minPauseMs = 250, maxPauseMs = 15_000 } = options;
    const { random = uniform, clock = systemClock } = options;
    this.#dial = dial;
    this.#backoff = new Backoff({
      minMs: minPauseMs,
      maxMs: maxPauseMs,
      random,
      clock,
    });
  }

  /** The session that stands now. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** How often it dialled. */
  get counts(): SessionDialerCounts {
    return { established: this.#established, failed: this.#failed };
  }

  /** What all sessions did, those that have ended included. */
  get totals(): SessionTotals {
    const totals = { ...this.#ended };
    if (this.#session) addStats(totals, this.#session.stats);
    return totals;
  }

  /**
   * Opens a stream, dialling first if no session stands.
   *
   * @throws What dialling throws, {@link HtxError} `closed` after {@link close}, or the reason of the signal.
   */
  async open(
    options: { weight?: number; signal?: AbortSignal } = {},
  ): Promise<Stream> {
    const session = await this.connect(options.signal);
    try {
      return await session.open(options);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof HtxError && error.code === "closed")) throw error;
      const next = await this.connect(options.signal);
      if (next === session) throw error;
      return await next.open(options);
    }
  }

  /**
   * The session that stands, dialling first if none does.
   *
   * @throws As {@link open}.
   */
  async connect(signal?: AbortSignal): Promise<Session> {
    signal?.throwIfAborted();
    if (this.#closing.signal.aborted) throw closed();
    if (this.#session?.isOpen) return this.#session;
    const dialling = this.#dialling ??= this.#attempt();
    return await orAbort(dialling, signal);
  }

  /** Gives up dialling and closes the session as {@link Session.close} does. */
  async close(options: CloseOptions = {}): Promise<void> {
    this.#closing.abort(closed());
    await Promise.allSettled([this.#dialling, this.#session?.close(options)]);
  }

  /** As {@link close} without options. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #attempt(): Promise<Session> {
    try {
      await this.#pause;
      const session = await this.#dial(this.#closing.signal);
      if (this.#closing.signal.aborted) {
        await session.close();
        throw closed();
      }
      this.#session = session;
      this.#established++;
      this.#backoff.reset();
      this.#pause = Promise.resolve();
      void session.closed.then(() => this.#forget(session));
      return session;
    } catch (error) {
      this.#failed++;
      this.#pause = this.#backoff.wait({ signal: this.#closing.signal });
      this.#pause.catch(() => {});
      throw error;
    } finally {
      this.#dialling = undefined;
    }
  }

  #forget(session: Session): void {
    addStats(this.#ended, session.stats);
    if (this.#session === session) this.#session = undefined;
  }
}

function closed(): HtxError {
  return new HtxError("closed", "Dialer is closed");
}

function uniform(): number {
  const bytes = defaultProvider().random(4);
  return new Reader(bytes, "random number").u32() / 2 ** 32;
}
