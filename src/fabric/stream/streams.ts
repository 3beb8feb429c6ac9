import {
  type Clock,
  Deadline,
  type WaitOptions,
} from "../../core/async/mod.ts";
import { DecodeError } from "../../core/bytes/mod.ts";
import type { Logger } from "../../core/log/mod.ts";
import { HtxError, type Stream } from "../../htx/mod.ts";
import { decodePayload } from "../agent/payload.ts";
import { FabricError } from "../error.ts";
import type { AgentId } from "../identity/agent_id.ts";
import type { Message } from "../message/message.ts";
import type { Frame } from "../rpc/frame.ts";
import { FrameDecoder } from "../rpc/frame_decoder.ts";
import { framesOf } from "../rpc/frames_of.ts";
import type { RpcLink } from "../rpc/rpc_link.ts";
import { FabricStream } from "./fabric_stream.ts";
import {
  decodeReason,
  encodeReason,
  encodeStreamFrame,
  MAX_STREAM_BODY,
  STREAM_FRAME_TYPES,
  type StreamFrameType,
} from "./stream_frame.ts";

/**
 * Takes a stream of one type that another agent opened, with the value that it was opened with. When it is done, our side ends and
 * what is not read yet is dropped; when it throws, the stream is closed: a {@link FabricError} `refused` says why to the other end.
 */
export type StreamHandler = (
  stream: FabricStream,
  value: unknown,
) => void | Promise<void>;

/** Limits of the streams of an agent. */
export interface StreamLimits {
  /** Most streams at a time, opened by us or by others; 256 by default. */
  readonly maxStreams?: number;
  /** Most of one link that others opened; 64 by default. */
  readonly maxStreamsPerLink?: number;
}

/** What became of streams. */
export interface StreamCounts {
  /** Streams that we opened. */
  opened: number;
  /** Streams of others that a handler was given. */
  accepted: number;
  /** Streams of others without a handler for their type, or that are malformed. */
  refused: number;
  /** Streams of others for which there was no room. */
  full: number;
}

/** Parts and limits of {@link Streams}. */
export interface StreamsOptions extends StreamLimits {
  /** Where it says what failed. */
  readonly log: Logger;
  /** Time. */
  readonly clock: Clock;
}

type Frames = AsyncIterator<Frame<StreamFrameType>, undefined>;

/** The deadline of a stream that has none. */
export const NO_DEADLINE: number = Number.MAX_SAFE_INTEGER;

const MAX_STREAMS = 256;
const MAX_STREAMS_PER_LINK = 64;
const ACCEPT_MS = 10_000;

/** The streams of one agent, those that it opens and those that others open to it. */
export class Streams {
  /** What became of them so far. */
  readonly counts: StreamCounts = {
    ...{ opened: 0, accepted: 0, refused: 0, full: 0 },
  };
  readonly #options: StreamsOptions;
  readonly #handlers = new Map<string, StreamHandler>();
  readonly #open = new Set<FabricStream>();
  readonly #perLink = new Map<RpcLink, number>();
  readonly #over = new AbortController();
  /** Streams that are being opened. */
  #opening = 0;

