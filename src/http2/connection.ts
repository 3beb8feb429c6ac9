import type { Bytes } from "../core/bytes/mod.ts";
import type { Http2Event } from "./connection_event.ts";
import { FLAG, type Frame, FRAME_TYPE } from "./frame.ts";
import {
  decodeGoAway,
  decodePriority,
  decodeRstStream,
  decodeWindowUpdate,
  type Priority,
  unpad,
} from "./frame_payload.ts";
import { FrameReader } from "./frame_reader.ts";
import type { FrameWriter, HeadersOptions } from "./frame_writer.ts";
import { HeaderBlocks } from "./header_block.ts";
import { DEFAULT_MAX_HEADER_LIST_BYTES } from "./hpack_decoder.ts";
import type { HpackEncoderOptions } from "./hpack_encoder.ts";
import type { HeaderField } from "./hpack_table.ts";
import {
  type ErrorCodeName,
  errorCodeName,
  Http2Error,
} from "./http2_error.ts";
import { type Http2Role, Http2Stream } from "./http2_stream.ts";
import { checkFields } from "./message_fields.ts";
import { NuisanceBudget } from "./nuisance_budget.ts";
import { Outbound, type PeerGreeting, type SendOptions } from "./outbound.ts";
import { MAX_WINDOW_BYTES, ReceiveWindow } from "./receive_window.ts";
import {
  applySettings,
  decodeSettings,
  DEFAULT_SETTINGS,
  SETTING,
  type Setting,
  type Settings,
} from "./settings.ts";
import { StreamTable } from "./stream_table.ts";

/** Streams that a client may have open at once, unless our settings say else. */
export const DEFAULT_MAX_STREAMS = 100;

const PING_LENGTH = 8;
/** DATA below it costs more than it brings. */
const SHORT_DATA_BYTES = 16;

/** Options of {@link Http2Connection}. */
export interface Http2ConnectionOptions {
  /** Which end this is. */
  readonly role: Http2Role;
  /** Our SETTINGS, in the order sent. Default none. */
  readonly settings?: readonly Setting[];
  /** Increment of the connection's window, sent behind the SETTINGS. Default 0: none is sent. */
  readonly windowIncrement?: number;
  /** How we write header blocks. */
  readonly hpack?: HpackEncoderOptions;
  /** Longest header list to take, in bytes as HPACK counts them. Default 65,536. */
  readonly maxHeaderListBytes?: number;
}

/**
 * One end of an HTTP/2 connection, without IO (RFC 9113): bytes in, events and bytes out.
 *
 * The peer can make it hold one frame, one header block, two HPACK tables, 1,024 numbers of reset streams and as many open streams
 * as our SETTINGS_MAX_CONCURRENT_STREAMS allows. PUSH_PROMISE is refused; priorities are ignored.
 */
export class Http2Connection {
  readonly #role: Http2Role;
  readonly #local: Settings;
  readonly #reader: FrameReader;
  readonly #outbound: Outbound;
  readonly #blocks: HeaderBlocks;
  readonly #streams = new StreamTable();
  readonly #nuisances = new NuisanceBudget();
  readonly #window: ReceiveWindow;
  /** Ours once the peer has acknowledged them. */
  #binding: Settings = DEFAULT_SETTINGS;
  #greeted = false;
  #leaving = false;
  #peerLeaves = false;
  #failed = false;
  #nowMs = 0;
  /** Whether the last DATA was short. */
  #wasShort = false;
  #events: Http2Event[] = [];

