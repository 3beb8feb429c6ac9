import { orAbort } from "../core/async/mod.ts";
import type { Bytes } from "../core/bytes/mod.ts";
import {
  type Address,
  ByteConnection,
  type Connection,
} from "../core/transport/mod.ts";
import { fatal } from "./error.ts";
import { CONTENT_TYPE } from "./record.ts";
import type { TlsServer } from "./server.ts";

const FIRST_READ_BYTES = 4_096;
const MAX_FIRST_FLIGHT_BYTES = 1 << 17;
const TLS_MAJOR_VERSION = 3;

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
  #buffer = new Uint8Array(FIRST_READ_BYTES);
  /** How much of the buffer {@link answer} has taken. */
  #length = 0;
  /** Reads into the rest of the buffer; stays where a wait was given up. */
  #pending: Promise<number | null> | undefined;
  /** What came in a wait that was given up, as far as nobody has read it. */
  #unread: Uint8Array = new Uint8Array(0);
  #hasEnded = false;

  /** Takes over `transport` until {@link answer} resolves. */
  constructor(transport: Connection) {
    super();
    this.#transport = transport;
    this.localAddress = transport.localAddress;
    this.remoteAddress = transport.remoteAddress;
  }

  /** All that has come so far, at most 128 KiB. */
  get received(): Bytes {
    return this.#buffer.slice(0, this.#length);
  }

  /** Whether the first two bytes are those of a record of TLS; OpenSSL answers nothing else, not even with an alert. */
  get isTls(): boolean {
    const [type, major] = this.#buffer;
    return this.#length > 1 && type! >= CONTENT_TYPE.changeCipherSpec &&
      type! <= CONTENT_TYPE.applicationData && major === TLS_MAJOR_VERSION;
  }

  /** Whether a hello may come of what is there; nginx takes an alert in its place for a request without TLS. */
  get #mayBecomeHello(): boolean {
    const [type] = this.#buffer;
    if (type === CONTENT_TYPE.alert) return false;
    if (this.#length > 1) return this.isTls;
    return type! >= CONTENT_TYPE.changeCipherSpec &&
      type! <= CONTENT_TYPE.applicationData;
  }

  /**
   * Feeds `server` until it has an answer, which stays in its output; the transport is free again then.
   *
   * @throws {TlsError} If it has none: an alert may be in the output; also if the client ends, or sends 128 KiB.
   * @throws {TransportError} If the connection breaks.
   * @throws The reason of `signal`.
   */
  async answer(server: TlsServer, signal: AbortSignal): Promise<void> {
    while (!server.hasOutput) {
      const length = await orAbort(this.#read(), signal);
      this.#pending = undefined;
      if (length === null) {
        this.#hasEnded = true;
        return server.receiveEnd();
      }
      const bytes = this.#buffer.subarray(this.#length, this.#length + length);
      this.#length += length;
      if (!this.#mayBecomeHello) {
        throw fatal("unexpectedMessage", "Want a record of TLS");
      }
      server.receive(bytes);
    }
  }

  /** What comes behind {@link received}. */
  protected override async receive(buffer: Uint8Array): Promise<number | null> {
    if (this.#pending) {
      const length = await this.#pending;
      this.#pending = undefined;
      if (length === null) this.#hasEnded = true;
      else this.#unread = this.#buffer.subarray(this.#length).slice(0, length);
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

  #read(): Promise<number | null> {
    if (this.#length === MAX_FIRST_FLIGHT_BYTES) {
      throw fatal("recordOverflow", "No hello in 128 KiB");
    }
    if (this.#length === this.#buffer.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    this.#pending = this.#transport.read(this.#buffer.subarray(this.#length));
    this.#pending.catch(() => {}); // it may break when nobody waits any more
    return this.#pending;
  }
}
