import { type Bytes, encodeHex } from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import { HtxError } from "./error.ts";
import {
  INITIAL_SESSION_WINDOW,
  ReceiveWindow,
  tunedWindow,
  TuningBudget,
} from "./flow.ts";
import {
  decodeFrameHeader,
  FRAME_TYPE,
  type FrameHeader,
  TAG_LENGTH,
} from "./frame.ts";
import type { SessionKeys } from "./keys.ts";
import { Outbox } from "./outbox.ts";
import type { Parameters } from "./parameters.ts";
import {
  type CloseInfo,
  decodeClose,
  decodePing,
  decodeReset,
  decodeU32,
  encodeClose,
  encodePing,
  STREAM_FLAG,
} from "./payload.ts";
import { Pings } from "./pings.ts";
import { Opener, type RekeyLimits, Sealer } from "./protection.ts";
import { Shaper, SHAPING, type ShapingOptions } from "./shaping.ts";
import { DEFAULT_WEIGHT, type StreamState } from "./stream_state.ts";
import { StreamTable } from "./stream_table.ts";

/** Which end of the session this is. */
export type Role = "client" | "server";

/** What a {@link Mux} starts from. */
export interface MuxInit {
  /** Which end this is. */
  readonly role: Role;
  /** The primitives. */
  readonly crypto: CryptoProvider;
  /** The first keys. */
  readonly keys: SessionKeys;
  /** What we offered in the handshake. */
  readonly local: Parameters;
  /** What the peer offered. */
  readonly remote: Parameters;
  /** Monotonic time in milliseconds. */
  readonly nowMs: number;
  /** Round-trip time seen in the handshake, in milliseconds. */
  readonly rttMs: number;
  /** How long a PING may stay unanswered, in milliseconds. */
  readonly pingTimeoutMs: number;
  /** Lower limits than those of §5.3, for tests. */
  readonly rekey?: RekeyLimits;
  /** Which emulation runs. */
  readonly shaping?: ShapingOptions;
  /** Told what the peer does. */
  readonly observer: MuxObserver;
}

/** Whoever owns a {@link Mux}. */
export interface MuxObserver {
  /** The peer opened `stream`. */
  opened(stream: StreamState): void;
  /** A PING of ours with `token` (hex) was answered after `rttMs`. */
  pinged(token: string, rttMs: number): void;
  /** A stream is over and its place free. */
  ended(): void;
  /** The peer closed the session. */
  closed(info: CloseInfo): void;
}

/** Counts since the session began. */
export interface MuxStats {
  /** Frames sent. */
  readonly framesOut: number;
  /** Frames received. */
  readonly framesIn: number;
  /** Stream bytes sent. */
  readonly bytesOut: number;
  /** Stream bytes received. */
  readonly bytesIn: number;
  /** Padding bytes sent. */
  readonly paddingOut: number;
  /** Padding bytes received. */
  readonly paddingIn: number;
  /** Key changes of ours. */
  readonly rekeysOut: number;
  /** Key changes of the peer. */
  readonly rekeysIn: number;
  /** Streams open now. */
  readonly streams: number;
  /** Last round-trip time in milliseconds. */
  readonly rttMs: number;
}

const PADDING = new Uint8Array(SHAPING.paddingMaxBytes);

/**
 * An HTX session without its IO: streams, flow control, rekeying and shaping over protected frames.
 *
 * Bytes from the peer go into {@link feed}, bytes for the peer come out of {@link poll}, and {@link tick} is due at
 * {@link dueAtMs}. What throws {@link HtxError} or DecodeError ends the session: the caller sends a CLOSE with
 * {@link close} and drops it.
 */
export class Mux {
  readonly #crypto: CryptoProvider;
  readonly #maxFrameBytes: number;
  readonly #observer: MuxObserver;
  readonly #opener: Opener;
  readonly #sealer: Sealer;
  readonly #outbox: Outbox;
  readonly #shaper: Shaper;
  readonly #streams: StreamTable;
  readonly #window: ReceiveWindow;
  readonly #pings: Pings;
  #rttMs: number;
  #framesIn = 0;
  #bytesIn = 0;
  #paddingIn = 0;
  #dataOut = 0;
  #over = false;

