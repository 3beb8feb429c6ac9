import type { Bytes } from "../bytes/mod.ts";
import { formatAddress, parseAddress } from "./address.ts";
import type { Address } from "./connection.ts";
import { TransportError } from "./error.ts";

/** Largest message of UDP over IPv4, in bytes. */
export const MAX_DATAGRAM_BYTES = 65_507;

/** A datagram that came. */
export interface Datagram {
  /** What it holds. */
  readonly message: Bytes;
  /** Who says that it sent it: nobody has proved it. */
  readonly from: Address;
}

/** Sends and takes datagrams at one address, without connections. */
export interface DatagramSocket extends AsyncDisposable {
  /** Where it is, `udp://host:port`, with the port the system chose. */
  readonly address: Address;
  /**
   * Sends one message, which may be lost.
   *
   * @throws {RangeError} If it is longer than {@link MAX_DATAGRAM_BYTES}.
   * @throws {TransportError} `unreachable` if the system cannot send it, `closed` after {@link close}.
   */
  send(message: Uint8Array, to: Address): Promise<void>;
  /** The next datagram, or `null` once the socket is closed. One at a time. */
  receive(): Promise<Datagram | null>;
  /** Lets go of the address; a pending {@link receive} gives `null`. May be called again. */
  close(): void;
}

/**
 * Opens a socket at `udp://host:port`; port 0 lets the system choose.
 *
 * @throws {TransportError} `in_use` if the address is taken, `unreachable` if it is not ours.
 */
export function bindUdp(address: Address): DatagramSocket {
  const { scheme, hostname, port } = parseAddress(address);
  if (scheme !== "udp") {
    throw new TypeError(`Want udp://host:port: got "${address}"`);
  }
  try {
    return new UdpSocket(
      Deno.listenDatagram({ transport: "udp", hostname, port }),
    );
  } catch (cause) {
    const code = cause instanceof Deno.errors.AddrInUse
      ? "in_use"
      : "unreachable";
    throw new TransportError(code, `Cannot bind ${address}`, { cause });
  }
}

class UdpSocket implements DatagramSocket {
  readonly address: Address;
  readonly #conn: Deno.DatagramConn;
  readonly #buffer = new Uint8Array(65_536);
  #isClosed = false;

  constructor(conn: Deno.DatagramConn) {
    this.#conn = conn;
    this.address = udpAddress(conn.addr);
  }

  async send(message: Uint8Array, to: Address): Promise<void> {
    if (message.length > MAX_DATAGRAM_BYTES) {
      throw new RangeError(
        `A datagram holds ${MAX_DATAGRAM_BYTES} bytes: got ${message.length}`,
      );
    }
    const { hostname, port } = parseAddress(to);
    try {
      await this.#conn.send(message, { transport: "udp", hostname, port });
    } catch (cause) {
      if (this.#isClosed) {
        throw new TransportError("closed", "The socket is closed");
      }
      throw new TransportError("unreachable", `Cannot send to ${to}`, {
        cause,
      });
    }
  }

  async receive(): Promise<Datagram | null> {
    for (;;) {
      try {
        const [message, addr] = await this.#conn.receive(this.#buffer);
        return { message: message.slice(), from: udpAddress(addr) };
      } catch (error) {
        if (this.#isClosed) return null;
        // An earlier message that nobody took, as ICMP told the system.
        if (error instanceof Deno.errors.ConnectionRefused) continue;
        if (error instanceof Deno.errors.ConnectionReset) continue;
        throw error;
      }
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#conn.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}

function udpAddress(addr: Deno.Addr): Address {
  return formatAddress({ scheme: "udp", ...addr as Deno.NetAddr });
}
