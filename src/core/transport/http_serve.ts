import { formatAddress } from "./address.ts";
import type { Address } from "./connection.ts";
import { TransportError } from "./error.ts";

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
}

/** An HTTP server that is listening. */
export interface HttpServer extends AsyncDisposable {
  /** Where, such as `http://127.0.0.1:8080`, with the port the system chose. */
  readonly address: Address;
  /** Resolves when it has stopped and every request is answered; never rejects. */
  readonly closed: Promise<void>;
  /** Takes no more requests and answers those it has; may be called again. */
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
  { hostname, port, signal }: ServeHttpOptions,
): HttpServer {
  signal?.throwIfAborted();
  const server = listen(handler, { hostname, port });
  const { hostname: host, port: chosen } = server.addr;
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= server.shutdown();
  };
  signal?.addEventListener("abort", close, { once: true });
  const closed = server.finished
    .finally(() => signal?.removeEventListener("abort", close));
  return {
    address: formatAddress({ scheme: "http", hostname: host, port: chosen }),
    closed,
    close,
    [Symbol.asyncDispose]() {
      close();
      return closed;
    },
  };
}

function listen(
  handler: HttpHandler,
  { hostname, port }: Pick<ServeHttpOptions, "hostname" | "port">,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({
      hostname,
      port,
      onListen() {},
      onError: () => new Response("Internal server error\n", { status: 500 }),
    }, (request) => handler(request));
  } catch (cause) {
    const code = cause instanceof Deno.errors.AddrInUse
      ? "in_use"
      : "unreachable";
    const address = formatAddress({ scheme: "http", hostname, port });
    throw new TransportError(code, `Cannot listen at ${address}`, { cause });
  }
}
