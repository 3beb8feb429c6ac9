import { concat, DecodeError } from "../core/bytes/mod.ts";
import { FLAG, type Frame, FRAME_TYPE } from "./frame.ts";
import { decodeHeaders } from "./frame_payload.ts";
import { HpackDecoder, type HpackDecoderOptions } from "./hpack_decoder.ts";
import type { HeaderField } from "./hpack_table.ts";
import { Http2Error } from "./http2_error.ts";

/** A header section that is whole. */
export interface HeaderSection {
  /** Its stream. */
  readonly streamId: number;
  /** Whether the stream ends with it. */
  readonly endStream: boolean;
  /** In the order sent. */
  readonly fields: readonly HeaderField[];
}

/** Most CONTINUATION frames of one block. */
const MAX_CONTINUATIONS = 16;

/** Puts HEADERS and CONTINUATION frames together and decodes them (RFC 9113 §4.3). */
export class HeaderBlocks {
  readonly #decoder: HpackDecoder;
  readonly #maxBlockBytes: number;
  #begun: Omit<HeaderSection, "fields"> | undefined;
  #fragments: Uint8Array[] = [];
  #length = 0;

  /** Takes blocks, and lists, of up to `maxHeaderListBytes`, with a dynamic table of up to `maxTableBytes`. */
  constructor(
    { maxTableBytes, maxHeaderListBytes }: Required<HpackDecoderOptions>,
  ) {
    this.#decoder = new HpackDecoder({ maxTableBytes, maxHeaderListBytes });
    this.#maxBlockBytes = maxHeaderListBytes;
  }

  /** As `HpackDecoder.setMaxTableBytes`. */
  setMaxTableBytes(maxTableBytes: number): void {
    this.#decoder.setMaxTableBytes(maxTableBytes);
  }

  /** Whether a block is begun, so that only its CONTINUATION may follow. */
  get isOpen(): boolean {
    return this.#begun !== undefined;
  }

  /**
   * Takes a HEADERS or CONTINUATION frame, and returns the section that it completes.
   *
   * @throws {Http2Error} If the frame is malformed or out of place, or the block too large.
   */
  add(frame: Frame): HeaderSection | undefined {
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
    const section = {
      ...this.#begun,
      fields: this.#decode(concat(...this.#fragments)),
    };
    this.#begun = undefined;
    this.#fragments = [];
    this.#length = 0;
    return section;
  }

  #decode(block: Uint8Array): HeaderField[] {
    try {
      return this.#decoder.decode(block);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw cause instanceof DecodeError
        ? new Http2Error("compressionError", cause.message, { cause })
        : new Http2Error("enhanceYourCalm", cause.message, { cause });
    }
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
