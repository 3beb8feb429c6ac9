import type { Bytes } from "../bytes/mod.ts";

/** One end of a connection, such as `tcp://127.0.0.1:9000`, `ws://127.0.0.1:9000/path`, `quic://127.0.0.1:9000`, `memory://name`. */
export type Address = string;

/**
 * An ordered, reliable byte connection, in the shape of `Deno.Conn`.
 *
 * `read`/`write` and `readable`/`writable` are two views of the same bytes: use one of each pair.
 */
export interface Connection extends AsyncDisposable {
  /** Our end. */
  readonly localAddress: Address;
  /** The peer's end. */
  readonly remoteAddress: Address;

  /**
   * Reads into `buffer` and returns how many bytes came (at least 1), or `null` once the peer has ended its side.
   * One read at a time.
   *
   * @throws {TransportError} `reset` if the connection broke.
   */
  read(buffer: Uint8Array): Promise<number | null>;

  /**
   * Writes all of `bytes`, and resolves when the caller may reuse them and more may be written: that is the back-pressure.
   * One write at a time.
   *
   * @throws {TransportError} `reset` if the connection broke, `closed` after {@link closeWrite} or {@link close}.
   */
  write(bytes: Uint8Array): Promise<void>;

  /** Ends our side after what was written; reading goes on. */
  closeWrite(): Promise<void>;

  /** Drops both sides at once; a pending read and later ones throw `closed`. May be called again. */
  close(): void;

  /** Resolves when both sides have ended or the connection broke; never rejects. */
  readonly closed: Promise<void>;

  /** What {@link read} gives, as a byte stream; cancelling it closes the connection's reading side. */
  readonly readable: ReadableStream<Bytes>;

  /** What {@link write} takes, as a stream; closing it is {@link closeWrite}, aborting it {@link close}. */
  readonly writable: WritableStream<Uint8Array>;

  /**
   * Keying material that only the two ends of the secure channel below can have (RFC 8446 §7.5, no context), where the
   * transport is one: `length` bytes for `label`.
   */
  readonly exportKeyingMaterial?: (label: string, length: number) => Bytes;

  /** The protocol that both ends of the secure channel below agreed on (RFC 7301), e.g. `h2`, where there is one. */
  readonly alpn?: string | undefined;

  /** Unreliable messages beside the byte stream, where the transport has them (QUIC, memory). */
  readonly datagrams?: Datagrams;
}

/** Unreliable, unordered messages of one connection (RFC 9221). */
export interface Datagrams {
  /** Largest message in bytes that can be sent now. */
  readonly maxSize: number;
  /** Number of messages that arrived while the receive queue was full and were dropped, newest first to go. */
  readonly dropped: number;
  /**
   * Sends one message, which may be lost.
   *
   * @throws {RangeError} If it is longer than {@link maxSize}.
   */
  send(message: Uint8Array): Promise<void>;
  /** The next message that arrived, or `null` once the connection is closed. */
  receive(signal?: AbortSignal): Promise<Bytes | null>;
}

/** Options of {@link Transport.dial}. */
export interface DialOptions {
  /** Cancels the attempt; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** Accepts connections until closed; iterate it once. */
export interface Listener extends AsyncIterable<Connection>, AsyncDisposable {
  /** Where it listens, with the port the system chose. */
  readonly address: Address;
  /** Stops accepting; connections already accepted live on. */
  close(): void;
}

/** One way to reach a peer. */
export interface Transport {
  /** The scheme of its addresses: `tcp`, `ws`, `quic`, `memory`. */
  readonly scheme: string;
  /**
   * Connects to `address`.
   *
   * @throws {TransportError} `unreachable` if nobody answers.
   */
  dial(address: Address, options?: DialOptions): Promise<Connection>;
  /**
   * Listens at `address`; port 0 lets the system choose.
   *
   * @throws {TransportError} `in_use` if the address is taken.
   */
  listen(address: Address): Promise<Listener>;
}