  /** Starts without any. */
  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  /** Streams that are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Types that are handled. */
  get types(): readonly string[] {
    return [...this.#handlers.keys()];
  }

  /**
   * Lets `handler` have the streams of a type; disposing of what it gives takes it away.
   *
   * @throws {RangeError} If the type has a handler.
   */
  handle(type: string, handler: StreamHandler): Disposable {
    if (this.#handlers.has(type)) {
      throw new RangeError(`Streams of type ${type} have a handler`);
    }
    this.#handlers.set(type, handler);
    return { [Symbol.dispose]: () => void this.#handlers.delete(type) };
  }

  /**
   * Opens a stream by a link, once the other end has accepted it.
   *
   * @param link - Finds or dials one; its signal aborts after 10 s.
   * @throws {FabricError} `refused` with the reason of the other end; `unreachable` if there is no link or no word in 10 s; `full` if
   *   as many are open as may be; `closed`.
   * @throws The reason of the signal.
   */
  async open(
    opening: Message,
    link: (options: WaitOptions) => Promise<RpcLink>,
    { signal }: WaitOptions = {},
  ): Promise<FabricStream> {
    this.#over.signal.throwIfAborted();
    signal?.throwIfAborted();
    if (this.#open.size + this.#opening >= this.#maxStreams) {
      throw new FabricError("full", "Too many streams are open");
    }
    this.#opening++;
    const ends = signal
      ? AbortSignal.any([signal, this.#over.signal])
      : this.#over.signal;
    try {
      using deadline = new Deadline(this.#options.clock, ACCEPT_MS, {
        signal: ends,
      });
      const stream = await offer(opening, link, deadline.signal);
      const frames = framesIn(stream);
      await accepted(frames, stream, deadline.signal);
      this.counts.opened++;
      return this.#track(stream, frames, opening, opening.to, ends);
    } catch (error) {
      ends.throwIfAborted();
      if (error instanceof DOMException && error.name === "TimeoutError") {
        throw new FabricError("unreachable", "No word came in time", {
          cause: error,
        });
      }
      throw error;
    } finally {
      this.#opening--;
    }
  }

  /** Takes a stream that another agent, which is verified, opens by a link; `rest` are its first bytes. It never rejects. */
  async accept(
    opening: Message,
    stream: Stream,
    rest: Uint8Array,
    link: RpcLink,
  ): Promise<void> {
    const refusal = this.#refusalOf(opening, link);
    if (refusal !== undefined) {
      this.counts[refusal === "full" ? "full" : "refused"]++;
      return await refuseStream(stream, refusal, this.#options.clock);
    }
    const handler = this.#handlers.get(opening.type)!;
    this.#perLink.set(link, (this.#perLink.get(link) ?? 0) + 1);
    const { signal } = this.#over;
    const frames = framesIn(stream, rest);
    const taken = this.#track(stream, frames, opening, opening.from, signal);
    void taken.closed.then(() => {
      const left = this.#perLink.get(link)! - 1;
      if (left > 0) this.#perLink.set(link, left);
      else this.#perLink.delete(link);
    });
    try {
      await stream.write(encodeStreamFrame("accepted", new Uint8Array()));
      this.counts.accepted++;
      await handler(taken, decodePayload(opening.payload));
      await taken.end();
      stream.close();
    } catch (error) {
      await taken.close(this.#reasonOf(error));
    }
  }

  /** Closes every stream, and opens and accepts none any more. */
  close(): void {
    this.#over.abort(new FabricError("closed", "The fabric is closed"));
  }

  get #maxStreams(): number {
    return this.#options.maxStreams ?? MAX_STREAMS;
  }

  #refusalOf({ type }: Message, link: RpcLink): string | undefined {
    const { maxStreamsPerLink = MAX_STREAMS_PER_LINK } = this.#options;
    if (this.#over.signal.aborted) return "closed";
    if (!this.#handlers.has(type)) return "no_handler";
    const isFull = this.#open.size + this.#opening >= this.#maxStreams ||
      (this.#perLink.get(link) ?? 0) >= maxStreamsPerLink;
    return isFull ? "full" : undefined;
  }

  #track(
    stream: Stream,
    frames: Frames,
    opening: Message,
    peer: AgentId,
    signal: AbortSignal,
  ): FabricStream {
    const { createdMs, deadlineMs } = opening;
    const tracked = new FabricStream({
      ...{ opening, peer, stream, frames, signal },
      clock: this.#options.clock,
      // Of the other end's clock only the difference counts.
      lifetimeMs: deadlineMs === NO_DEADLINE
        ? Infinity
        : Math.max(0, deadlineMs - createdMs),
    });
    this.#open.add(tracked);
    void tracked.closed.then(() => this.#open.delete(tracked));
    return tracked;
  }

  /** Why a handler closes its stream, for the other end. */
  #reasonOf(error: unknown): string {
    if (error instanceof FabricError) {
      return error.code === "refused" ? error.message : error.code;
    }
    if (!this.#over.signal.aborted) {
      this.#options.log.warn("fabric.handler_failed", { error });
    }
    return "handler_failed";
  }
}

/** Tells the other end that its stream is not taken. It never rejects. */
export async function refuseStream(
  stream: Stream,
  reason: string,
  clock: Clock,
): Promise<void> {
  using deadline = new Deadline(clock, ACCEPT_MS);
  deadline.signal.addEventListener("abort", () => stream.close());
  try {
    await stream.write(encodeReason("refused", reason));
    await stream.closeWrite();
  } catch (error) {
    if (!(error instanceof HtxError)) throw error;
  }
  stream.close();
}

async function offer(
  opening: Message,
  link: (options: WaitOptions) => Promise<RpcLink>,
  signal: AbortSignal,
): Promise<Stream> {
  return await (await link({ signal })).openStream(opening, { signal });
}

/** Waits until the other end has accepted a stream. */
async function accepted(
  frames: Frames,
  stream: Stream,
  signal: AbortSignal,
): Promise<void> {
  const onAbort = () => stream.close();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    const { value: frame } = await frames.next();
    if (frame?.type === "accepted") return;
    if (frame?.type !== "refused") throw malformed();
    const reason = decodeReason(frame.body);
    throw new FabricError("refused", `The stream was refused: ${reason}`);
  } catch (cause) {
    stream.close();
    signal.throwIfAborted();
    if (cause instanceof DecodeError) throw malformed(cause);
    if (!(cause instanceof HtxError)) throw cause;
    throw new FabricError("unreachable", "The stream was cut", { cause });
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function framesIn(stream: Stream, rest?: Uint8Array): Frames {
  const decoder = new FrameDecoder(STREAM_FRAME_TYPES, MAX_STREAM_BODY);
  if (rest) decoder.push(rest);
  return framesOf(stream, decoder);
}

function malformed(cause?: DecodeError): FabricError {
  return new FabricError("malformed", "The stream begins otherwise", {
    cause,
  });
}
