import { type Clock, systemClock } from "../core/async/mod.ts";
import {
  type Address,
  type Connection,
  HandshakeListener,
  type Listener,
  TransportError,
} from "../core/transport/mod.ts";
import { TlsConnection } from "./connection.ts";
import { TlsError } from "./error.ts";
import { FirstFlight } from "./first_flight.ts";
import { completeHandshake } from "./handshake.ts";
import { serverOptionsOf, type ServeTlsOptions } from "./serve_options.ts";
import { TlsServer } from "./server.ts";
import type { TlsServerOptions } from "./server_options.ts";

/** Why a connection became no {@link TlsConnection}. */
export type TlsRefusal =
  | "unserved" // its first flight was no hello of TLS 1.3 that we can serve
  | "failed" // the client broke the handshake after our answer, or was not trusted
  | "ended" // the client left
  | "internal" // a fault of ours: a key that does not sign, a ticket that cannot be made
  | "timeout" // the handshake took too long
  | "crowdedOut"; // it gave way to newer ones, or the listener was closed

/** Options of {@link listenTls}. */
export interface ListenTlsOptions extends ServeTlsOptions {
  /**
   * Takes over a connection whose first flight we cannot serve, or that has sent none in time: we have sent nothing, and
   * `received` is all that has come. 512 at most at once: the oldest gives way, its connection closed. It closes the
   * connection at its end.
   *
   * If not given, the client gets an alert if its first bytes are those of a record of TLS, and the connection is closed.
   */
  readonly fallback?: (
    connection: Connection,
    received: Uint8Array,
  ) => Promise<void>;
  /** Told of faults of ours, which clients see as `internal_error`, and of what `fallback` rejects with. */
  readonly onFault?: (error: unknown) => void;
  /** Limit of a handshake in milliseconds, default 10 s. */
  readonly handshakeTimeoutMs?: number;
}

const HANDSHAKE_MS = 10_000;
const MAX_FALLBACKS = 512;

/**
 * Speaks TLS 1.3 with those who connect to `listener`, which it takes over.
 *
 * If no suites are preferred, those that are fastest here are.
 *
 * @throws {RangeError} If there is no certificate.
 * @throws {TypeError} If one of `clientCertificates` and `verifyClient` is given alone.
 */
export function listenTls(
  listener: Listener,
  options: ListenTlsOptions,
): TlsListener {
  return new TlsListener(listener, options);
}

