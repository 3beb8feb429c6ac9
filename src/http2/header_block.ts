import { concat } from "../core/bytes/mod.ts";
import { FLAG, type Frame, FRAME_TYPE } from "./frame.ts";
import { decodeHeaders } from "./frame_payload.ts";
import { Http2Error } from "./http2_error.ts";

/** A header block that is whole. */
export interface HeaderBlock {
  /** Its stream. */
  readonly streamId: number;
  /** Whether the stream ends with it. */
  readonly endStream: boolean;
  /** For HPACK. */
  readonly bytes: Uint8Array;
}

/** Most CONTINUATION frames of one block. */
export const MAX_CONTINUATIONS = 16;

/** Puts HEADERS and CONTINUATION frames together (RFC 9113 §4.3). */
export class HeaderBlocks {
  readonly #maxBlockBytes: number;
  #begun: Omit<HeaderBlock, "bytes"> | undefined;
  #fragments: Uint8Array[] = [];
  #length = 0;

  /** Takes blocks of up to `maxBlockBytes`. */
  constructor(maxBlockBytes: number) {
    this.#maxBlockBytes = maxBlockBytes;
  }

  /** Whether a block is begun, so that only its CONTINUATION may follow. */
  get isOpen(): boolean {
    return this.#begun !== undefined;
  }

  /**
   * Takes a HEADERS or CONTINUATION frame, and returns the block that it completes.
   *
   * @throws {Http2Error} If the frame is malformed or out of place, or the block too large.
   */
  add(frame: Frame): HeaderBlock | undefined {
    const { type, flags, streamId } = frame;
    if (type === FRAME_TYPE.headers) {
      const { fragment } = decodeHeaders(frame);
      const endStream = (flags & FLAG.endStream) !== 0;
      this.#begun = { streamId, endStream };
      this.#keep(fragment);
    } else {
      if (this.#begun?.streamId !== streamId) {
        throw new Http2Error("protocolError", "CONTINUATION of no block");
      }
      this.#keep(frame.payload);
    }
    if (!(flags & FLAG.endHeaders)) return undefined;
    const block = { ...this.#begun, bytes: concat(...this.#fragments) };
    this.#begun = undefined;
    this.#fragments = [];
    this.#length = 0;
    return block;
  }

  #keep(fragment: Uint8Array): void {
    this.#length += fragment.length;
    if (
      this.#length > this.#maxBlockBytes ||
      this.#fragments.length > MAX_CONTINUATIONS
    ) throw new Http2Error("enhanceYourCalm", "Header block is too large");
    this.#fragments.push(fragment.slice());
  }
}
