import { FrameWriter, type HeadersOptions } from "./frame_writer.ts";
import type { HpackEncoderOptions } from "./hpack_encoder.ts";
import type { HeaderField } from "./hpack_table.ts";
import { Http2Error } from "./http2_error.ts";
import { MAX_WINDOW_BYTES } from "./receive_window.ts";
import {
  applySettings,
  DEFAULT_SETTINGS,
  type Setting,
  type Settings,
} from "./settings.ts";
import type { Http2Stream } from "./http2_stream.ts";

/** What `Http2Connection.send` does with its data. */
export interface SendOptions {
  /** Ends our side of the stream once all of it went. Default false. */
  readonly endStream?: boolean;
  /** Longest DATA payload in bytes. Default: what the peer takes. */
  readonly maxDataBytes?: number;
}

/** What a peer says first. */
export interface PeerGreeting {
  /** Its first SETTINGS, in the order sent. */
  readonly settings: readonly Setting[];
  /** By how much it has enlarged the connection's window so far. */
  readonly windowUpdate: number;
}

/** The sending half of a connection: what the peer allows, and the frames that wait to be taken. */
export class Outbound {
  /** The frames. */
  readonly writer: FrameWriter;
  #settings: Settings = DEFAULT_SETTINGS;
  #window = DEFAULT_SETTINGS.initialWindowSize;
  #greeting: readonly Setting[] | undefined;
  #increment = 0;

  /** Starts with what every peer allows. */
  constructor(hpack?: HpackEncoderOptions) {
    this.writer = new FrameWriter(hpack);
  }

  /** The peer's settings. */
  get settings(): Settings {
    return this.#settings;
  }

  /** What the peer has said first, once its SETTINGS have come. */
  get greeting(): PeerGreeting | undefined {
    const settings = this.#greeting;
    return settings && { settings, windowUpdate: this.#increment };
  }

  /**
   * Takes the peer's SETTINGS and acknowledges them.
   *
   * @throws {Http2Error} If a value is out of range, or makes the window of one of `streams` too large.
   */
  apply(changes: readonly Setting[], streams: Iterable<Http2Stream>): void {
    const { initialWindowSize } = this.#settings;
    this.#settings = applySettings(this.#settings, changes);
    this.#greeting ??= changes;
    for (const stream of streams) {
      stream.sendWindow += this.#settings.initialWindowSize - initialWindowSize;
      checkWindow(stream.sendWindow, 0);
    }
    this.writer.setPeerTableBytes(this.#settings.headerTableSize);
    this.writer.settingsAck();
  }

  /**
   * Takes a WINDOW_UPDATE of `stream`, or of the connection.
   *
   * @throws {Http2Error} If the window becomes too large.
   */
  grow(increment: number, stream?: Http2Stream): void {
    const size = (stream?.sendWindow ?? this.#window) + increment;
    checkWindow(size, stream?.id ?? 0);
    if (stream) stream.sendWindow = size;
    else {
      this.#window = size;
      this.#increment += increment;
    }
  }

  /** Sends a header section. */
  headers(
    stream: Http2Stream,
    fields: readonly HeaderField[],
    options: HeadersOptions,
  ): void {
    const { maxFrameSize } = this.#settings;
    this.writer.headers(stream.id, fields, maxFrameSize, options);
    if (options.endStream) stream.localEnded = true;
  }

  /** Sends as much of `data` as the windows allow, and returns how many bytes that is. */
  data(
    stream: Http2Stream,
    data: Uint8Array,
    { endStream = false, maxDataBytes = Infinity }: SendOptions,
  ): number {
    const most = Math.min(maxDataBytes, this.#settings.maxFrameSize);
    for (let sent = 0;;) {
      const allowed = Math.min(most, this.#window, stream.sendWindow);
      const length = Math.min(data.length - sent, Math.max(allowed, 0));
      const last = endStream && sent + length === data.length;
      if (length === 0 && !last) return sent;
      this.writer.data(stream.id, data.subarray(sent, sent + length), last);
      this.#window -= length;
      stream.sendWindow -= length;
      sent += length;
      if (!last) continue;
      stream.localEnded = true;
      return sent;
    }
  }
}

function checkWindow(size: number, streamId: number): void {
  if (size <= MAX_WINDOW_BYTES) return;
  throw new Http2Error("flowControlError", "Window beyond its limit", {
    streamId,
  });
}