  /** Starts right after the handshake. */
  constructor(init: MuxInit) {
    const { keys, crypto, nowMs, local, remote } = init;
    const client = init.role === "client";
    this.#crypto = crypto;
    this.#maxFrameBytes = local.maxDataBytes + 1;
    this.#observer = init.observer;
    this.#rttMs = init.rttMs;
    this.#pings = new Pings(init.pingTimeoutMs);
    const most = tunedWindow(
      INITIAL_SESSION_WINDOW,
      local.maxSessionWindowBytes,
      remote.maxSessionWindowBytes,
    );
    const budget = new TuningBudget(most / 2);
    this.#streams = new StreamTable(client, local, remote, budget);
    const [ours, theirs] = client
      ? [keys.client, keys.server]
      : [keys.server, keys.client];
    this.#sealer = new Sealer(crypto, ours, nowMs, init.rekey);
    this.#opener = new Opener(crypto, theirs);
    this.#outbox = new Outbox(
      this.#sealer,
      INITIAL_SESSION_WINDOW,
      remote.maxDataBytes,
    );
    this.#window = new ReceiveWindow(most);
    const more = most - INITIAL_SESSION_WINDOW;
    if (more > 0) this.#outbox.grant(0, more);
    this.#shaper = new Shaper(crypto, nowMs, init.shaping);
  }

  /** Counts since the session began. */
  get stats(): MuxStats {
    return {
      framesOut: this.#outbox.frames,
      framesIn: this.#framesIn,
      bytesOut: this.#outbox.dataBytes,
      bytesIn: this.#bytesIn,
      paddingOut: this.#outbox.paddingBytes,
      paddingIn: this.#paddingIn,
      rekeysOut: this.#sealer.generation,
      rekeysIn: this.#opener.generation,
      streams: this.#streams.size,
      rttMs: this.#rttMs,
    };
  }

  /** Whether the peer lets us open another stream now. */
  get canOpen(): boolean {
    return !this.#over && this.#streams.canOpen;
  }

  /** Whether {@link poll} may have something for the peer. */
  get pending(): boolean {
    return this.#outbox.pending;
  }

  /** When {@link tick} is due, in milliseconds on the clock that `nowMs` comes from. */
  get dueAtMs(): number {
    if (this.#over) return Infinity;
    return Math.min(
      this.#shaper.dueAtMs,
      this.#sealer.rekeyAtMs,
      this.#pings.dueAtMs,
    );
  }

  /**
   * Opens a stream; the peer learns of it with our next batch.
   *
   * @throws {HtxError} `limit` unless {@link canOpen}.
   */
  open(weight: number = DEFAULT_WEIGHT): StreamState {
    const stream = this.#streams.open(weight);
    this.#outbox.open(stream);
    return stream;
  }

  /** Offers `bytes` for sending on `stream`, which must have nothing pending; `drained` tells when they are taken. */
  offer(stream: StreamState, bytes: Uint8Array): void {
    stream.chunk = bytes;
    stream.chunkOffset = 0;
    this.#outbox.schedule(stream);
  }

  /** Ends our side of `stream` after what was offered. */
  finish(stream: StreamState): void {
    if (stream.ended || stream.finishing) return;
    stream.finishing = true;
    this.#outbox.schedule(stream);
  }

  /** Moves received bytes into `into`, returns how many, and grants the peer new credit. */
  read(stream: StreamState, into: Uint8Array, nowMs: number): number {
    const length = stream.received.read(into);
    if (length > 0) this.#consume(stream, length, nowMs);
    return length;
  }

  /** Ends `stream` both ways at once and drops what was not read; its place is free once the RESET is sealed. */
  reset(stream: StreamState, code: number, nowMs: number): void {
    if (stream.ended) return;
    this.#end(stream, code, true, nowMs);
    this.#outbox.reset(stream, code);
  }

  /**
   * Sends a PING and returns its token in hex.
   *
   * @throws {HtxError} `limit` if too many are unanswered.
   */
  ping(nowMs: number): string {
    const { token, payload } = this.#pings.send(this.#crypto, nowMs);
    this.#outbox.control(FRAME_TYPE.ping, payload);
    return token;
  }

  /** Ends every stream and queues a CLOSE; only {@link poll} is of use afterwards. */
  close(info: CloseInfo, nowMs: number): void {
    if (this.#over) return;
    this.#over = true;
    this.#endAll(info.code, nowMs);
    this.#outbox.control(FRAME_TYPE.close, encodeClose(info));
  }

  /** Ends every stream with `code`, wipes the keys, and lets nothing through any more. */
  end(code: number, nowMs: number): void {
    this.#over = true;
    this.#endAll(code, nowMs);
    this.#sealer[Symbol.dispose]();
    this.#opener[Symbol.dispose]();
  }

  /** The next batch of bytes for the peer, `undefined` if there is none now; it is valid until the next call. */
  poll(nowMs: number): Bytes | undefined {
    const batch = this.#outbox.poll(nowMs, {
      finished: (stream) => {
        if (stream.peerFinished) this.#leave(stream, undefined, nowMs);
      },
      reset: (stream) => this.#free(stream),
    });
    if (this.#outbox.dataBytes !== this.#dataOut) {
      this.#dataOut = this.#outbox.dataBytes;
      this.#shaper.dataSent(nowMs);
    }
    return batch;
  }

  /**
   * Does what time asks for: PINGs, idle padding, and a new key when ours is old.
   *
   * @throws {HtxError} `timeout` if a PING was not answered in time.
   */
  tick(nowMs: number): void {
    if (this.#over) return;
    if (nowMs >= this.#pings.dueAtMs) {
      throw new HtxError("timeout", "Peer does not answer PING");
    }
    if (this.#shaper.pingDue(nowMs) && !this.#pings.full) this.ping(nowMs);
    const padding = this.#shaper.paddingDue(nowMs);
    if (padding !== undefined) {
      this.#outbox.shrink();
      this.#pad(padding);
    } else if (nowMs >= this.#sealer.rekeyAtMs) {
      this.#pad(0);
    }
  }

  /**
   * Takes the whole frames that `bytes` start with and returns how many bytes those were.
   *
   * @throws {DecodeError} If a frame or its payload is malformed.
   * @throws {HtxError} `unauthenticated`, `violation` or `limit`.
   */
  feed(bytes: Uint8Array, nowMs: number): number {
    let offset = 0;
    while (!this.#over) {
      const header = decodeFrameHeader(
        bytes,
        offset,
        bytes.length,
        this.#maxFrameBytes,
      );
      if (!header) break;
      const length = header.headerLength + header.length + TAG_LENGTH;
      if (bytes.length - offset < length) break;
      this.#frame(header, this.#opener.open(bytes, offset, header), nowMs);
      offset += length;
    }
    return this.#over ? bytes.length : offset;
  }

  #frame(header: FrameHeader, payload: Bytes, nowMs: number): void {
    this.#framesIn++;
    switch (header.type) {
      case FRAME_TYPE.stream:
        if (header.streamId === 0) this.#paddingIn += payload.length;
        else this.#data(header.streamId, payload, nowMs);
        break;
      case FRAME_TYPE.ping:
        this.#pinged(payload, nowMs);
        break;
      case FRAME_TYPE.close: {
        const info = decodeClose(payload);
        this.#over = true;
        this.#observer.closed(info);
        break;
      }
      case FRAME_TYPE.keyUpdate: {
        const number = decodeU32(payload, "htx key update");
        if (number !== this.#opener.generation + 1) {
          throw new HtxError("violation", "KEY_UPDATE out of turn");
        }
        this.#opener.rekey();
        break;
      }
      case FRAME_TYPE.windowUpdate:
        this.#granted(header.streamId, decodeU32(payload, "htx window update"));
    }
  }

  #data(id: number, payload: Bytes, nowMs: number): void {
    const flags = payload[0];
    if (flags === undefined || flags > STREAM_FLAG.reset) {
      throw new HtxError("malformed", "Unknown stream flags");
    }
    const stream = this.#streams.isNext(id) ? this.#accept() : this.#live(id);
    if (flags === STREAM_FLAG.reset) {
      const code = decodeReset(payload);
      if (stream) this.#leave(stream, code, nowMs);
      return;
    }
    const data = payload.subarray(1);
    this.#window.receive(data.length);
    this.#bytesIn += data.length;
    if (!stream) {
      this.#consume(undefined, data.length, nowMs);
      return;
    }
    if (stream.peerFinished) {
      throw new HtxError("violation", "Data after FIN");
    }
    stream.receiveWindow.receive(data.length);
    if (data.length > 0) stream.received.push(data);
    stream.peerFinished = flags === STREAM_FLAG.fin;
    if (data.length > 0 || stream.peerFinished) stream.observer?.readable();
    if (stream.peerFinished && stream.finished) {
      this.#leave(stream, undefined, nowMs);
    }
  }

  /** The stream `id`, `undefined` if it is over. */
  #live(id: number): StreamState | undefined {
    const stream = this.#streams.get(id);
    return stream?.ended ? undefined : stream;
  }

  /** The peer's next stream, `undefined` if our owner refused it at once. */
  #accept(): StreamState | undefined {
    const stream = this.#streams.accept();
    this.#observer.opened(stream);
    return stream.ended ? undefined : stream;
  }

  #granted(id: number, increment: number): void {
    if (id === 0) {
      this.#outbox.sessionWindow.grant(increment);
      return;
    }
    const stream = this.#live(id);
    if (!stream) return;
    stream.sendWindow.grant(increment);
    this.#outbox.schedule(stream);
  }

  #pinged(payload: Bytes, nowMs: number): void {
    const { answer, token } = decodePing(payload);
    if (!answer) {
      const reply = encodePing({ answer: true, token });
      this.#outbox.answer(reply);
      return;
    }
    const key = encodeHex(token);
    this.#rttMs = this.#pings.answered(key, nowMs);
    this.#observer.pinged(key, this.#rttMs);
  }

  #consume(
    stream: StreamState | undefined,
    length: number,
    nowMs: number,
  ): void {
    if (stream && !stream.peerFinished && !stream.ended) {
      const credit = stream.receiveWindow.consume(length, nowMs, this.#rttMs);
      if (credit > 0) this.#outbox.grant(stream.id, credit);
    }
    const credit = this.#window.consume(length, nowMs, this.#rttMs);
    if (credit > 0) this.#outbox.grant(0, credit);
  }

  #endAll(code: number, nowMs: number): void {
    for (const stream of this.#streams.all()) this.#leave(stream, code, nowMs);
  }

  /** Ends `stream` and frees its place: by both FINs, by the peer's RESET, or with the session. */
  #leave(stream: StreamState, code: number | undefined, nowMs: number): void {
    const cut = code !== undefined && !stream.peerFinished;
    this.#end(stream, code, cut, nowMs);
    this.#free(stream);
  }

  /** @param discard Whether to take back what was not read; what a peer sent up to its FIN stays otherwise. */
  #end(
    stream: StreamState,
    code: number | undefined,
    discard: boolean,
    nowMs: number,
  ): void {
    if (stream.ended) return;
    stream.ended = true;
    stream.resetCode = code;
    stream.discarded = discard;
    stream.chunk = undefined;
    stream.receiveWindow.release();
    this.#outbox.drop(stream);
    const dropped = discard ? stream.received.clear() : 0;
    if (dropped > 0) this.#consume(undefined, dropped, nowMs);
    stream.observer?.ended(code);
  }

  #free(stream: StreamState): void {
    if (this.#streams.remove(stream)) this.#observer.ended();
  }

  #pad(length: number): void {
    const padding = PADDING.subarray(0, length);
    this.#outbox.pad(padding);
  }
}
