import { type Bytes, concat } from "../../core/bytes/mod.ts";
import type { Stream } from "../../htx/mod.ts";
import {
  encodeFrame,
  encodeStatuses,
  type FrameType,
  MAX_STATUSES,
  type Status,
} from "./frame.ts";

/** Most bytes that are joined to one write. */
const MAX_WRITE = 262_144;

/** Writes frames to one stream; what is given in one turn of the event loop is written at once. */
export class FrameWriter {
  readonly #stream: Stream;
  readonly #onError: (error: unknown) => void;
  #frames: Bytes[] = [];
  #statuses: Status[] = [];
  #isWriting = false;

  /** @param onError - Hears why no more is written. */
  constructor(stream: Stream, onError: (error: unknown) => void) {
    this.#stream = stream;
    this.#onError = onError;
  }

  /** Writes a frame, behind those given before. */
  write(type: FrameType, body: Uint8Array): void {
    this.#frames.push(encodeFrame(type, body));
    this.#start();
  }

  /** Writes a status, with others in one frame. */
  status(status: Status): void {
    this.#statuses.push(status);
    if (this.#statuses.length === MAX_STATUSES) this.#flushStatuses();
    this.#start();
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
    this.#frames.push(encodeFrame("statuses", body));
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
