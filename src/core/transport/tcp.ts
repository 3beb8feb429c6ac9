import { type Clock, delay, systemClock } from "../async/mod.ts";
import { formatAddress, parseAddress } from "./address.ts";
import { ByteConnection } from "./byte_connection.ts";
import type {
  Address,
  Connection,
  DialOptions,
  Listener,
  Transport,
} from "./connection.ts";
import { TransportError } from "./error.ts";

const ACCEPT_PAUSE_MS = 50;

/** TCP with Nagle's algorithm off: `tcp://host:port`. */
export const tcp: Transport = {
  scheme: "tcp",
  dial: dialTcp,
  listen: (address) => Promise.resolve().then(() => listenTcp(address)),
};

/**
 * Connects to `tcp://host:port`.
 *
 * @throws {TransportError} `unreachable` if the name does not resolve or nobody answers.
 * @throws The reason of the signal.
 */
export async function dialTcp(
  address: Address,
  { signal }: DialOptions = {},
): Promise<Connection> {
  const { hostname, port } = parseAddress(address);
  signal?.throwIfAborted();
  try {
    const conn = await Deno.connect({
      hostname,
      port,
      ...(signal && { signal }),
    });
    return new TcpConnection(conn);
  } catch (cause) {
    signal?.throwIfAborted();
    throw new TransportError("unreachable", `Cannot reach ${address}`, {
      cause,
    });
  }
}

/**
 * Listens at `tcp://host:port`.
 *
 * @throws {TransportError} `in_use` if the address is taken, `unreachable` if it is not ours.
 */
export function listenTcp(
  address: Address,
  options: TcpListenerOptions = {},
): TcpListener {
  const { hostname, port } = parseAddress(address);
  try {
    return new TcpListener(Deno.listen({ hostname, port }), options);
  } catch (cause) {
    const code = cause instanceof Deno.errors.AddrInUse
      ? "in_use"
      : "unreachable";
    throw new TransportError(code, `Cannot listen at ${address}`, { cause });
  }
}

/** Options of {@link TcpListener}. */
export interface TcpListenerOptions {
  /** Times the pause after a failed accept; the machine's clock if not given. */
  readonly clock?: Clock;
}

/**
 * Accepts TCP connections.
 *
 * A failed accept, such as one for want of file descriptors, is counted and tried again after 50 ms.
 */
export class TcpListener implements Listener {
  readonly #listener: Deno.TcpListener;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #acceptErrors = 0;

  /** Takes over `listener`. */
  constructor(
    listener: Deno.TcpListener,
    { clock = systemClock }: TcpListenerOptions = {},
  ) {
    this.#listener = listener;
    this.#clock = clock;
  }

  /** Where it listens. */
  get address(): Address {
    return tcpAddress(this.#listener.addr);
  }

  /** Number of accepts that failed. */
  get acceptErrors(): number {
    return this.#acceptErrors;
  }

  /** Accepts until closed. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Connection> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        yield new TcpConnection(await this.#listener.accept());
      } catch {
        if (signal.aborted) return;
        this.#acceptErrors++;
        await delay(this.#clock, ACCEPT_PAUSE_MS, { signal }).catch(() => {});
      }
    }
  }

  /** Stops accepting. */
  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#listener.close();
  }

  /** As {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}

class TcpConnection extends ByteConnection {
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly #conn: Deno.TcpConn;

  constructor(conn: Deno.TcpConn) {
    super();
    this.#conn = conn;
    this.localAddress = tcpAddress(conn.localAddr);
    this.remoteAddress = tcpAddress(conn.remoteAddr);
    conn.setNoDelay(true);
  }

  protected receive(buffer: Uint8Array): Promise<number | null> {
    return this.#conn.read(buffer);
  }

  protected async send(bytes: Uint8Array): Promise<void> {
    let written = await this.#conn.write(bytes);
    while (written < bytes.length) {
      written += await this.#conn.write(bytes.subarray(written));
    }
  }

  protected sendEnd(): Promise<void> {
    return this.#conn.closeWrite();
  }

  protected drop(): void {
    this.#conn.close();
  }
}

function tcpAddress(addr: Deno.NetAddr): Address {
  return formatAddress({ scheme: "tcp", ...addr });
}
