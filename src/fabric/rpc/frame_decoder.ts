import { concat, DecodeError } from "../../core/bytes/mod.ts";
import {
  type Frame,
  FRAME_HEAD_LENGTH,
  FRAME_TYPES,
  type FrameType,
  MAX_BODY,
} from "./frame.ts";

const WHAT = "fabric frame";
const EMPTY = new Uint8Array();

/** Cuts the bytes of one stream into frames of `Type`. It holds what has come of one frame, never more. */
export class FrameDecoder<Type extends string = FrameType> {
  readonly #types: readonly Type[];
  readonly #maxBody: Readonly<Record<Type, number>>;
  readonly #onHead: (length: number) => void;
  #bytes: Uint8Array = EMPTY;
  #at = 0;
  #head: Uint8Array = EMPTY;
  #parts: Uint8Array[] = [];
  #type: Type | undefined;
  #missing = 0;

  /**
   * Starts before a frame.
   *
   * @param types - Types by their number on the wire.
   * @param maxBody - Longest body of each, in bytes.
   * @param onHead - Hears the length of each body before any of it is held; what it throws {@link next} does.
   */
  constructor(
    types: readonly Type[],
    maxBody: Readonly<Record<Type, number>>,
    onHead: (length: number) => void = () => {},
  ) {
    this.#types = types;
    this.#maxBody = maxBody;
    this.#onHead = onHead;
  }

  /** A decoder of the frames of links. */
  static ofLink(onHead?: (length: number) => void): FrameDecoder {
    return new FrameDecoder(FRAME_TYPES, MAX_BODY, onHead);
  }

  /** Whether it waits for the rest of a frame. */
  get isInside(): boolean {
    return this.#type !== undefined || this.#head.length > 0;
  }

  /** Takes the next bytes, once {@link next} gives nothing more; they must stay as they are until then. */
  push(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#at = 0;
  }

  /**
   * The next frame that is whole; its body may borrow from the bytes pushed.
   *
   * @throws {DecodeError} If it is of no known type, or too long for it.
   */
  next(): Frame<Type> | undefined {
    if (this.#type === undefined && !this.#readHead()) return undefined;
    const part = this.#take(this.#missing);
    this.#missing -= part.length;
    if (this.#missing > 0) {
      if (part.length > 0) this.#parts.push(part.slice());
      return undefined;
    }
    const type = this.#type!;
    const body = this.#parts.length > 0 ? concat(...this.#parts, part) : part;
    this.#type = undefined;
    this.#parts = [];
    return { type, body };
  }

  /** Every frame that {@link next} gives. */
  *[Symbol.iterator](): IterableIterator<Frame<Type>> {
    for (let frame; (frame = this.next());) yield frame;
  }

  /** What was pushed and is in no frame that {@link next} gave: the bytes of an application, once frames are over. */
  rest(): Uint8Array {
    return concat(this.#head, this.#take(Infinity));
  }

  #readHead(): boolean {
    const part = this.#take(FRAME_HEAD_LENGTH - this.#head.length);
    const head = this.#head.length > 0 ? concat(this.#head, part) : part;
    if (head.length < FRAME_HEAD_LENGTH) {
      this.#head = head.slice();
      return false;
    }
    this.#head = EMPTY;
    const type = this.#types[head[0]!];
    const length = head[1]! * 2 ** 24 + (head[2]! << 16 | head[3]! << 8) +
      head[4]!;
    if (!type) throw new DecodeError(WHAT, "unknown type");
    if (length > this.#maxBody[type]) throw new DecodeError(WHAT, "too long");
    this.#onHead(length);
    this.#type = type;
    this.#missing = length;
    return true;
  }

  #take(length: number): Uint8Array {
    const part = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += part.length;
    return part;
  }
}
