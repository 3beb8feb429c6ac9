import {
  type HttpHandler,
  type HttpServer,
  serveHttp,
} from "../core/transport/mod.ts";

/** Options of {@link serveStatus}. */
export interface ServeStatusOptions {
  /** Where to listen; `127.0.0.1` by default. */
  readonly hostname?: string;
  /** The port; 0 lets the system choose. */
  readonly port: number;
  /** Also listens where other machines can reach it, who may then read everything; not by default. */
  readonly allowRemote?: boolean;
  /** Closes the server. */
  readonly signal?: AbortSignal;
}

/**
 * Serves a role's status, the handler that `statusApp` gives, on a port of its own.
 *
 * @throws {RangeError} If `hostname` is neither `localhost` nor in 127.0.0.0/8 nor `::1`, without `allowRemote`.
 * @throws {TransportError} `in_use` if the address is taken.
 */
export function serveStatus(
  handler: HttpHandler,
  { hostname = "127.0.0.1", port, allowRemote = false, signal }:
    ServeStatusOptions,
): HttpServer {
  if (!allowRemote && !LOOPBACK_REGEXP.test(hostname)) {
    throw new RangeError(
      `Status must be served on a loopback address, got "${hostname}"`,
    );
  }
  return serveHttp(handler, {
    hostname,
    port,
    ...(signal && { signal }),
  });
}

const LOOPBACK_REGEXP = /^(?:localhost|127(?:\.[0-9]{1,3}){3}|::1)$/;
