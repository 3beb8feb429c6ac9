import type { Bytes } from "../core/bytes/mod.ts";
import {
  type Address,
  type Connection,
  readableOf,
  writableOf,
} from "../core/transport/mod.ts";
import { HtxError } from "./error.ts";
import { CLOSE_CODE } from "./payload.ts";
import type { StreamObserver, StreamState } from "./stream_state.ts";

/** What a {@link Stream} needs of its session. */
export interface StreamHost {
  /** Our end of the session. */
  readonly localAddress: Address;
  /** The peer's end of the session. */
  readonly remoteAddress: Address;
  /** Why the session is over, if it is. */
  failure(): HtxError | undefined;
  /** Offers bytes for sending. */
  offer(state: StreamState, bytes: Uint8Array): void;
  /** Ends our side. */
  finish(state: StreamState): void;
  /** Takes received bytes. */
  take(state: StreamState, into: Uint8Array): number;
  /** Ends both sides at once. */
  reset(state: StreamState, code: number): void;
}

interface PendingRead {
  readonly buffer: Uint8Array;
  readonly resolve: (length: number | null) => void;
  readonly reject: (error: HtxError) => void;
}

interface PendingWrite {
  readonly resolve: () => void;
  readonly reject: (error: HtxError) => void;
}

/**
 * One stream of an HTX session: a {@link Connection} of its own, with its own flow control.
 *
 * Reads and writes throw {@link HtxError} `reset` after a reset by either side and `closed` when the session is over.
 */
export class Stream implements Connection {
  /** Odd if the client opened it, even if the server did. */
  readonly id: number;
  /** Resolves when both sides have ended or the stream was reset. */
  readonly closed: Promise<void>;
  readonly #state: StreamState;
  readonly #host: StreamHost;
  #pendingRead: PendingRead | undefined;
  #pendingWrite: PendingWrite | undefined;
  #readable: ReadableStream<Bytes> | undefined;
  #writable: WritableStream<Uint8Array> | undefined;

  /** Wraps `state` of the session `host`. */
  constructor(state: StreamState, host: StreamHost) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.id = state.id;
    this.closed = promise;
    this.#state = state;
    this.#host = host;
    state.observer = this.#observe(resolve);
  }

  /** Our end of the session. */
  get localAddress(): Address {
    return this.#host.localAddress;
  }

  /** The peer's end of the session. */
  get remoteAddress(): Address {
    return this.#host.remoteAddress;
  }

  /** Reads as {@link Connection.read} says; consumed bytes give the peer new credit. */
  read(buffer: Uint8Array): Promise<number | null> {
    if (buffer.length === 0) {
      return Promise.reject(new RangeError("Want room for 1 byte"));
    }
    if (this.#pendingRead) {
      return Promise.reject(new TypeError("A read is already pending"));
    }
    const state = this.#state;
    if (state.received.length > 0) {
      return Promise.resolve(this.#host.take(state, buffer));
    }
    if (state.discarded) return Promise.reject(this.#error());
    if (state.peerFinished) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      this.#pendingRead = { buffer, resolve, reject };
    });
  }

  /** Writes as {@link Connection.write} says; waits for the peer's credit and for our turn. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#pendingWrite) {
      return Promise.reject(new TypeError("A write is already pending"));
    }
    if (this.#state.resetCode !== undefined) {
      return Promise.reject(this.#error());
    }
    if (this.#state.finishing) {
      return Promise.reject(new HtxError("closed", "Our side has ended"));
    }
    if (bytes.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#pendingWrite = { resolve, reject };
      this.#host.offer(this.#state, bytes);
    });
  }

  /** Ends our side after what was written, and resolves when a later {@link close} takes nothing of it back. */
  closeWrite(): Promise<void> {
    if (this.#pendingWrite) {
      return Promise.reject(new TypeError("A write is already pending"));
    }
    if (this.#state.finished) return Promise.resolve();
    if (this.#state.ended) return Promise.reject(this.#error());
    return new Promise((resolve, reject) => {
      this.#pendingWrite = { resolve, reject };
      this.#host.finish(this.#state);
    });
  }

  /** Resets the stream unless both sides have ended. */
  close(): void {
    this.reset(CLOSE_CODE.cancelled);
  }

  /**
   * Ends both sides at once; what was not read is lost.
   *
   * @param code One of {@link CLOSE_CODE}, or an application's own from 256 to 65,535.
   * @throws {RangeError} If it is not in 0 … 65,535.
   */
  reset(code: number): void {
    checkCode(code);
    this.#host.reset(this.#state, code);
  }

  /** The code of the reset that ended the stream, `undefined` if none did. */
  get resetCode(): number | undefined {
    return this.#state.resetCode;
  }

  /** What {@link read} gives; cancelling it resets the stream. */
  get readable(): ReadableStream<Bytes> {
    return this.#readable ??= readableOf(this, () => this.close());
  }

  /** What {@link write} takes; closing it is {@link closeWrite}, aborting it {@link close}. */
  get writable(): WritableStream<Uint8Array> {
    return this.#writable ??= writableOf(this);
  }

  /** As {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  #observe(resolveClosed: () => void): StreamObserver {
    return {
      drained: () => this.#settleWrite(),
      finished: () => this.#settleWrite(),
      readable: () => {
        const read = this.#pendingRead;
        if (!read) return;
        this.#pendingRead = undefined;
        const length = this.#host.take(this.#state, read.buffer);
        read.resolve(length > 0 ? length : null);
      },
      ended: (code) => {
        if (code !== undefined) this.#fail();
        resolveClosed();
      },
    };
  }

  #fail(): void {
    const [read, write] = [this.#pendingRead, this.#pendingWrite];
    this.#pendingRead = this.#pendingWrite = undefined;
    read?.reject(this.#error());
    write?.reject(this.#error());
  }

  #settleWrite(): void {
    const write = this.#pendingWrite;
    this.#pendingWrite = undefined;
    write?.resolve();
  }

  #error(): HtxError {
    return this.#host.failure() ??
      new HtxError("reset", `Stream was reset: code ${this.#state.resetCode}`);
  }
}

/** Refuses a code of RESET or CLOSE that does not fit its 16 bits. */
export function checkCode(code: number): void {
  if (!(Number.isInteger(code) && code >= 0 && code <= 0xffff)) {
    throw new RangeError(`A code must be in 0..65535: got ${code}`);
  }
}
