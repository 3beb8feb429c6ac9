import type { Clock } from "../async/mod.ts";
import type { Bytes } from "../bytes/mod.ts";
import { TransportError } from "./error.ts";

const SEGMENT_BYTES = 16_384;

/** The way from one host of a memory network to another. */
export interface MemoryLink {
  readonly clock: Clock;
  /** Greatest number of bytes on the way and unread. */
  readonly bufferBytes: number;
  /** Whether nothing gets through now. */
  isDown(): boolean;
  /** How long a segment of this many bytes takes, in milliseconds. */
  delayMs(byteLength: number): number;
}

/** What travels: bytes, the end of the sender's side, or the news that the sender broke the connection. */
type Segment = Bytes | "end" | "reset";

/** One direction of a memory connection: bytes arrive late, but whole and in order. */
export class MemoryPipe {
  readonly #link: MemoryLink;
  readonly #flight: { readonly at: number; readonly segment: Segment }[] = [];
  readonly #arrived: Segment[] = [];
  /** Bytes of the first arrived segment that were read. */
  #offset = 0;
  #held = 0;
  #writerError: TransportError | undefined;
  #readerError: TransportError | undefined;
  #cancelTimer: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;
  #wakeReader: (() => void) | undefined;
  /** Called when the sender's reset arrives. */
  onReset: () => void = () => {};

  constructor(link: MemoryLink) {
    this.#link = link;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const room = this.#link.bufferBytes - this.#held;
      if (this.#writerError) throw this.#writerError;
      if (room === 0) {
        await new Promise<void>((resolve) => this.#wakeWriter = resolve);
        continue;
      }
      const end = at + Math.min(room, SEGMENT_BYTES);
      const segment = new Uint8Array(bytes.subarray(at, end));
      this.#depart(segment, segment.length);
      at += segment.length;
    }
  }

  /** Sends the end, or the news that the connection broke, behind the bytes on the way. */
  end(how: "end" | "reset"): void {
    this.#depart(how, 0);
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    let segment;
    while ((segment = this.#arrived[0]) === undefined) {
      if (this.#readerError) throw this.#readerError;
      await new Promise<void>((resolve) => this.#wakeReader = resolve);
    }
    if (segment === "end") return null;
    if (segment === "reset") {
      throw new TransportError("reset", "The peer broke the connection");
    }
    const part = segment.subarray(this.#offset, this.#offset + buffer.length);
    buffer.set(part);
    this.#offset += part.length;
    if (this.#offset === segment.length) {
      this.#arrived.shift();
      this.#offset = 0;
    }
    this.#held -= part.length;
    this.#wakeWriter?.();
    return part.length;
  }

  /** Fails this and every later write. */
  failWriter(error: TransportError): void {
    this.#writerError ??= error;
    this.#wakeWriter?.();
  }

  /** Fails this and every later read; what is on the way and unread, and what is still written, vanishes. */
  failReader(error: TransportError): void {
    this.#readerError ??= error;
    this.#cancelTimer?.();
    this.#flight.length = 0;
    this.#arrived.length = 0;
    this.#held = 0;
    this.#wakeReader?.();
    this.#wakeWriter?.();
  }

  /** Lets arrive what is due; called by timers and when the link comes up. */
  deliver(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#link.isDown()) return;
    const { clock } = this.#link;
    let head;
    while ((head = this.#flight[0]) && head.at <= clock.now()) {
      this.#flight.shift();
      this.#arrived.push(head.segment);
      if (head.segment === "reset") this.onReset();
      this.#wakeReader?.();
    }
    if (!head) return;
    const wait = head.at - clock.now();
    this.#cancelTimer = clock.setTimeout(() => this.deliver(), wait);
  }

  #depart(segment: Segment, byteLength: number): void {
    if (this.#writerError || this.#readerError) return;
    const { clock } = this.#link;
    this.#held += byteLength;
    const at = clock.now() + this.#link.delayMs(byteLength);
    const before = this.#flight.at(-1)?.at ?? 0;
    this.#flight.push({ at: Math.max(at, before), segment });
    if (!this.#cancelTimer) this.deliver();
  }
}