  /**
   * Queues the preface of a client, SETTINGS and WINDOW_UPDATE.
   *
   * @throws {RangeError} If a setting or the increment is outside its range.
   */
  constructor(options: Http2ConnectionOptions) {
    const { role, settings = [], windowIncrement = 0 } = options;
    const { maxHeaderListBytes = DEFAULT_MAX_HEADER_LIST_BYTES } = options;
    this.#role = role;
    this.#local = ownSettings(settings);
    this.#window = ownWindow(windowIncrement);
    this.#reader = new FrameReader(this.#local.maxFrameSize, {
      expectPreface: role === "server",
    });
    this.#blocks = new HeaderBlocks({
      maxTableBytes: Math.max(this.#local.headerTableSize, 4_096),
      maxHeaderListBytes,
    });
    this.#outbound = new Outbound(options.hpack);
    if (role === "client") this.#writer.preface();
    this.#writer.settings(settings);
    if (windowIncrement > 0) this.#writer.windowUpdate(0, windowIncrement);
  }

  /** Bytes that {@link takeOutgoing} would give. */
  get outgoingBytes(): number {
    return this.#writer.length;
  }

  /** What the peer has said first; `undefined` before its SETTINGS. */
  get peerGreeting(): PeerGreeting | undefined {
    return this.#outbound.greeting;
  }

  /** Streams that are open. */
  get openStreams(): number {
    return this.#streams.size;
  }

  /** What is to be sent, once, in an array that may be given back (`giveBack`); `undefined` if nothing is. */
  takeOutgoing(): Bytes | undefined {
    return this.#writer.take();
  }

  /** Takes what was received; views in the events live as long as `bytes`. What the peer does wrong is an event too. */
  receive(bytes: Uint8Array, nowMs: number): Http2Event[] {
    if (this.#failed) return [];
    this.#nowMs = nowMs;
    this.#events = [];
    try {
      for (const frame of this.#reader.read(bytes)) this.#receive(frame);
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      this.#failed = true;
      this.goAway(error.code);
      this.#events.push({ type: "failed", error });
    }
    return this.#events;
  }

  /**
   * Sends a request and returns its stream.
   *
   * @throws {Http2Error} `refusedStream` if the peer takes no more streams now, `protocolError` if the fields are malformed.
   * @throws {TypeError} In a server.
   */
  request(
    fields: readonly HeaderField[],
    options: HeadersOptions = {},
  ): number {
    if (this.#role !== "client") throw new TypeError("Only clients request");
    const { lastId } = this.#streams;
    const id = lastId === 0 ? 1 : lastId + 2;
    const { method = "" } = checkFields("request", fields, id);
    const full =
      this.#streams.size >= this.#outbound.settings.maxConcurrentStreams;
    if (full || this.#peerLeaves || this.#failed || id >= 2 ** 31) {
      throw new Http2Error("refusedStream", "Peer takes no more streams", {
        streamId: id,
      });
    }
    const stream = this.#open(id);
    stream.method = method;
    this.#sendHeaders(stream, fields, options);
    return id;
  }

  /**
   * Sends a response, or a 1xx before it.
   *
   * @throws {Http2Error} `streamClosed` if the stream has ended, `protocolError` if the fields are malformed.
   */
  respond(
    streamId: number,
    fields: readonly HeaderField[],
    options: Pick<HeadersOptions, "endStream"> = {},
  ): void {
    checkFields("response", fields, streamId);
    this.#sendHeaders(this.#sending(streamId), fields, options);
  }

  /**
   * Sends as much of `data` as the windows allow now, and returns how many bytes that is; after a later
   * {@link receive} there may be room for more. `data` must not change before {@link takeOutgoing}.
   *
   * @throws {Http2Error} `streamClosed` if the stream has ended.
   */
  send(
    streamId: number,
    data: Uint8Array,
    options: SendOptions = {},
  ): number {
    const stream = this.#sending(streamId);
    const sent = this.#outbound.data(stream, data, options);
    this.#streams.settle(stream);
    return sent;
  }

  /** Gives back `length` bytes of a `data` event that nobody holds any more, so that the peer may send more. */
  consume(streamId: number, length: number): void {
    const increment = this.#window.consume(length);
    if (increment > 0) this.#writer.windowUpdate(0, increment);
    const stream = this.#streams.get(streamId);
    if (!stream || stream.remoteEnded) return;
    const more = stream.receiveWindow.consume(length);
    if (more > 0) this.#writer.windowUpdate(streamId, more);
  }

  /** Lets the peer send `windowBytes` at once on a stream, and on all together, where that was less; nothing if it has ended. */
  widen(streamId: number, windowBytes: number): void {
    const stream = this.#streams.get(streamId);
    if (!stream || stream.remoteEnded) return;
    const increment = this.#window.widen(windowBytes);
    if (increment > 0) this.#writer.windowUpdate(0, increment);
    const more = stream.receiveWindow.widen(windowBytes);
    if (more > 0) this.#writer.windowUpdate(streamId, more);
  }

  /** Resets a stream; does nothing if it has ended. A peer that has too many refused ends the connection. */
  reset(streamId: number, code: ErrorCodeName = "cancel"): void {
    if (!this.#streams.get(streamId)) return;
    if (code === "refusedStream") this.#nuisances.spend(this.#nowMs);
    this.#reset(streamId, code);
  }

  /**
   * Sends a PING; a `pong` event brings `data` back.
   *
   * @throws {RangeError} If `data` is not 8 bytes.
   */
  ping(data: Uint8Array): void {
    if (data.length !== PING_LENGTH) {
      throw new RangeError(`Want ${PING_LENGTH} bytes: got ${data.length}`);
    }
    this.#writer.ping(data);
  }

  /** Sends a PRIORITY frame, which a stream of any state can have. */
  prioritize(streamId: number, priority: Priority): void {
    this.#writer.priority(streamId, priority);
  }

  /** Sends GOAWAY: streams that the peer opens from now on are dropped. */
  goAway(code: ErrorCodeName = "noError"): void {
    this.#leaving = true;
    this.#writer.goAway(
      this.#role === "server" ? this.#streams.lastId : 0,
      code,
    );
  }

  get #writer(): FrameWriter {
    return this.#outbound.writer;
  }

  #receive(frame: Frame): void {
    try {
      this.#dispatch(frame);
    } catch (error) {
      if (!(error instanceof Http2Error) || error.streamId === 0) throw error;
      const { streamId, code } = error;
      if (frame.type === FRAME_TYPE.data) {
        this.consume(0, frame.payload.length);
      }
      this.#countNuisance();
      this.#reset(streamId, code);
      this.#events.push({ type: "reset", streamId, code, error });
    }
  }

  #dispatch(frame: Frame): void {
    const { type, flags, streamId, payload } = frame;
    const ack = (flags & FLAG.ack) !== 0;
    const T = FRAME_TYPE;
    this.#greeted ||= type === T.settings && !ack;
    check(this.#greeted, "First frame is not SETTINGS");
    const inPlace = !this.#blocks.isOpen || type === T.continuation;
    check(inPlace, "Frame inside a header block");
    if (type === T.data) return this.#receiveData(frame);
    if (type === T.headers || type === T.continuation) {
      return this.#receiveHeaders(frame);
    }
    if (type === T.windowUpdate) return this.#receiveWindowUpdate(frame);
    this.#countNuisance();
    if (type === T.settings) return this.#receiveSettings(frame, ack);
    if (type === T.ping) return this.#receivePing(frame, ack);
    if (type === T.rstStream) return this.#receiveReset(streamId, payload);
    if (type === T.goAway) return this.#receiveGoAway(streamId, payload);
    if (type === T.priority) {
      check(streamId > 0, "PRIORITY of no stream");
      decodePriority(payload);
    }
    check(type !== T.pushPromise, "PUSH_PROMISE, which is not enabled");
  }

  #receiveData(frame: Frame): void {
    const { streamId, payload, flags } = frame;
    check(streamId > 0, "DATA of no stream");
    checkFlow(this.#window.take(payload.length));
    const data = unpad(frame);
    const stream = this.#streams.receiving(streamId);
    if (!stream) return this.consume(0, payload.length);
    checkFlow(stream.receiveWindow.take(payload.length), streamId);
    const endStream = (flags & FLAG.endStream) !== 0;
    this.#countShort(data.length, endStream);
    stream.takeContent(data.length, endStream);
    this.consume(streamId, payload.length - data.length);
    this.#streams.settle(stream);
    this.#events.push({ type: "data", streamId, data, endStream });
  }

  #receiveHeaders(frame: Frame): void {
    check(frame.streamId > 0, "HEADERS of no stream");
    const section = this.#blocks.add(frame);
    if (!section) return;
    const stream = this.#arriving(section.streamId);
    if (!stream) return this.#countNuisance();
    const { fields, endStream } = section;
    stream.takeFields(this.#role, fields, endStream);
    if (stream.awaitsFields) this.#countNuisance(); // it was a 1xx
    this.#streams.settle(stream);
    this.#events.push({ type: "headers", ...section });
  }

  #receiveWindowUpdate({ streamId, payload }: Frame): void {
    const increment = decodeWindowUpdate(payload);
    const idle = streamId > 0 && this.#streams.isIdle(streamId);
    check(!idle, "WINDOW_UPDATE of an idle stream");
    const stream = this.#streams.get(streamId);
    if (streamId > 0 && !stream) return;
    check(increment > 0, "WINDOW_UPDATE by 0", streamId);
    this.#outbound.grow(increment, stream);
  }

  #receiveSettings({ streamId, payload }: Frame, ack: boolean): void {
    check(streamId === 0, "SETTINGS of a stream");
    if (ack) return this.#bind(payload);
    const settings = decodeSettings(payload);
    const pushes = settings.some(([identifier, value]) =>
      identifier === SETTING.enablePush && value === 1
    );
    check(!pushes || this.#role === "server", "Server that enables push");
    this.#outbound.apply(settings, this.#streams);
    this.#events.push({ type: "settings", settings });
  }

  /** From here on the peer is bound to our settings. */
  #bind(payload: Uint8Array): void {
    if (payload.length > 0) {
      throw new Http2Error("frameSizeError", "SETTINGS ACK with a payload");
    }
    check(this.#binding !== this.#local, "SETTINGS ACK of no SETTINGS");
    const delta = this.#local.initialWindowSize -
      this.#binding.initialWindowSize;
    for (const stream of this.#streams) stream.receiveWindow.resize(delta);
    this.#blocks.setMaxTableBytes(this.#local.headerTableSize);
    this.#binding = this.#local;
  }

  #receivePing({ streamId, payload }: Frame, ack: boolean): void {
    check(streamId === 0, "PING of a stream");
    if (payload.length !== PING_LENGTH) {
      throw new Http2Error("frameSizeError", "PING of a wrong length");
    }
    if (ack) this.#events.push({ type: "pong", data: payload });
    else this.#writer.ping(payload, { ack: true });
  }

  #receiveReset(streamId: number, payload: Uint8Array): void {
    const code = errorCodeName(decodeRstStream(payload));
    check(!this.#streams.isIdle(streamId), "RST_STREAM of an idle stream");
    if (!this.#streams.get(streamId)) return;
    this.#streams.reset(streamId, "peer");
    this.#events.push({ type: "reset", streamId, code });
  }

  #receiveGoAway(streamId: number, payload: Uint8Array): void {
    check(streamId === 0, "GOAWAY of a stream");
    const { lastStreamId, code } = decodeGoAway(payload);
    const name = errorCodeName(code);
    this.#peerLeaves = true;
    this.#events.push({ type: "goAway", lastStreamId, code: name });
    if (this.#role !== "client") return;
    for (const { id } of [...this.#streams]) {
      if (id <= lastStreamId) continue;
      this.#streams.reset(id, "peer");
      this.#events.push({ type: "reset", streamId: id, code: "refusedStream" });
    }
  }

  /** The stream of a header block; `undefined` if it is to be dropped. */
  #arriving(id: number): Http2Stream | undefined {
    const begins = this.#role === "server" && this.#streams.isIdle(id);
    if (!begins) return this.#streams.receiving(id);
    check(id % 2 === 1, "Stream of the client with an even number");
    if (this.#leaving) return this.#streams.refuse(id), undefined;
    const { maxConcurrentStreams } = this.#local;
    if (this.#nuisances.isSpent) throw tooMany();
    if (this.#streams.size < maxConcurrentStreams) return this.#open(id);
    this.#streams.refuse(id);
    throw new Http2Error("refusedStream", "Too many streams", { streamId: id });
  }

  #open(id: number): Http2Stream {
    const stream = new Http2Stream(
      id,
      this.#binding.initialWindowSize,
      this.#outbound.settings.initialWindowSize,
    );
    this.#streams.add(stream);
    return stream;
  }

  #sending(streamId: number): Http2Stream {
    const stream = this.#streams.get(streamId);
    if (stream && !stream.localEnded && !this.#failed) return stream;
    throw new Http2Error("streamClosed", "Stream has ended", { streamId });
  }

  #sendHeaders(
    stream: Http2Stream,
    fields: readonly HeaderField[],
    options: HeadersOptions,
  ): void {
    this.#outbound.headers(stream, fields, options);
    this.#streams.settle(stream);
  }

  #reset(streamId: number, code: ErrorCodeName): void {
    this.#streams.reset(streamId, "us");
    this.#writer.rstStream(streamId, code);
  }

  /** One short piece may be what a window left of a longer one; a second is a nuisance. */
  #countShort(dataLength: number, endStream: boolean): void {
    const isShort = dataLength < SHORT_DATA_BYTES && !endStream;
    if (isShort && (dataLength === 0 || this.#wasShort)) this.#countNuisance();
    this.#wasShort = isShort;
  }

  #countNuisance(): void {
    if (!this.#nuisances.spend(this.#nowMs)) throw tooMany();
  }
}

function ownSettings(settings: readonly Setting[]): Settings {
  const most = {
    ...DEFAULT_SETTINGS,
    maxConcurrentStreams: DEFAULT_MAX_STREAMS,
  };
  try {
    return applySettings(most, settings);
  } catch (cause) {
    throw new RangeError("Want settings within their ranges", { cause });
  }
}

function ownWindow(increment: number): ReceiveWindow {
  const size = DEFAULT_SETTINGS.initialWindowSize + increment;
  if (!(increment >= 0 && size <= MAX_WINDOW_BYTES)) {
    throw new RangeError(
      `Want a window up to ${MAX_WINDOW_BYTES}: got ${size}`,
    );
  }
  return new ReceiveWindow(size);
}

function tooMany(): Http2Error {
  return new Http2Error("enhanceYourCalm", "Too many frames to no purpose");
}

function check(good: boolean, reason: string, streamId = 0): void {
  if (!good) throw new Http2Error("protocolError", reason, { streamId });
}

function checkFlow(good: boolean, streamId = 0): void {
  if (good) return;
  throw new Http2Error("flowControlError", "Window exceeded", { streamId });
}
