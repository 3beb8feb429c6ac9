import { type Clock, Deadline } from "../../core/async/mod.ts";
import { DecodeError } from "../../core/bytes/mod.ts";
import { HtxError, type Stream } from "../../htx/mod.ts";
import { decodePayload, encodePayload } from "../agent/payload.ts";
import { FabricError } from "../error.ts";
import type { AgentId } from "../identity/agent_id.ts";
import type { Message } from "../message/message.ts";
import type { Frame } from "../rpc/frame.ts";
import {
  decodeReason,
  encodeReason,
  encodeStreamFrame,
  MAX_STREAM_VALUE_BYTES,
  type StreamFrameType,
} from "./stream_frame.ts";

/** Parts of a {@link FabricStream}. */
export interface FabricStreamOptions {
  /** What it was opened with. */
  readonly opening: Message;
  /** Who is at the other end, verified. */
  readonly peer: AgentId;
  /** The stream of the link. */
  readonly stream: Stream;
  /** What the other end sends in it, from here on. */
  readonly frames: AsyncIterator<Frame<StreamFrameType>>;
  /** Closes the stream when it aborts. */
  readonly signal?: AbortSignal;
  /** Milliseconds until it is closed at the latest; never if infinite. */
  readonly lifetimeMs: number;
  /** Time. */
  readonly clock: Clock;
}

/** How long the other end may take to make room for the reason of a close, in milliseconds. */
const CLOSING_MS = 2_000;
/** The reason of a close by whoever's clock is first at the end of the lifetime. */
const EXPIRED = "expired";

/**
 * Values both ways between two agents that are live, each way in order, at the pace of who reads.
 *
 * It lives as long as the link: values that were not read when the link breaks are lost, and both ends hear of it. Iterate over it
 * once; leaving the loop early closes it.
 */
