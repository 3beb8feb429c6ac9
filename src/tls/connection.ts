import { type Clock, Deadline, systemClock } from "../core/async/mod.ts";
import { type Bytes, giveBack } from "../core/bytes/mod.ts";
import {
  type Address,
  ByteConnection,
  type Connection,
} from "../core/transport/mod.ts";
import type { Agreement, TlsEndpoint } from "./endpoint.ts";
import type { CipherSuite } from "./suite.ts";

/** Options of {@link TlsConnection}. */
export interface TlsConnectionOptions {
  /** Times the farewell; the machine's clock if not given. */
  readonly clock?: Clock;
  /** Called whenever bytes of the peer were taken. */
  readonly received?: () => void;
  /** Whether the end of the transport without close_notify is an end like another; otherwise reading throws then. */
  readonly takesTruncation?: boolean;
  /** Gives the lengths of the tickets that have come. */
  readonly ticketLengths?: () => readonly number[];
}

const WRITE_BYTES = 1 << 18; // HTX makes batches of as much; each write may wake the peer's processor
/** What is left goes into the same write if it is no more than this, as what HTTP/2 adds to a batch is. */
const REST_BYTES = 1 << 11;
const MIN_READ_BYTES = 1 << 15;
const MAX_READ_BYTES = 1 << 18;
const FAREWELL_MS = 1_000;

/**
 * A connection protected by TLS, of either side, once its handshake is over.
 *
 * What the peer sends beside data (tickets, key updates, alerts) is taken while somebody reads, and only then; who does not
 * read stops the transport. `closeWrite` sends close_notify; `close` alone sends none, so that the peer sees a truncation and
 * takes no part for the whole. A failure of TLS shows as `TransportError` `reset` whose `cause` is the `TlsError`, among them
 * `truncated` where the transport ended without close_notify.
 */
export class TlsConnection extends ByteConnection {
  /** Our end of the transport. */
  readonly localAddress: Address;
  /** The peer's end of the transport. */
  readonly remoteAddress: Address;
  readonly #transport: Connection;
  readonly #endpoint: TlsEndpoint;
  readonly #agreement: Agreement;
  readonly #clock: Clock;
  readonly #received: (() => void) | undefined;
  readonly #takesTruncation: boolean;
  readonly #ticketLengths: () => readonly number[];
  #input: Bytes = new Uint8Array(0);
  #data: Uint8Array[];
  /** How many of `#data` were read whole. */
  #taken = 0;
  #failure: unknown;
  #isTruncated = false;
  #answering: Promise<void> | undefined;
  /** Resolves when the transport is free to take what is sealed next. */
  #turn: Promise<void> = Promise.resolve();

  /**
   * Takes over `transport` and `endpoint`.
   *
   * @throws {TypeError} If the handshake is not over.
   */
  constructor(
    transport: Connection,
    endpoint: TlsEndpoint,
    {
      clock = systemClock,
      received,
      takesTruncation = false,
      ticketLengths = () => [],
    }: TlsConnectionOptions = {},
  ) {
    super();
    if (!endpoint.agreement) throw new TypeError("The handshake is not over");
    this.#transport = transport;
    this.#endpoint = endpoint;
    this.#agreement = endpoint.agreement;
    this.#clock = clock;
    this.#received = received;
    this.#takesTruncation = takesTruncation;
    this.#ticketLengths = ticketLengths;
    this.#data = endpoint.takeData();
    this.localAddress = transport.localAddress;
    this.remoteAddress = transport.remoteAddress;
    received?.();
  }

  /** The application protocol agreed on, if any. */
  get alpn(): string | undefined {
    return this.#agreement.alpn;
  }

  /** The cipher suite. */
  get cipherSuite(): CipherSuite {
    return this.#agreement.cipherSuite;
  }

  /** The group of the key exchange (IANA TLS Supported Groups). */
  get group(): number {
    return this.#agreement.group;
  }

  /** Whether a ticket of an earlier connection took the place of certificates. */
  get resumed(): boolean {
    return this.#agreement.resumed;
  }

  /** The peer's certificates as DER, its own first; empty if it sent none. */
  get peerCertificates(): readonly Bytes[] {
    return this.#agreement.peerCertificates;
  }

  /** Lengths in bytes of the session tickets that have come, of the first 16; none at a server. */
  get ticketLengths(): readonly number[] {
    return this.#ticketLengths();
  }

