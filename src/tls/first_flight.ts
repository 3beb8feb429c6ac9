import { type Bytes, Writer } from "../core/bytes/mod.ts";
import {
  type Address,
  ByteConnection,
  type Connection,
} from "../core/transport/mod.ts";
import { fatal } from "./error.ts";
import type { TlsServer } from "./server.ts";

const READ_BYTES = 1 << 14;
const MAX_FIRST_FLIGHT_BYTES = 1 << 17;

/**
 * A connection that a server has not answered yet: what has come is kept, and a wait for more can be given up, so that
 * whoever goes on with the connection misses nothing.
 */
export class FirstFlight extends ByteConnection {
  /** Our end. */
  readonly localAddress: Address;
  /** The peer's end. */
  readonly remoteAddress: Address;
  readonly #transport: Connection;
  readonly #received = new Writer(); // one array, however small the pieces that come
  #hasEnded = false;
  /** Reads into `#buffer`; stays where a wait was given up. */
  #pending: Promise<number | null> | undefined;
  readonly #buffer = new Uint8Array(READ_BYTES);
  /** What came in a wait that was given up, as far as nobody has read it. */
  #unread: Uint8Array = new Uint8Array(0);

  /** Takes over `transport` until {@link answer} resolves. */
  constructor(transport: Connection) {
    super();
    this.#transport = transport;
    this.localAddress = transport.localAddress;
    this.remoteAddress = transport.remoteAddress;
  }

  /** All that has come so far, at most 128 KiB and one read. */
  get received(): Bytes {
    return this.#received.finish();
  }

  /**
   * Feeds `server` until it has an answer, which stays in its output; the transport is free again then.
   *
   * @throws {TlsError} If it has none: an alert may be in the output; also if the client ends, or sends more than 128 KiB.
   * @throws {TransportError} If the connection breaks.
   * @throws The reason of `signal`.
   */
  async answer(server: TlsServer, signal: AbortSignal): Promise<void> {
    while (!server.hasOutput) {
      this.#pending ??= this.#transport.read(this.#buffer);
      this.#pending.catch(() => {}); // it may break when nobody waits any more
      const length = await orAbort(this.#pending, signal);
      this.#pending = undefined;
      if (length === null) {
        this.#hasEnded = true;
        return server.receiveEnd();
      }
      const bytes = this.#buffer.subarray(0, length);
      this.#received.put(bytes);
      server.receive(bytes);
      if (
        this.#received.length > MAX_FIRST_FLIGHT_BYTES && !server.hasOutput
      ) {
        throw fatal("recordOverflow", "No hello in 128 KiB");
      }
    }
  }

  /** What comes behind {@link received}. */
  protected override async receive(buffer: Uint8Array): Promise<number | null> {
    if (this.#pending) {
      const length = await this.#pending;
      this.#pending = undefined;
      if (length === null) this.#hasEnded = true;
      else this.#unread = this.#buffer.subarray(0, length);
    }
    if (this.#hasEnded) return null;
    if (this.#unread.length === 0) return await this.#transport.read(buffer);
    const part = this.#unread.subarray(0, buffer.length);
    buffer.set(part);
    this.#unread = this.#unread.subarray(part.length);
    return part.length;
  }

  protected override send(bytes: Uint8Array): Promise<void> {
    return this.#transport.write(bytes);
  }

  protected override sendEnd(): Promise<void> {
    return this.#transport.closeWrite();
  }

  protected override async drop(): Promise<void> {
    this.#transport.close();
    await this.#transport.closed;
  }
}

/** Settles as `promise`, which goes on if the signal aborts first. */
function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() =>
      signal.removeEventListener("abort", onAbort)
    );
  });
}
