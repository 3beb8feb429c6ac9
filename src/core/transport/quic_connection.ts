import { delay, systemClock } from "../async/mod.ts";
import { QuicDatagrams } from "./_quic_datagrams.ts";
import { QuicStream } from "./_quic_stream.ts";
import { formatAddress } from "./address.ts";
import type { Address, Connection, Datagrams } from "./connection.ts";
import { TransportError } from "./error.ts";

const LINGER_MS = 5_000;

/** Codes with which a connection is closed (RFC 9000 §20.2). */
export const QUIC_CLOSE = {
  done: 0x0, // both sides ended and have read everything
  dropped: 0x1, // the sender dropped the connection
} as const;
/** One of {@link QUIC_CLOSE}. */
export type QuicClose = typeof QUIC_CLOSE[keyof typeof QUIC_CLOSE];

/** A QUIC connection: streams in any number, opened by either side, and datagrams. */
export class QuicConnection implements AsyncDisposable {
  /** Our end. */
  readonly localAddress: Address;
  /** The peer's end. */
  readonly remoteAddress: Address;
  /** Resolves when the connection is over, with the close code if a side gave one. */
  readonly closed: Promise<number | undefined>;
  readonly #conn: Deno.QuicConn;
  readonly #peerFinished = Promise.withResolvers<void>();
  #datagrams: QuicDatagrams | undefined;
  #isOver = false;

  /** Takes over a connection; `release` is called once it is over. */
  constructor(conn: Deno.QuicConn, release: () => void) {
    this.#conn = conn;
    this.localAddress = quicAddress(conn.endpoint.addr);
    this.remoteAddress = quicAddress(conn.remoteAddr);
    this.closed = conn.closed.then(
      ({ closeCode }) => closeCode,
      () => undefined,
    ).finally(() => {
      this.#isOver = true;
      release();
    });
    void this.#awaitPeerFinish();
  }

  /** Unreliable messages of this connection (RFC 9221). */
  get datagrams(): Datagrams {
    return this.#datagrams ??= new QuicDatagrams(this.#conn);
  }

  /**
   * Opens a stream. The peer does not see it before bytes are written to it or our side is ended.
   *
   * Deno cannot reset a stream: its `close` ends our side as `closeWrite` does, and asks the peer to stop sending.
   *
   * @throws {TransportError} `closed` if the connection is over, `limit` if the peer allows no more streams.
   */
  async openStream(): Promise<Connection> {
    try {
      const stream = await this.#conn.createBidirectionalStream();
      return new QuicStream(this, stream);
    } catch (cause) {
      if (this.#isOver) {
        throw new TransportError("closed", "The connection is over", { cause });
      }
      throw new TransportError("limit", "The peer allows no more streams", {
        cause,
      });
    }
  }

  /** The next stream that the peer opened, or `null` once the connection is over. One call at a time. */
  async acceptStream(): Promise<Connection | null> {
    const stream = await nextStream(this.#conn);
    return stream ? new QuicStream(this, stream) : null;
  }

  /** Closes the connection and its streams at once; what was written may be lost. */
  close(code: QuicClose = QUIC_CLOSE.dropped): void {
    this.#conn.close({ closeCode: code, reason: "" });
  }

  /**
   * Closes the connection once the peer calls this too, so that nothing written before is lost; gives up after 5 s.
   *
   * Each side says so with an empty unidirectional stream: QUIC itself tells nobody what the peer has read.
   */
  async finish(): Promise<void> {
    using stop = new AbortOnDispose();
    await Promise.race([
      this.#tellAndAwaitFinish(),
      this.closed,
      delay(systemClock, LINGER_MS, stop).catch(() => {}),
    ]);
    this.close(QUIC_CLOSE.done);
    await this.closed;
  }

  /** Closes, and waits until it is over. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.closed;
  }

  async #tellAndAwaitFinish(): Promise<void> {
    try {
      const told = await this.#conn.createUnidirectionalStream();
      await told.getWriter().close();
      await this.#peerFinished.promise;
    } catch {
      // The connection is over.
    }
  }

  /** Takes unidirectional streams as they come, so that the peer cannot have us hold what it sends on them. */
  async #awaitPeerFinish(): Promise<void> {
    try {
      for await (const told of this.#conn.incomingUnidirectionalStreams) {
        this.#peerFinished.resolve();
        await told.cancel();
      }
    } catch {
      // The connection is over.
    }
  }
}

/** The next stream that the peer opened, or `undefined` once the connection is over. */
export async function nextStream(
  conn: Deno.QuicConn,
): Promise<Deno.QuicBidirectionalStream | undefined> {
  const reader = conn.incomingBidirectionalStreams.getReader();
  try {
    return (await reader.read()).value;
  } finally {
    reader.releaseLock();
  }
}

/** Aborts a signal when disposed. */
class AbortOnDispose extends AbortController implements Disposable {
  [Symbol.dispose](): void {
    this.abort();
  }
}

function quicAddress({ hostname, port }: Deno.NetAddr): Address {
  return formatAddress({ scheme: "quic", hostname, port });
}
