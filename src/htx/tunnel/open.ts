import { concat, DecodeError } from "../../core/bytes/mod.ts";
import { HtxError } from "../error.ts";
import { closeOnAbort } from "../close_on_abort.ts";
import { BufferedDuplex, type Duplex } from "../duplex.ts";
import {
  decodeOpenReply,
  encodeOpenRequest,
  type OpenReply,
  type Target,
} from "./target.ts";

/** Where streams to the server come from: an HTX session, or whatever stands in for one. */
export interface StreamOpener {
  /**
   * Opens a new stream; waits while the peer's stream limit is reached.
   *
   * @throws The reason of the signal, or what is wrong with the session.
   */
  open(options?: { readonly signal?: AbortSignal }): Promise<Duplex>;
}

/** Options of {@link openTarget}. */
export interface OpenTargetOptions {
  /** First bytes for the target, sent along with the request. */
  readonly early?: Uint8Array;
  /** Gives up opening. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a stream and asks the server to connect it to `target`, without waiting for the answer.
 *
 * @throws What {@link StreamOpener.open} or the write throws, or the reason of the signal.
 */
export async function openTarget(
  opener: StreamOpener,
  target: Target,
  { early, signal }: OpenTargetOptions = {},
): Promise<TargetStream> {
  const request = encodeOpenRequest(target);
  const stream = await opener.open(signal && { signal });
  try {
    using _abort = closeOnAbort(signal, stream);
    await stream.write(early ? concat(request, early) : request);
    signal?.throwIfAborted();
    return new TargetStream(stream);
  } catch (error) {
    stream.close();
    signal?.throwIfAborted();
    throw error;
  }
}

/** A stream on which the open request was sent: writes go to the target, reads await the server's reply first. */
export class TargetStream implements Duplex {
  readonly #stream: BufferedDuplex;
  #pending: Promise<OpenReply> | undefined;
  #refusal: Exclude<OpenReply, "granted"> | undefined;

  /** Takes over a stream whose next bytes are the open reply. */
  constructor(stream: Duplex) {
    this.#stream = new BufferedDuplex(stream);
  }

  /** Why the server refused the target, once it has. */
  get refusal(): Exclude<OpenReply, "granted"> | undefined {
    return this.#refusal;
  }

  /**
   * The server's reply; a refusal closes the stream.
   *
   * @throws {HtxError} `malformed` if it does not decode, `closed` if the stream ended before it.
   */
  reply(): Promise<OpenReply> {
    return this.#pending ??= this.#readReply();
  }

  /**
   * As {@link Connection.read}, of the target's bytes.
   *
   * @throws {HtxError} `refused` if the server refused the target, and as {@link reply}.
   */
  async read(buffer: Uint8Array): Promise<number | null> {
    const reply = await this.reply();
    if (reply !== "granted") {
      throw new HtxError("refused", `The server refused the target: ${reply}`);
    }
    return await this.#stream.read(buffer);
  }

  /** As {@link Connection.write}. */
  write(bytes: Uint8Array): Promise<void> {
    return this.#stream.write(bytes);
  }

  /** As {@link Connection.closeWrite}. */
  closeWrite(): Promise<void> {
    return this.#stream.closeWrite();
  }

  /** As {@link Connection.close}. */
  close(): void {
    this.#stream.close();
  }

  async #readReply(): Promise<OpenReply> {
    try {
      const decoded = await this.#stream.take(decodeOpenReply);
      if (!decoded) {
        throw new HtxError("closed", "The stream ended before its open reply");
      }
      if (decoded.value !== "granted") {
        this.#refusal = decoded.value;
        this.close();
      }
      return decoded.value;
    } catch (cause) {
      if (!(cause instanceof DecodeError)) throw cause;
      throw new HtxError("malformed", "The open reply is malformed", { cause });
    }
  }
}
