import { type Bytes, DecodeError } from "../bytes/mod.ts";
import type { Address, Connection, Datagrams } from "./connection.ts";
import { TransportError } from "./error.ts";
import { readableOf, writableOf } from "./stream_view.ts";

/**
 * The part that every {@link Connection} over bytes shares: which side has ended, which error a caller sees, and the
 * stream views.
 *
 * A read that is pending when {@link close} is called, and every later one, throws `closed`; once the peer has ended
 * its side, reads give `null` for ever.
 * A failed read breaks the connection; a failed write ends only our side, since bytes of the peer may still wait.
 */
export abstract class ByteConnection implements Connection {
  /** Our end. */
  abstract readonly localAddress: Address;
  /** The peer's end. */
  abstract readonly remoteAddress: Address;
  /** Absent unless the transport has them. */
  readonly datagrams?: Datagrams;
  /** As {@link Connection.closed}. */
  readonly closed: Promise<void>;
  readonly #resolveClosed: (dropped: void | Promise<void>) => void;
  #reading = false;
  #writing = false;
  #readEnded = false;
  #readError: TransportError | undefined;
  #writeError: TransportError | undefined;
  #dropped = false;
  #readable: ReadableStream<Bytes> | undefined;
  #writable: WritableStream<Uint8Array> | undefined;

  /** Starts with both sides open. */
  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#resolveClosed = resolve;
  }

  /** Reads at least 1 byte into `buffer`, or gives `null` at the end; rejects after {@link drop}. */
  protected abstract receive(buffer: Uint8Array): Promise<number | null>;
  /** Writes all of `bytes`; rejects after {@link drop}. */
  protected abstract send(bytes: Uint8Array): Promise<void>;
  /** Ends our side. */
  protected abstract sendEnd(): Promise<void>;
  /**
   * Lets go of both sides and of every resource; called once, and `closed` waits for it. It must not reject.
   *
   * @param cleanly Whether both sides have ended.
   */
  protected abstract drop(cleanly: boolean): void | Promise<void>;

  /** As {@link Connection.read}. */
  async read(buffer: Uint8Array): Promise<number | null> {
    if (buffer.length === 0) throw new RangeError("Want room for 1 byte");
    if (this.#reading) throw new TypeError("A read is already pending");
    if (this.#readEnded) return null;
    if (this.#readError) throw this.#readError;
    this.#reading = true;
    try {
      const length = await this.receive(buffer);
      if (this.#readError) throw this.#readError;
      if (length === null) this.#endRead();
      return length;
    } catch (error) {
      throw this.breakWith(error);
    } finally {
      this.#reading = false;
    }
  }

  /** As {@link Connection.write}. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#writing) throw new TypeError("A write is already pending");
    if (this.#writeError) throw this.#writeError;
    if (bytes.length === 0) return;
    this.#writing = true;
    try {
      await this.send(bytes);
    } catch (error) {
      throw this.#endWrite(transportError(error));
    } finally {
      this.#writing = false;
    }
  }

  /** As {@link Connection.closeWrite}. */
  async closeWrite(): Promise<void> {
    if (this.#writing) throw new TypeError("A write is already pending");
    if (this.#writeError) return;
    this.#writeError = closedError();
    try {
      await this.sendEnd();
    } catch (error) {
      throw this.#endWrite(transportError(error));
    }
    this.#endWrite(this.#writeError);
  }

  /** As {@link Connection.close}. */
  close(): void {
    this.breakWith(closedError());
  }

  /** As {@link Connection.readable}. */
  get readable(): ReadableStream<Bytes> {
    return this.#readable ??= readableOf(this, () => {
      this.#readError ??= closedError();
      if (this.#writeError) this.#dropOnce();
    });
  }

  /** As {@link Connection.writable}. */
  get writable(): WritableStream<Uint8Array> {
    return this.#writable ??= writableOf(this);
  }

  /** Closes it, and waits until that is done. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.closed;
  }

  /** Breaks the connection, unless it is over, and gives the error that reads show from now on. */
  protected breakWith(error: unknown): TransportError {
    const shown = this.#readError ??= transportError(error);
    this.#writeError ??= shown;
    this.#dropOnce();
    return shown;
  }

  #endRead(): void {
    this.#readEnded = true;
    if (this.#writeError) this.#dropOnce();
  }

  #endWrite(error: TransportError): TransportError {
    const shown = this.#writeError ??= error;
    if (this.#readEnded || this.#readError) this.#dropOnce();
    return shown;
  }

  #dropOnce(): void {
    if (this.#dropped) return;
    this.#dropped = true;
    this.#resolveClosed(this.drop(this.#readError === undefined));
  }
}

function transportError(cause: unknown): TransportError {
  if (cause instanceof TransportError) return cause;
  if (cause instanceof DecodeError) {
    return new TransportError("malformed", cause.message, { cause });
  }
  return new TransportError("reset", "The connection broke", { cause });
}

function closedError(): TransportError {
  return new TransportError("closed", "The connection is closed");
}
