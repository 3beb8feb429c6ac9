import { type Bytes, DecodeError } from "../core/bytes/mod.ts";
import {
  type Clock,
  systemClock,
  type WaitOptions,
} from "../core/async/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import type { Address, Connection, Datagrams } from "../core/transport/mod.ts";
import { Alarm } from "./alarm.ts";
import { HtxError, type HtxErrorCode } from "./error.ts";
import type { SessionKeys } from "./keys.ts";
import { Mux, type MuxStats, type Role } from "./mux.ts";
import type { Parameters } from "./parameters.ts";
import { CLOSE_CODE, type CloseInfo } from "./payload.ts";
import type { RekeyLimits } from "./protection.ts";
import { ReadBuffer } from "./read_buffer.ts";
import { SessionDatagrams } from "./session_datagrams.ts";
import type { ShapingOptions } from "./shaping.ts";
import { checkCode, Stream, type StreamHost } from "./stream.ts";
import {
  DEFAULT_WEIGHT,
  MAX_WEIGHT,
  MIN_WEIGHT,
  type StreamState,
} from "./stream_state.ts";

/** What both ends of a session can tune. */
export interface SessionOptions {
  /** Which emulation of §5.5 runs. Default: all of it. */
  readonly shaping?: ShapingOptions;
  /** How long a PING may stay unanswered, in milliseconds. Default 30,000. */
  readonly pingTimeoutMs?: number;
  /** Lower limits than those of §5.3. */
  readonly rekey?: RekeyLimits;
  /** Told of each round trip that a PING measures, in milliseconds. */
  readonly onRoundTrip?: (rttMs: number) => void;
  /** Time and timers. Default: the machine's. */
  readonly clock?: Clock;
}

/** What the handshake leaves for a {@link Session}. */
export interface Established {
  /** Which end this is. */
  readonly role: Role;
  /** The primitives. */
  readonly crypto: CryptoProvider;
  /** The first keys. */
  readonly keys: SessionKeys;
  /** What we offered. */
  readonly local: Parameters;
  /** What the peer offered. */
  readonly remote: Parameters;
  /** The peer's Noise static key, 32 bytes. */
  readonly remoteStaticKey: Bytes;
  /** Round-trip time of the handshake in milliseconds. */
  readonly rttMs: number;
  /** Bytes that arrived behind the handshake. */
  readonly leftover: Uint8Array;
}

/** What a session runs on. */
export interface SessionCarrier {
  /** On which the handshake has ended. */
  readonly connection: Connection;
  /** Messages beside it, where the carrier has them. */
  readonly datagrams?: Datagrams | undefined;
}

/** How a session ended. */
export interface SessionEnd extends CloseInfo {
  /** What went wrong, `undefined` if it was closed in order. */
  readonly error: HtxError | undefined;
}

/** Options of {@link Session.close}. */
export interface CloseOptions {
  /** One of {@link CLOSE_CODE}. Default `ok`. */
  readonly code?: number;
  /** Text for people, at most 256 bytes. */
  readonly reason?: string;
  /** How long open streams may take to end, in milliseconds. Default 0. */
  readonly drainMs?: number;
}

const PING_TIMEOUT_MS = 30_000;
/** How long our CLOSE may take to reach the peer. */
const LINGER_MS = 2_000;
const DRAIN_BUFFER_BYTES = 4_096;

/**
 * An established HTX session: opens streams, and is an async iterable of those the peer opens.
 *
 * It ends by {@link close}, by the peer's CLOSE, or by a failure; {@link closed} tells which.
 */
export class Session implements AsyncDisposable, AsyncIterable<Stream> {
  /** The peer's Noise static key, 32 bytes. */
  readonly remoteStaticKey: Bytes;
  /** Resolves when the session is over; never rejects. */
  readonly closed: Promise<SessionEnd>;
  /** Unreliable messages beside the streams, where the carrier has them. */
  readonly datagrams?: SessionDatagrams;
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #mux: Mux;
  readonly #alarm: Alarm;
  readonly #host: StreamHost;
  readonly #resolveClosed: (end: SessionEnd) => void;
  /** Streams that nobody took yet. */
  readonly #incoming = new Set<Stream>();
  readonly #accepts = new Set<PromiseWithResolvers<Stream | undefined>>();
  readonly #opens: PromiseWithResolvers<void>[] = [];
  readonly #pings = new Map<string, PromiseWithResolvers<number>>();
  readonly #local: Parameters;
  #idle: PromiseWithResolvers<void> | undefined;
  #peerClose: CloseInfo | undefined;
  #end: SessionEnd | undefined;
  #failure: HtxError | undefined;
  #closing: CloseInfo | undefined;
  #receiving = true;
  #draining = false;
  #flushing: Promise<void> | undefined;

