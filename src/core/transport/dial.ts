import type {
  Address,
  Connection,
  DialOptions,
  Listener,
  Transport,
} from "./connection.ts";
import { quic, type QuicDialOptions, type QuicListenOptions } from "./quic.ts";
import { tcp } from "./tcp.ts";
import { ws } from "./websocket.ts";

/** Options of {@link dial} and {@link listen}. */
export interface TransportOptions {
  /** For `quic:` addresses; listening needs a certificate. */
  readonly quic?: QuicDialOptions & Partial<QuicListenOptions>;
}

/**
 * Connects to a `tcp:`, `ws:` or `quic:` address.
 *
 * @throws {TransportError} `unreachable` if nobody answers.
 * @throws {TypeError} If the address has another scheme or form.
 * @throws The reason of the signal.
 */
export async function dial(
  address: Address,
  options: TransportOptions & DialOptions = {},
): Promise<Connection> {
  return await transportOf(address, options).dial(address, options);
}

/**
 * Listens at a `tcp:`, `ws:` or `quic:` address; port 0 lets the system choose.
 *
 * @throws {TransportError} `in_use` if the address is taken.
 * @throws {TypeError} If the address has another scheme or form, or QUIC has no certificate.
 */
export async function listen(
  address: Address,
  options: TransportOptions = {},
): Promise<Listener> {
  return await transportOf(address, options).listen(address);
}

function transportOf(address: Address, options: TransportOptions): Transport {
  const scheme = address.split(":", 1)[0]!;
  const transports = [tcp, ws, quic(options.quic)];
  const found = transports.find((transport) => transport.scheme === scheme);
  if (!found) {
    throw new TypeError(`Want a tcp:, ws: or quic: address: got "${address}"`);
  }
  return found;
}