/** Accepts TLS connections; 256 handshakes at once, 128 connections wait to be taken. */
export class TlsListener implements Listener {
  readonly #transport: Listener;
  readonly #options: ListenTlsOptions;
  readonly #server: TlsServerOptions;
  readonly #clock: Clock;
  readonly #listener: HandshakeListener<Connection, TlsConnection>;
  /** The oldest first. */
  readonly #fallbacks = new Set<Connection>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #refused: Record<TlsRefusal, number> = {
    unserved: 0,
    failed: 0,
    ended: 0,
    internal: 0,
    timeout: 0,
    crowdedOut: 0,
  };
  #fallbacksDropped = 0;
  #fallbacksFailed = 0;

  /**
   * Takes over `listener`, and accepts at once.
   *
   * @throws {RangeError} If there is no certificate.
   * @throws {TypeError} If one of `clientCertificates` and `verifyClient` is given alone.
   */
  constructor(listener: Listener, options: ListenTlsOptions) {
    this.#transport = listener;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#server = serverOptionsOf(options);
    this.#listener = new HandshakeListener(
      {
        address: listener.address,
        arrivals: listener,
        handshake: (arrival, signal) => this.#handshake(arrival, signal),
        close: () => listener.close(),
      },
      this.#clock,
      options.handshakeTimeoutMs ?? HANDSHAKE_MS,
    );
  }

  /** Where it listens. */
  get address(): Address {
    return this.#transport.address;
  }

  /** How many arrivals became no connection, by reason; those handed to the fallback are among them. */
  get refused(): Readonly<Record<TlsRefusal, number>> {
    return { ...this.#refused };
  }

  /** Number of connections that the fallback has now. */
  get fallbacks(): number {
    return this.#fallbacks.size;
  }

  /** Number of connections that were closed for newer ones because 512 were with the fallback. */
  get fallbacksDropped(): number {
    return this.#fallbacksDropped;
  }

  /** Number of connections for which the fallback has rejected. */
  get fallbacksFailed(): number {
    return this.#fallbacksFailed;
  }

  /** Gives connections until closed. */
  [Symbol.asyncIterator](): AsyncIterator<TlsConnection> {
    return this.#listener[Symbol.asyncIterator]();
  }

  /** Stops accepting, and drops unfinished handshakes and the connections that nobody took. */
  close(): void {
    this.#listener.close();
  }

  /** Closes, also the connections of the fallback, and waits until all have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener[Symbol.asyncDispose]();
    await this.#transport[Symbol.asyncDispose]();
    for (const connection of this.#fallbacks) connection.close();
    await Promise.all(this.#tasks);
  }

  async #handshake(
    transport: Connection,
    signal: AbortSignal,
  ): Promise<TlsConnection> {
    const server = new TlsServer(this.#server);
    const flight = new FirstFlight(transport);
    try {
      await flight.answer(server, signal);
    } catch (error) {
      this.#refuse(error, "unserved");
      await this.#giveUp(flight, server, mayFallBack(error));
      throw error;
    }
    try {
      const judge = this.#options.verifyClient ?? (() => Promise.resolve());
      await completeHandshake(transport, server, { judge, signal });
    } catch (error) {
      this.#refuse(error, "failed");
      throw error;
    }
    const { takesTruncation = false } = this.#options;
    return new TlsConnection(transport, server, {
      clock: this.#clock,
      takesTruncation,
    });
  }

  async #giveUp(
    flight: FirstFlight,
    server: TlsServer,
    mayFallBack: boolean,
  ): Promise<void> {
    const farewell = server.takeOutput();
    server[Symbol.dispose]();
    const { fallback } = this.#options;
    if (fallback && mayFallBack) return this.#fallBack(flight, fallback);
    try {
      if (flight.isTls) await flight.write(farewell);
    } catch { // the client is gone: it needs no alert
    } finally {
      flight.close();
    }
  }

  #fallBack(
    flight: FirstFlight,
    fallback: NonNullable<ListenTlsOptions["fallback"]>,
  ): void {
    const [oldest] = this.#fallbacks;
    if (oldest && this.#fallbacks.size >= MAX_FALLBACKS) {
      this.#fallbacksDropped++;
      this.#fallbacks.delete(oldest);
      oldest.close();
    }
    this.#fallbacks.add(flight);
    const task = Promise.try(() => fallback(flight, flight.received))
      .catch((error) => {
        this.#fallbacksFailed++;
        this.#tell(error);
      })
      .finally(() => {
        flight.close();
        this.#fallbacks.delete(flight);
        this.#tasks.delete(task);
      });
    this.#tasks.add(task);
  }

  #refuse(error: unknown, otherwise: TlsRefusal): void {
    const reason = refusalOf(error, otherwise);
    this.#refused[reason]++;
    if (reason !== "internal") return;
    this.#tell(error instanceof TlsError ? error.cause : error);
  }

  /** What `onFault` throws is nobody's to catch, and must not end what goes on here. */
  #tell(error: unknown): void {
    const { onFault } = this.#options;
    if (onFault) queueMicrotask(() => onFault(error));
  }
}

/** Whether there is somebody to answer still, and nothing wrong with us. */
function mayFallBack(error: unknown): boolean {
  const reason = refusalOf(error, "unserved");
  return !(error instanceof TransportError) && reason !== "crowdedOut" &&
    reason !== "internal";
}

function refusalOf(error: unknown, otherwise: TlsRefusal): TlsRefusal {
  if (error instanceof DOMException) {
    return error.name === "TimeoutError" ? "timeout" : "crowdedOut";
  }
  if (error instanceof TransportError) return "ended";
  if (!(error instanceof TlsError)) return "internal";
  if (error.code !== "sent_alert") return "ended";
  return error.alert === "internalError" ? "internal" : otherwise;
}
