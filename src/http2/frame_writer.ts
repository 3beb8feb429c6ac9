import { borrow, type Bytes, concat, Writer } from "../core/bytes/mod.ts";
import {
  connectionPreface,
  encodeFrameHeader,
  FLAG,
  FRAME_TYPE,
} from "./frame.ts";
import { encodePriority, type Priority } from "./frame_payload.ts";
import { HpackEncoder, type HpackEncoderOptions } from "./hpack_encoder.ts";
import type { HeaderField } from "./hpack_table.ts";
import { ERROR_CODE, type ErrorCodeName } from "./http2_error.ts";
import { encodeSettings, type Setting } from "./settings.ts";

const EMPTY = new Uint8Array(0);

/** What a HEADERS frame has besides its fields. */
export interface HeadersOptions {
  /** Ends our side of the stream with it. Default false. */
  readonly endStream?: boolean;
  /** The priority to send along; none by default. */
  readonly priority?: Priority;
}

/** Encodes frames of one direction and keeps them until they are taken. */
export class FrameWriter {
  readonly #encoder: HpackEncoder;
  #parts: Uint8Array[] = [];
  #length = 0;

  /** Starts with nothing to send. */
  constructor(hpack?: HpackEncoderOptions) {
    this.#encoder = new HpackEncoder(hpack);
  }

  /** Bytes that {@link take} would give. */
  get length(): number {
    return this.#length;
  }

  /** What was written, once, in an array that may be given back; `undefined` if nothing was. */
  take(): Bytes | undefined {
    if (this.#length === 0) return undefined;
    const bytes = borrow(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#length = 0;
    return bytes;
  }

  /** Takes the peer's SETTINGS_HEADER_TABLE_SIZE. */
  setPeerTableBytes(tableBytes: number): void {
    this.#encoder.setPeerTableBytes(tableBytes);
  }

  /** What a client sends first. */
  preface(): void {
    this.#put(connectionPreface());
  }

  /** SETTINGS. */
  settings(settings: readonly Setting[]): void {
    this.#frame(FRAME_TYPE.settings, 0, 0, encodeSettings(settings));
  }

  /** The acknowledgement of SETTINGS. */
  settingsAck(): void {
    this.#frame(FRAME_TYPE.settings, FLAG.ack, 0, EMPTY);
  }

  /** WINDOW_UPDATE. */
  windowUpdate(streamId: number, increment: number): void {
    this.#frame(FRAME_TYPE.windowUpdate, 0, streamId, u32(increment));
  }

  /** PING, or its answer; `data` are 8 bytes and copied. */
  ping(data: Uint8Array, { ack = false } = {}): void {
    this.#frame(FRAME_TYPE.ping, ack ? FLAG.ack : 0, 0, data.slice());
  }

  /** RST_STREAM. */
  rstStream(streamId: number, code: ErrorCodeName): void {
    this.#frame(FRAME_TYPE.rstStream, 0, streamId, u32(ERROR_CODE[code]));
  }

  /** GOAWAY. */
  goAway(lastStreamId: number, code: ErrorCodeName): void {
    const w = new Writer(8).u32(lastStreamId).u32(ERROR_CODE[code]);
    this.#frame(FRAME_TYPE.goAway, 0, 0, w.finish());
  }

  /** PRIORITY. */
  priority(streamId: number, priority: Priority): void {
    this.#frame(FRAME_TYPE.priority, 0, streamId, encodePriority(priority));
  }

  /** DATA; `data` is kept as it is until it is taken. */
  data(streamId: number, data: Uint8Array, endStream: boolean): void {
    const flags = endStream ? FLAG.endStream : 0;
    this.#frame(FRAME_TYPE.data, flags, streamId, data);
  }

  /** HEADERS, and CONTINUATION for what is beyond `maxFrameBytes`. */
  headers(
    streamId: number,
    fields: readonly HeaderField[],
    maxFrameBytes: number,
    { endStream = false, priority }: HeadersOptions = {},
  ): void {
    const front = priority ? encodePriority(priority) : EMPTY;
    const block = concat(front, this.#encoder.encode(fields));
    let flags = (endStream ? FLAG.endStream : 0) |
      (priority ? FLAG.priority : 0);
    let type: number = FRAME_TYPE.headers;
    let at = 0;
    do {
      const part = block.subarray(at, at += maxFrameBytes);
      if (at >= block.length) flags |= FLAG.endHeaders;
      this.#frame(type, flags, streamId, part);
      type = FRAME_TYPE.continuation;
      flags = 0;
    } while (at < block.length);
  }

  #frame(
    type: number,
    flags: number,
    streamId: number,
    payload: Uint8Array,
  ): void {
    this.#put(encodeFrameHeader({ type, flags, streamId }, payload.length));
    this.#put(payload);
  }

  #put(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }
}

function u32(value: number): Bytes {
  return new Writer(4).u32(value).finish();
}
