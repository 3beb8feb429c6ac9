import type { Clock } from "../../core/async/mod.ts";
import { type Bytes, Writer } from "../../core/bytes/mod.ts";
import type { Stream } from "../../htx/mod.ts";
import { FabricError } from "../error.ts";
import { type Message, writeMessage } from "../message/message.ts";
import {
  encodeStatuses,
  FRAME_HEAD_LENGTH,
  type FrameType,
  MAX_STATUSES,
  type Status,
  writeFrameHead,
} from "./frame.ts";

interface Waiting {
  readonly type: FrameType;
  /** Bytes of the body. */
  readonly length: number;
  readonly body: Uint8Array | Message;
}

/** Most bytes that are joined to one write. */
const MAX_WRITE = 262_144;
/** Bytes that wait at most: more than windows and answers let through, so that only statuses of who never reads come to it. */
const MAX_BACKLOG = 64 * 1024 * 1024;
/** How long a status that nobody waits for may wait for something to go with, in milliseconds, and how many do. */
const STATUS_DELAY_MS = 5;
const MAX_DELAYED = 64;

/**
 * Writes frames to one stream; what is given in one turn of the event loop is written at once.
 *
 * If 64 MiB wait, the other end does not read, and no more is written.
 */
export class FrameWriter implements Disposable {
  readonly #stream: Stream;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  /** Encoded when they are written, all that go together into one array. */
  #frames: Waiting[] = [];
  #statuses: Status[] = [];
  #isWriting = false;
  #backlog = 0;
  #cancelDelay: (() => void) | undefined;

  /** @param onError - Hears why no more is written. */
  constructor(
    stream: Stream,
    clock: Clock,
    onError: (error: unknown) => void,
  ) {
    this.#stream = stream;
    this.#clock = clock;
    this.#onError = onError;
  }

  /** Bytes that wait. */
  get backlog(): number {
    return this.#backlog;
  }

  /** Writes a frame, behind those given before. */
  write(type: FrameType, body: Uint8Array): void {
    this.#push({ type, length: body.length, body });
    this.#start();
  }

  /** Writes a message of `length` bytes, as `encodedLength` has measured it; it must stay as it is. */
  message(message: Message, length: number): void {
    this.#push({ type: "message", length, body: message });
    this.#start();
  }

  /** Writes a status, with others in one frame. */
  status(status: Status): void {
    this.#statuses.push(status);
    if (this.#statuses.length === MAX_STATUSES) this.#flushStatuses();
    this.#start();
  }

  /** Writes a status that nobody waits for: with what is written next, or after 5 ms. */
  statusSoon(status: Status): void {
    this.#statuses.push(status);
    if (this.#statuses.length >= MAX_DELAYED) return this.#start();
    this.#cancelDelay ??= this.#clock.setTimeout(() => {
      this.#cancelDelay = undefined;
      if (this.#statuses.length > 0) this.#start();
    }, STATUS_DELAY_MS);
  }

  /** Lets statuses wait no longer; what waits is not written. */
  [Symbol.dispose](): void {
    this.#cancelDelay?.();
    this.#cancelDelay = () => {};
    this.#statuses = [];
  }

  #push(frame: Waiting): void {
    this.#frames.push(frame);
    this.#backlog += FRAME_HEAD_LENGTH + frame.length;
    if (this.#backlog <= MAX_BACKLOG) return;
    this.#frames = [];
    this.#onError(new FabricError("full", "The other end does not read"));
  }

  #start(): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    queueMicrotask(() => void this.#writeAll());
  }

  async #writeAll(): Promise<void> {
    try {
      for (;;) {
        this.#flushStatuses();
        const bytes = this.#take();
        if (!bytes) break;
        await this.#stream.write(bytes);
        this.#backlog -= bytes.length;
      }
    } catch (error) {
      this.#onError(error);
      return;
    }
    this.#isWriting = false;
  }

  #flushStatuses(): void {
    if (this.#statuses.length === 0) return;
    const body = encodeStatuses(this.#statuses);
    this.#statuses = [];
    this.#push({ type: "statuses", length: body.length, body });
  }

  #take(): Bytes | undefined {
    const frames = this.#frames;
    let [count, length] = [0, 0];
    while (count < frames.length) {
      const more = FRAME_HEAD_LENGTH + frames[count]!.length;
      if (count > 0 && length + more > MAX_WRITE) break;
      length += more;
      count++;
    }
    if (count === 0) return undefined;
    this.#frames = frames.slice(count);
    const writer = new Writer(length);
    for (let i = 0; i < count; i++) {
      const { type, length, body } = frames[i]!;
      writeFrameHead(writer, type, length);
      if (body instanceof Uint8Array) writer.put(body);
      else writeMessage(writer, body);
    }
    if (writer.length !== length) {
      throw new TypeError("A message changed while it waited");
    }
    return writer.finish();
  }
}