  /**
   * Keying material that only the two ends have (RFC 8446 §7.5); no context is the same as an empty one.
   *
   * @throws {TypeError} After the end.
   * @throws {RangeError} If `label` is not 1 to 249 ASCII characters, or `length` above 255 times the hash length.
   */
  exportKeyingMaterial(
    label: string,
    length: number,
    context?: Uint8Array,
  ): Bytes {
    return this.#endpoint.exportKeyingMaterial(label, length, context);
  }

  /** Changes our key and asks the peer to change its own (RFC 8446 §4.6.3), which it does when it reads. */
  async updateKeys(): Promise<void> {
    await this.#transmit(() => this.#endpoint.updateKeys(true));
  }

  /** Gives data that has come, reading records until there is some. */
  protected override async receive(buffer: Uint8Array): Promise<number | null> {
    for (;;) {
      const length = this.#takeData(buffer);
      if (length > 0) return length;
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#endpoint.isPeerClosed || this.#isTruncated) return null;
      await this.#readRecords();
    }
  }

  /** Seals and writes about 256 KiB at a time. */
  protected override async send(bytes: Uint8Array): Promise<void> {
    for (let at = 0, end; at < bytes.length; at = end) {
      const isLast = bytes.length - at <= WRITE_BYTES + REST_BYTES;
      end = isLast ? bytes.length : at + WRITE_BYTES;
      const part = bytes.subarray(at, end);
      await this.#transmit(() => this.#endpoint.send(part));
    }
  }

  /** Sends close_notify and ends our side of the transport, as nothing may follow; reading goes on. */
  protected override async sendEnd(): Promise<void> {
    await this.#transmit(() => this.#endpoint.closeNotify());
    await this.#transport.closeWrite();
  }

  /** Lets go; the alert of a failure is sent before, if the transport takes it within a second. */
  protected override async drop(): Promise<void> {
    using deadline = new Deadline(this.#clock, FAREWELL_MS);
    const close = () => this.#transport.close();
    deadline.signal.addEventListener("abort", close, { once: true });
    try {
      if (this.#endpoint.hasOutput) await this.#transmit();
    } catch { // the transport is broken: nobody is there to be told
    } finally {
      close();
      this.#endpoint[Symbol.dispose]();
    }
    await this.#transport.closed;
  }

  async #readRecords(): Promise<void> {
    const size = this.#input.length;
    if (size === 0) this.#input = new Uint8Array(MIN_READ_BYTES);
    const length = await this.#transport.read(this.#input);
    try {
      if (length === null && this.#takesTruncation) this.#isTruncated = true;
      else if (length === null) this.#endpoint.receiveEnd();
      else this.#endpoint.receive(this.#input.subarray(0, length));
    } catch (error) {
      this.#failure = error;
    }
    this.#data = this.#endpoint.takeData();
    this.#taken = 0;
    this.#received?.();
    if (length === size && size < MAX_READ_BYTES) {
      this.#input = new Uint8Array(2 * size);
    }
    if (this.#failure === undefined) {
      this.#answering ??= this.#answer().finally(() => {
        this.#answering = undefined;
      });
    }
  }

  /** Writes what answers the peer. The read path does not wait for it: a peer that does not read must not stop our reading. */
  async #answer(): Promise<void> {
    try {
      while (this.#endpoint.hasOutput) await this.#transmit();
    } catch (error) {
      this.breakWith(error);
    }
  }

  /** Moves data that has come into `buffer`, and gives how much. */
  #takeData(buffer: Uint8Array): number {
    let length = 0;
    while (length < buffer.length && this.#taken < this.#data.length) {
      const piece = this.#data[this.#taken]!;
      const part = piece.subarray(0, buffer.length - length);
      buffer.set(part, length);
      length += part.length;
      if (part.length === piece.length) this.#taken++;
      else this.#data[this.#taken] = piece.subarray(part.length);
    }
    return length;
  }

  /** Does `step` when it is its turn, and writes what the endpoint has to send: records leave in the order of their sealing. */
  async #transmit(step?: () => void): Promise<void> {
    const turn = this.#turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = promise;
    await turn;
    try {
      step?.();
      if (this.#endpoint.hasOutput) {
        const output = this.#endpoint.takeOutput();
        await this.#transport.write(output);
        giveBack(output);
      }
    } finally {
      resolve();
    }
  }
}
