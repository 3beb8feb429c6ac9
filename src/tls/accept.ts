import { Deadline, systemClock } from "../core/async/mod.ts";
import type { Connection } from "../core/transport/mod.ts";
import { TlsConnection } from "./connection.ts";
import { completeHandshake } from "./handshake.ts";
import { serverOptionsOf, type ServeTlsOptions } from "./serve_options.ts";
import { TlsServer } from "./server.ts";

/** Options of {@link acceptTls}. */
export interface AcceptTlsOptions extends ServeTlsOptions {
  /** Limit of the handshake in milliseconds, default 10 s. */
  readonly timeoutMs?: number;
  /** Cancels the handshake; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
}

const TIMEOUT_MS = 10_000;

/**
 * Serves TLS 1.3 on one connection, which it takes over, as protocols need that begin without TLS and change to it.
 *
 * @throws {TlsError} If the client breaks the protocol, sends an alert, or is not trusted.
 * @throws {TransportError} If the connection breaks.
 * @throws {RangeError} If there is no certificate.
 * @throws {TypeError} If one of `clientCertificates` and `verifyClient` is given alone.
 * @throws The reason of the signal, or a `TimeoutError`.
 */
export async function acceptTls(
  transport: Connection,
  options: AcceptTlsOptions,
): Promise<TlsConnection> {
  const { clock = systemClock, timeoutMs = TIMEOUT_MS } = options;
  const { takesTruncation = false, signal } = options;
  const server = new TlsServer(serverOptionsOf(options));
  using deadline = new Deadline(clock, timeoutMs, { signal });
  await completeHandshake(transport, server, {
    judge: options.verifyClient ?? (() => Promise.resolve()),
    signal: deadline.signal,
  });
  return new TlsConnection(transport, server, { clock, takesTruncation });
}