export class FabricStream
  implements AsyncIterableIterator<unknown>, AsyncDisposable {
  /** What it was opened with: type, metadata, id. */
  readonly opening: Message;
  /** Who is at the other end, verified. */
  readonly peer: AgentId;
  /** Resolves when both sides have ended, or it was closed; never rejects. */
  readonly closed: Promise<void>;
  readonly #stream: Stream;
  readonly #clock: Clock;
  readonly #frames: AsyncIterator<Frame<StreamFrameType>>;
  /** Why there is no more, if we or the other end closed it. */
  #failure: { readonly reason: unknown } | undefined;
  #failRead: ((reason: unknown) => void) | undefined;
  #isSending = false;
  #isSent = false;
  #isReceived = false;

  /** Goes on where the stream was opened. */
  constructor(options: FabricStreamOptions) {
    const { opening, peer, stream, frames, signal, clock } = options;
    this.opening = opening;
    this.peer = peer;
    this.#stream = stream;
    this.#clock = clock;
    this.#frames = frames;
    const cancel = clock.setTimeout(() => {
      void this.#close(expired(), EXPIRED);
    }, options.lifetimeMs);
    const onAbort = () => void this.#close(signal!.reason);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
    this.closed = stream.closed.then(() => {
      cancel();
      signal?.removeEventListener("abort", onAbort);
    });
  }

  /**
   * Sends a value; resolves once there is room for it at the other end, so waiting keeps its pace. One at a time.
   *
   * @throws {RangeError} If it has more than 1 MiB as CBOR, or is nothing that CBOR carries.
   * @throws {TypeError} If the value before is still being sent.
   * @throws {FabricError} `closed` if either end closed the stream or we ended our side; `expired`; `unreachable` if the link is over.
   * @throws The reason of the signal of the stream.
   */
  async send(value: unknown): Promise<void> {
    const body = encodePayload(value, MAX_STREAM_VALUE_BYTES);
    await this.#write(encodeStreamFrame("value", body));
  }

  /**
   * The next value of the other end, or that there is no more.
   *
   * @throws {FabricError} `closed` if either end closed the stream; `malformed`; `expired`; `unreachable` if the link is over.
   * @throws {TypeError} If another is waited for.
   * @throws The reason of the signal of the stream.
   */
  next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#failure) return Promise.reject(this.#failure.reason);
    if (this.#failRead) {
      return Promise.reject(new TypeError("A value is waited for already"));
    }
    if (this.#isReceived) {
      return Promise.resolve({ done: true, value: undefined });
    }
    return new Promise((resolve, reject) => {
      this.#failRead = reject;
      this.#receive().then(resolve, reject);
    });
  }

  /** Itself: it is iterated over once. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Closes the stream, as leaving a loop over it early does. */
  async return(): Promise<IteratorResult<unknown, undefined>> {
    await this.close();
    return { done: true, value: undefined };
  }

  /**
   * Ends our side behind what was sent; the other end may go on.
   *
   * @throws {TypeError} If a value is being sent.
   * @throws {FabricError} `closed` if we closed the stream; `unreachable` if the link is over.
   */
  async end(): Promise<void> {
    if (this.#isSent) return;
    this.#checkOpen();
    if (this.#isSending) throw new TypeError("A value is being sent");
    this.#isSent = true;
    try {
      await this.#stream.closeWrite();
    } catch (error) {
      // The other end reads no more, and does not need to be told.
      if (!isReset(error)) throw this.#translate(error);
    }
  }

  /**
   * Ends both sides: the other end reads what was sent before, and then why.
   *
   * @param reason - For the other end: the first 64 characters.
   */
  async close(reason = ""): Promise<void> {
    const error = new FabricError("closed", "The stream is closed");
    await this.#close(error, reason);
  }

  /** As {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #receive(): Promise<IteratorResult<unknown, undefined>> {
    try {
      const { done, value: frame } = await this.#frames.next();
      this.#checkOpen();
      if (done) {
        this.#isReceived = true;
        return { done: true, value: undefined };
      }
      switch (frame.type) {
        case "value":
          return { done: false, value: decodePayload(frame.body.slice()) };
        case "closed":
          throw closedBy(decodeReason(frame.body));
        default:
          throw new FabricError("malformed", `No ${frame.type} belongs here`);
      }
    } catch (error) {
      this.#checkOpen();
      const reason = this.#translate(error);
      this.#failure = { reason };
      this.#stream.close();
      throw reason;
    } finally {
      this.#failRead = undefined;
    }
  }

  async #write(frame: Uint8Array): Promise<void> {
    this.#checkOpen();
    if (this.#isSent) {
      throw new FabricError("closed", "Our side of the stream has ended");
    }
    if (this.#isSending) throw new TypeError("A value is being sent");
    this.#isSending = true;
    try {
      await this.#stream.write(frame);
    } catch (error) {
      // What the other end sent before is still to be read, and perhaps why it closed.
      this.#checkOpen();
      throw this.#translate(error);
    } finally {
      this.#isSending = false;
    }
  }

  async #close(failure: unknown, reason = ""): Promise<void> {
    if (this.#failure) return;
    this.#failure = { reason: failure };
    this.#failRead?.(failure);
    if (!this.#isSent && !this.#isSending) {
      this.#isSent = true;
      await this.#finish(reason);
    }
    this.#stream.close();
  }

  /** Says why, if the other end makes room for it in time. What it was sent up to the end of our side it can read after a reset too. */
  async #finish(reason: string): Promise<void> {
    using deadline = new Deadline(this.#clock, CLOSING_MS);
    deadline.signal.addEventListener("abort", () => this.#stream.close());
    try {
      await this.#stream.write(encodeReason("closed", reason));
      await this.#stream.closeWrite();
    } catch (error) {
      if (!(error instanceof HtxError)) throw error;
    }
  }

  #checkOpen(): void {
    if (this.#failure) throw this.#failure.reason;
  }

  #translate(error: unknown): unknown {
    if (isReset(error)) return closedBy("");
    if (error instanceof HtxError) {
      return new FabricError("unreachable", "The link is over", {
        cause: error,
      });
    }
    if (error instanceof DecodeError) {
      return new FabricError("malformed", "The stream is malformed", {
        cause: error,
      });
    }
    return error;
  }
}

function isReset(error: unknown): boolean {
  return error instanceof HtxError && error.code === "reset";
}

function expired(): FabricError {
  return new FabricError("expired", "The stream's time is over");
}

function closedBy(reason: string): FabricError {
  if (reason === EXPIRED) return expired();
  const text = "The other end closed the stream";
  return new FabricError("closed", reason ? `${text}: ${reason}` : text);
}
