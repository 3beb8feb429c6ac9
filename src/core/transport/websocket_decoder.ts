import { type Bytes, DecodeError } from "../bytes/mod.ts";
import { TransportError } from "./error.ts";
import {
  applyMask,
  decodeClose,
  decodeHeader,
  type FrameHeader,
  headerLength,
  MAX_HEADER_BYTES,
  OPCODE,
} from "./websocket_frame.ts";

/** Options of {@link WebSocketDecoder}. */
export interface WebSocketDecoderOptions {
  /** Whether the peer masks its frames: clients must, servers must not (RFC 6455 §5.1). */
  readonly masked: boolean;
  /** Longest payload of one frame in bytes. */
  readonly maxFrameBytes: number;
}

/**
 * Turns the bytes of a WebSocket into the bytes that its binary messages carry, in place and without keeping them;
 * where messages and fragments begin is forgotten.
 *
 * It holds at most one header and one control frame.
 */
export class WebSocketDecoder {
  readonly #options: WebSocketDecoderOptions;
  readonly #head = new Uint8Array(MAX_HEADER_BYTES);
  #headLength = 0;
  /** The frame whose payload comes next. */
  #frame: FrameHeader | undefined;
  #payloadOffset = 0;
  #control: Bytes | undefined;
  #inMessage = false;
  #ping: Bytes | undefined;
  #closeCode: number | undefined;

  /** Starts before the first frame. */
  constructor(options: WebSocketDecoderOptions) {
    this.#options = options;
  }

  /** The code of the peer's close frame (1005: it had none), once that came; later bytes are ignored. */
  get closeCode(): number | undefined {
    return this.#closeCode;
  }

  /** Takes the payload of the latest ping that was not taken yet: older ones need no answer (RFC 6455 §5.5.3). */
  takePing(): Bytes | undefined {
    const ping = this.#ping;
    this.#ping = undefined;
    return ping;
  }

  /**
   * Decodes the next `bytes`: moves the payload they hold to their front and returns its length.
   *
   * @throws {DecodeError} If a frame breaks RFC 6455 or is a text frame.
   * @throws {TransportError} `limit` if a frame is longer than `maxFrameBytes`.
   */
  feed(bytes: Uint8Array): number {
    let read = 0;
    let written = 0;
    while (read < bytes.length && this.#closeCode === undefined) {
      if (!this.#frame) {
        read += this.#feedHeader(bytes.subarray(read));
      } else if (this.#control) {
        read += this.#feedControl(bytes.subarray(read));
      } else {
        const end = read + this.#payloadLeft(bytes.length - read);
        if (written < read) bytes.copyWithin(written, read, end);
        written += this.#unmask(bytes, written, end - read);
        read = end;
      }
      this.#endFrame();
    }
    return written;
  }

  #feedHeader(bytes: Uint8Array): number {
    let taken = 0;
    while (taken < bytes.length && this.#headLength < this.#wantedLength()) {
      this.#head[this.#headLength++] = bytes[taken++]!;
    }
    const wanted = this.#wantedLength();
    if (this.#headLength < wanted) return taken;
    this.#frame = decodeHeader(this.#head.subarray(0, wanted));
    this.#check(this.#frame);
    this.#headLength = 0;
    this.#payloadOffset = 0;
    if (this.#frame.opcode >= OPCODE.close) {
      this.#control = new Uint8Array(this.#frame.payloadLength);
    }
    return taken;
  }

  #wantedLength(): number {
    return this.#headLength < 2 ? 2 : headerLength(this.#head[1]!);
  }

  #check({ final, opcode, mask, payloadLength }: FrameHeader): void {
    const { masked, maxFrameBytes } = this.#options;
    const fail = (reason: string) => {
      throw new DecodeError("WebSocket frame", reason);
    };
    if ((mask !== undefined) !== masked) {
      fail(masked ? "a client must mask" : "a server must not mask");
    }
    if (opcode >= OPCODE.close) return;
    if (opcode === OPCODE.text) fail("text is not supported");
    if ((opcode === OPCODE.continuation) !== this.#inMessage) {
      fail("fragments are out of order");
    }
    this.#inMessage = !final;
    if (payloadLength > maxFrameBytes) {
      throw new TransportError(
        "limit",
        `A frame holds ${maxFrameBytes} bytes: got ${payloadLength}`,
      );
    }
  }

  #payloadLeft(available: number): number {
    return Math.min(
      available,
      this.#frame!.payloadLength - this.#payloadOffset,
    );
  }

  #unmask(bytes: Uint8Array, at: number, length: number): number {
    const { mask } = this.#frame!;
    if (mask && length > 0) {
      applyMask(bytes.subarray(at, at + length), mask, this.#payloadOffset);
    }
    this.#payloadOffset += length;
    return length;
  }

  #feedControl(bytes: Uint8Array): number {
    const part = bytes.subarray(0, this.#payloadLeft(bytes.length));
    const at = this.#payloadOffset;
    this.#control!.set(part, at);
    return this.#unmask(this.#control!, at, part.length);
  }

  #endFrame(): void {
    const frame = this.#frame;
    if (!frame || this.#payloadOffset < frame.payloadLength) return;
    this.#frame = undefined;
    const control = this.#control;
    this.#control = undefined;
    if (frame.opcode === OPCODE.ping) this.#ping = control;
    if (frame.opcode === OPCODE.close) this.#closeCode = decodeClose(control!);
  }
}
