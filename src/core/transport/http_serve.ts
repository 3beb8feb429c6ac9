import { type Clock, systemClock } from "../async/mod.ts";
import { formatAddress } from "./address.ts";
import type { Address } from "./connection.ts";
import { TransportError } from "./error.ts";

/** How long in milliseconds a closing {@link HttpServer} waits for requests that are being answered. */
export const HTTP_DRAIN_MS = 5_000;

/** Answers one HTTP request; a throw is answered with status 500. */
export type HttpHandler = (request: Request) => Response | Promise<Response>;

/** Options of {@link serveHttp}. */
export interface ServeHttpOptions {
  /** The interface to listen at, a host name or an IP address. */
  readonly hostname: string;
  /** The port; 0 lets the system choose. */
  readonly port: number;
  /** Closes the server. */
  readonly signal?: AbortSignal;
  /** Times {@link HTTP_DRAIN_MS}; the machine's clock if not given. */
  readonly clock?: Clock;
}

/** An HTTP server that is listening. */
export interface HttpServer extends AsyncDisposable {
  /** Where, such as `http://127.0.0.1:8080`, with the port the system chose. */
  readonly address: Address;
  /** Resolves when it has stopped and every connection is gone; never rejects. */
  readonly closed: Promise<void>;
  /** Takes no more requests, gives those it has {@link HTTP_DRAIN_MS} and drops all connections; may be called again. */
  close(): void;
}

/**
 * Serves HTTP/1.1 and HTTP/2 without TLS.
 *
 * @throws {TransportError} `in_use` if the address is taken, `unreachable` if it is not ours.
 * @throws The reason of the signal.
 */
export function serveHttp(
  handler: HttpHandler,
  { hostname, port, signal, clock = systemClock }: ServeHttpOptions,
): HttpServer {
  signal?.throwIfAborted();
  const stop = new AbortController();
  let running = 0;
  let cancelStop: (() => void) | undefined;

  const server = listen(
    { hostname, port, signal: stop.signal },
    (request, info) => {
      if (cancelStop) return new Response(null, { status: 503 });
      running++;
      info.completed.catch(() => {}).finally(() => {
        if (--running === 0 && cancelStop) stop.abort();
      });
      return handler(request);
    },
  );
  const close = () => {
    if (cancelStop) return;
    cancelStop = clock.setTimeout(() => stop.abort(), HTTP_DRAIN_MS);
    if (running === 0) stop.abort();
  };
  signal?.addEventListener("abort", close, { once: true });
  const closed = server.finished.finally(() => {
    cancelStop?.();
    signal?.removeEventListener("abort", close);
  });
  return {
    address: formatAddress({ ...server.addr, scheme: "http" }),
    closed,
    close,
    [Symbol.asyncDispose]() {
      close();
      return closed;
    },
  };
}

function listen(
  options: Deno.ServeTcpOptions & {
    readonly hostname: string;
    readonly port: number;
  },
  handler: Deno.ServeHandler<Deno.NetAddr>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({
      ...options,
      onListen() {},
      onError: () => new Response("Internal server error\n", { status: 500 }),
    }, handler);
  } catch (cause) {
    const code = cause instanceof Deno.errors.AddrInUse
      ? "in_use"
      : "unreachable";
    const address = formatAddress({ ...options, scheme: "http" });
    throw new TransportError(code, `Cannot listen at ${address}`, { cause });
  }
}
