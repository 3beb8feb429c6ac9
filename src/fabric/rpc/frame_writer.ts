import type { Clock } from "../../core/async/mod.ts";
import { type Bytes, concat } from "../../core/bytes/mod.ts";
import type { Stream } from "../../htx/mod.ts";
import { FabricError } from "../error.ts";
import {
  encodeFrame,
  encodeStatuses,
  type FrameType,
  MAX_STATUSES,
  type Status,
} from "./frame.ts";

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
  #frames: Bytes[] = [];
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
    this.#push(type, body);
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

  #push(type: FrameType, body: Uint8Array): void {
    const frame = encodeFrame(type, body);
    this.#frames.push(frame);
    this.#backlog += frame.length;
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
    this.#push("statuses", body);
  }

  #take(): Bytes | undefined {
    const frames = this.#frames;
    if (frames.length === 0) return undefined;
    let [count, length] = [1, frames[0]!.length];
    while (
      count < frames.length && length + frames[count]!.length <= MAX_WRITE
    ) length += frames[count++]!.length;
    this.#frames = frames.slice(count);
    return count === 1 ? frames[0] : concat(...frames.slice(0, count));
  }
}