  /** Takes over the carrier. */
  constructor(
    { connection, datagrams }: SessionCarrier,
    established: Established,
    options: SessionOptions = {},
  ) {
    const { promise, resolve } = Promise.withResolvers<SessionEnd>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#connection = connection;
    this.#clock = options.clock ?? systemClock;
    this.remoteStaticKey = established.remoteStaticKey;
    this.#local = established.local;
    if (datagrams) {
      this.datagrams = new SessionDatagrams(datagrams, {
        ...established,
        clock: this.#clock,
        onFault: (error) => void this.#fail(error),
      });
    }
    this.#mux = this.#start(established, options);
    this.#alarm = new Alarm(this.#clock, () => this.#tick());
    this.#host = this.#hostStreams();
    if (this.#mux.pending) this.#wake();
    else this.#arm();
    void this.#receive(established.leftover);
  }

  /** Whether it takes new streams: neither over nor closing. */
  get isOpen(): boolean {
    return !this.#end && !this.#closing && !this.#draining;
  }

  /** Our end. */
  get localAddress(): Address {
    return this.#connection.localAddress;
  }

  /** The peer's end. */
  get remoteAddress(): Address {
    return this.#connection.remoteAddress;
  }

  /** Counts since the session began. */
  get stats(): MuxStats {
    return this.#mux.stats;
  }

  /**
   * Opens a stream; waits while the peer has as many open as it takes.
   *
   * @param options `weight` is its share among streams with data to send, 1 to 256, default 16.
   * @throws {RangeError} If the weight is out of range.
   * @throws {HtxError} `closed` if the session is over or closing.
   * @throws The reason of the signal.
   */
  async open(
    options: { weight?: number; signal?: AbortSignal } = {},
  ): Promise<Stream> {
    const { weight = DEFAULT_WEIGHT, signal } = options;
    if (!(weight >= MIN_WEIGHT && weight <= MAX_WEIGHT)) {
      throw new RangeError(`A weight must be in 1..256: got ${weight}`);
    }
    signal?.throwIfAborted();
    this.#checkOpen();
    if (!this.#mux.canOpen || this.#opens.length > 0) {
      do {
        await this.#turn(signal);
        this.#checkOpen();
      } while (!this.#mux.canOpen);
    }
    const stream = new Stream(this.#mux.open(weight), this.#host);
    this.#wake();
    return stream;
  }

  /**
   * Asks the peer for a sign of life and returns the round-trip time in milliseconds.
   *
   * @throws {HtxError} `closed` if the session is over, `limit` if 64 PINGs are unanswered.
   * @throws The reason of the signal; the PING stays under way.
   */
  async ping({ signal }: WaitOptions = {}): Promise<number> {
    signal?.throwIfAborted();
    this.#checkOver();
    const token = this.#mux.ping(this.#clock.now());
    const pending = Promise.withResolvers<number>();
    const abort = () => pending.reject(signal!.reason);
    signal?.addEventListener("abort", abort, { once: true });
    this.#pings.set(token, pending);
    this.#wake();
    this.#arm();
    try {
      return await pending.promise;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /**
   * The next stream that the peer opened, `undefined` once the session is over and none waits.
   *
   * As many wait as we offered streams; beyond that, because the peer has ended those that wait, new ones are reset.
   *
   * @throws The reason of the signal.
   */
  async accept({ signal }: WaitOptions = {}): Promise<Stream | undefined> {
    signal?.throwIfAborted();
    for (const stream of this.#incoming) {
      this.#incoming.delete(stream);
      return stream;
    }
    if (this.#end) return undefined;
    const waiter = Promise.withResolvers<Stream | undefined>();
    const abort = () => {
      this.#accepts.delete(waiter);
      waiter.reject(signal!.reason);
    };
    this.#accepts.add(waiter);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await waiter.promise;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** What {@link accept} gives, until the session is over; several loops share the streams. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Stream> {
    let stream;
    while ((stream = await this.accept())) yield stream;
  }

  /**
   * Takes no new streams, lets open ones end for up to `drainMs`, sends CLOSE and ends the session.
   *
   * @returns How it ended; what ended it first counts.
   * @throws {RangeError} If the code is not in 0 … 65,535.
   */
  async close(options: CloseOptions = {}): Promise<SessionEnd> {
    const { code = CLOSE_CODE.ok, reason = "", drainMs = 0 } = options;
    checkCode(code);
    this.#draining = true;
    if (!this.#end && drainMs > 0 && this.#mux.stats.streams > 0) {
      this.#idle ??= Promise.withResolvers();
      const cancel = this.#clock.setTimeout(this.#idle.resolve, drainMs);
      await this.#idle.promise;
      cancel();
    }
    await this.#shut({ code, reason }, undefined);
    return await this.closed;
  }

  /** As {@link close} without options. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #start(established: Established, options: SessionOptions): Mux {
    return new Mux({
      ...established,
      nowMs: this.#clock.now(),
      pingTimeoutMs: options.pingTimeoutMs ?? PING_TIMEOUT_MS,
      ...(options.rekey && { rekey: options.rekey }),
      ...(options.shaping && { shaping: options.shaping }),
      observer: {
        opened: (state) => this.#accept(state),
        pinged: (token, rttMs) => {
          this.#pings.get(token)?.resolve(rttMs);
          this.#pings.delete(token);
          queueMicrotask(() => options.onRoundTrip?.(rttMs));
        },
        closed: (info) => this.#peerClose = info,
        ended: () => this.#streamEnded(),
      },
    });
  }

  #hostStreams(): StreamHost {
    const mux = this.#mux;
    return {
      localAddress: this.localAddress,
      remoteAddress: this.remoteAddress,
      failure: () => this.#end || this.#closing ? this.#error() : undefined,
      offer: (state, bytes) => {
        mux.offer(state, bytes);
        this.#wake();
      },
      finish: (state) => {
        mux.finish(state);
        this.#wake();
      },
      take: (state, into) => {
        const length = mux.read(state, into, this.#clock.now());
        if (mux.pending) this.#wake();
        return length;
      },
      reset: (state, code) => {
        mux.reset(state, code, this.#clock.now());
        this.#wake();
      },
    };
  }

  #accept(state: StreamState): void {
    if (this.#draining) return this.#refuse(state, CLOSE_CODE.policyRejected);
    const stream = new Stream(state, this.#host);
    for (const waiter of this.#accepts) {
      this.#accepts.delete(waiter);
      return waiter.resolve(stream);
    }
    if (this.#incoming.size >= this.#local.maxStreams) {
      return this.#refuse(state, CLOSE_CODE.limitExceeded);
    }
    this.#incoming.add(stream);
    void stream.closed.then(() => {
      if (state.received.length === 0) this.#incoming.delete(stream);
    });
  }

  #refuse(state: StreamState, code: number): void {
    this.#mux.reset(state, code, this.#clock.now());
  }

  #streamEnded(): void {
    if (this.#mux.canOpen) this.#opens.shift()?.resolve();
    if (this.#mux.stats.streams === 0) this.#idle?.resolve();
  }

  async #turn(signal: AbortSignal | undefined): Promise<void> {
    const waiter = Promise.withResolvers<void>();
    this.#opens.push(waiter);
    const abort = () => {
      const at = this.#opens.indexOf(waiter);
      if (at >= 0) this.#opens.splice(at, 1);
      waiter.reject(signal!.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
    try {
      await waiter.promise;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  async #receive(leftover: Uint8Array): Promise<void> {
    try {
      await this.#readAll(leftover);
      const info = this.#peerClose;
      if (info) this.#finish(info, undefined);
      else throw new HtxError("closed", "Connection ended without CLOSE");
    } catch (error) {
      this.#receiving = false;
      await this.#fail(error);
    }
  }

  /** Feeds what arrives to the mux, until the connection or the session ends. */
  async #readAll(leftover: Uint8Array): Promise<void> {
    const maxFrameBytes = this.#local.maxDataBytes + 1;
    const buffer = new ReadBuffer(leftover, maxFrameBytes);
    for (;;) {
      const used = this.#mux.feed(buffer.received, this.#clock.now());
      buffer.consume(used);
      if (this.#mux.pending) this.#wake();
      if (this.#end || this.#peerClose) return;
      const length = await this.#connection.read(buffer.room);
      if (length === null) return;
      buffer.add(length);
    }
  }

  #wake(): void {
    this.#flushing ??= Promise.resolve().then(() => this.#flush());
  }

  async #flush(): Promise<void> {
    try {
      for (;;) {
        const batch = this.#end ? undefined : this.#mux.poll(this.#clock.now());
        if (!batch) break;
        await this.#connection.write(batch);
      }
    } catch (error) {
      void this.#fail(error);
    } finally {
      this.#flushing = undefined;
    }
    this.#arm();
  }

  #arm(): void {
    if (!this.#end) this.#alarm.set(this.#mux.dueAtMs);
  }

  #tick(): void {
    try {
      this.#mux.tick(this.#clock.now());
      if (this.#mux.pending) this.#wake();
      else this.#arm();
    } catch (error) {
      void this.#fail(error);
    }
  }

  async #fail(cause: unknown): Promise<void> {
    const error = htxError(cause);
    const info = { code: CLOSE_CODE_OF[error.code], reason: "" };
    if (this.#closing) this.#finish(this.#closing, this.#failure);
    else if (error.code === "closed") this.#finish(info, error);
    else await this.#shut(info, error);
  }

  /** Sends CLOSE, gives it time to arrive, and ends the session. */
  async #shut(info: CloseInfo, error: HtxError | undefined): Promise<void> {
    if (this.#end || this.#closing) return;
    this.#closing = info;
    this.#failure = error;
    const cancel = this.#clock.setTimeout(
      () => this.#connection.close(),
      LINGER_MS,
    );
    try {
      this.#mux.close(info, this.#clock.now());
      this.#wake();
      while (this.#flushing) await this.#flushing;
      await this.#connection.closeWrite();
      if (!this.#receiving) await this.#drain();
      await this.#connection.closed;
    } catch {
      // The connection broke first: the peer sees that instead of our CLOSE.
    } finally {
      cancel();
      this.#finish(info, error);
    }
  }

  /** Reads and drops what the peer still sends, so that our CLOSE is not lost to a connection reset. */
  async #drain(): Promise<void> {
    const buffer = new Uint8Array(DRAIN_BUFFER_BYTES);
    while (await this.#connection.read(buffer) !== null);
  }

  #finish(info: CloseInfo, error: HtxError | undefined): void {
    if (this.#end) return;
    this.#end = { ...info, error };
    this.#failure = error;
    this.#alarm.cancel();
    this.#mux.end(info.code, this.#clock.now());
    this.datagrams?.[Symbol.dispose]();
    this.#connection.close();
    for (const waiter of this.#accepts) waiter.resolve(undefined);
    this.#accepts.clear();
    const failure = this.#error();
    for (const { reject } of this.#opens.splice(0)) reject(failure);
    for (const { reject } of this.#pings.values()) reject(failure);
    this.#pings.clear();
    this.#idle?.resolve();
    this.#resolveClosed(this.#end);
  }

  #checkOpen(): void {
    this.#checkOver();
    if (this.#draining) throw new HtxError("closed", "Session is closing");
  }

  #checkOver(): void {
    if (this.#end || this.#closing) throw this.#error();
  }

  #error(): HtxError {
    return this.#failure ?? new HtxError("closed", "Session is closed");
  }
}

/** What the peer is told of each failure. */
const CLOSE_CODE_OF: Readonly<Record<HtxErrorCode, number>> = {
  deviation: CLOSE_CODE.policyRejected,
  malformed: CLOSE_CODE.malformedFrame,
  violation: CLOSE_CODE.protocolViolation,
  incompatible: CLOSE_CODE.unsupportedFeature,
  unauthenticated: CLOSE_CODE.authFailed,
  refused: CLOSE_CODE.policyRejected,
  limit: CLOSE_CODE.limitExceeded,
  timeout: CLOSE_CODE.timeout,
  reset: CLOSE_CODE.cancelled,
  closed: CLOSE_CODE.internalError,
};

function htxError(cause: unknown): HtxError {
  if (cause instanceof HtxError) return cause;
  if (cause instanceof DecodeError) {
    return new HtxError("malformed", "Peer sent malformed bytes", { cause });
  }
  return new HtxError("closed", "Connection broke", { cause });
}
