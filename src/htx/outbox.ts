import type { Bytes } from "../core/bytes/mod.ts";
import { HtxError } from "./error.ts";
import { SendWindow } from "./flow.ts";
import {
  FRAME_TYPE,
  frameHeaderLength,
  type FrameType,
  MAX_HEADER_LENGTH,
  TAG_LENGTH,
} from "./frame.ts";
import { encodeReset, encodeU32, STREAM_FLAG } from "./payload.ts";
import type { Sealer } from "./protection.ts";
import { Scheduler } from "./scheduler.ts";
import type { StreamState } from "./stream_state.ts";

/** Bytes after which a batch is handed out. */
const BATCH_BYTES = 262_144;
/** The same while several streams share the session. */
const SHARED_BATCH_BYTES = 65_536;
/** A batch of this size goes out when a stream runs dry in its turn, so that it can refill before others take its share. */
const DRY_BATCH_BYTES = 16_384;
/** Room that every session keeps; larger room it gives back. */
const IDLE_BYTES = 512;
/** Room that grows as it is needed; from here on it is made for whole batches. All of it stays until the session is idle. */
const SMALL_BYTES = 16_384;
/**
 * Where a batch starts in its room. Large arrays start at the same place of their pages, and copying to a place up to 31
 * bytes behind that of the source is 20 times slower where `memmove` is `rep movsb` of an AMD Zen.
 */
const LEAD_BYTES = 32;
/** Answers to PINGs that wait for a peer that does not read; more end the session. */
const MAX_ANSWERS = 4_096;

const EMPTY = new Uint8Array(0);
/** A STREAM payload without data. */
const OPEN = Uint8Array.of(STREAM_FLAG.none);

/** Told what {@link Outbox.poll} sealed. */
export interface OutboxObserver {
  /** The FIN of `stream` went out. */
  finished(stream: StreamState): void;
  /** The RESET of `stream` went out. */
  reset(stream: StreamState): void;
}

/** What waits to be sent, and the batches of sealed frames made of it. */
export class Outbox {
  readonly #sealer: Sealer;
  readonly #maxData: number;
  readonly #scheduler = new Scheduler();
  readonly #control: { type: FrameType; payload: Uint8Array }[] = [];
  readonly #credit = new Map<number, number>();
  #opening: number[] = [];
  #resets: { readonly stream: StreamState; readonly code: number }[] = [];
  #answers = 0;
  #padding: Uint8Array | undefined;
  /** Whether padding was sealed since there was room for it. */
  #isPadded = false;
  readonly #idleBatch: Bytes = new Uint8Array(IDLE_BYTES);
  #batch = this.#idleBatch;
  /** Where the next frame goes in the room of the batch. */
  #length = LEAD_BYTES;

  /** What we may still send on all streams together. */
  readonly sessionWindow: SendWindow;
  /** Frames sealed. */
  frames = 0;
  /** Stream bytes sealed. */
  dataBytes = 0;
  /** Padding bytes sealed. */
  paddingBytes = 0;

  /**
   * Seals with `sealer`.
   *
   * @param sessionWindow Bytes the peer takes on all streams before its first WINDOW_UPDATE.
   * @param maxData Longest data of one frame in bytes.
   */
  constructor(sealer: Sealer, sessionWindow: number, maxData: number) {
    this.#sealer = sealer;
    this.#maxData = maxData;
    this.sessionWindow = new SendWindow(sessionWindow);
  }

  /** Whether a batch could be made now. */
  get pending(): boolean {
    return this.#opening.length > 0 || this.#resets.length > 0 ||
      this.#control.length > 0 || this.#padding !== undefined ||
      this.#credit.size > 0 || this.#scheduler.size > 0;
  }

  /** Queues the frame that tells the peer of `stream`, ahead of all else about it. */
  open(stream: StreamState): void {
    this.#opening.push(stream.id);
  }

  /** Queues a RESET, of which each stream has one; the stream keeps its place until that is sealed. */
  reset(stream: StreamState, code: number): void {
    this.#resets.push({ stream, code });
  }

  /** Queues a frame of the session's own, ahead of all data. */
  control(type: FrameType, payload: Uint8Array): void {
    this.#control.push({ type, payload });
  }

  /**
   * Queues the answer to a PING.
   *
   * @throws {HtxError} `limit` if too many wait because the peer does not read.
   */
  answer(payload: Uint8Array): void {
    if (this.#answers >= MAX_ANSWERS) {
      throw new HtxError(
        "limit",
        "Peer does not read the answers to its PINGs",
      );
    }
    this.#answers++;
    this.control(FRAME_TYPE.ping, payload);
  }

  /** Queues padding, unless some waits already. */
  pad(padding: Uint8Array): void {
    this.#padding ??= padding;
  }

  /** Queues credit for a stream, or for the session (id 0); what waits is added up. */
  grant(id: number, increment: number): void {
    this.#credit.set(id, (this.#credit.get(id) ?? 0) + increment);
  }

  /** Lets `stream` take part if it has something to send, else takes it out. */
  schedule(stream: StreamState): void {
    if (stream.sendable) this.#scheduler.add(stream);
    else this.#scheduler.remove(stream);
  }

  /** Forgets what waits for `stream`, which is over. */
  drop(stream: StreamState): void {
    this.#scheduler.remove(stream);
    this.#credit.delete(stream.id);
  }

  /**
   * The next batch of frames, `undefined` if there is none; it is valid until the next call.
   *
   * @param observer Told which streams ended by what it holds.
   */
  poll(nowMs: number, observer: OutboxObserver): Bytes | undefined {
    this.#length = LEAD_BYTES;
    this.#ownFrames(nowMs, observer);
    const full = this.#scheduler.size > 1 ? SHARED_BATCH_BYTES : BATCH_BYTES;
    while (this.#length < full) {
      const stream = this.#scheduler.next();
      if (!stream) break;
      if (stream.pending > 0 && this.sessionWindow.credit === 0) break;
      this.#data(stream, nowMs, observer);
      const dry = stream.pending === 0 && stream.deficit > 0;
      if (dry && this.#length >= DRY_BATCH_BYTES) break;
    }
    if (this.#length > LEAD_BYTES) {
      return this.#batch.subarray(LEAD_BYTES, this.#length);
    }
    if (this.#isPadded) this.shrink();
    return undefined;
  }

  /** Gives back the room of large batches. */
  shrink(): void {
    this.#batch = this.#idleBatch;
    this.#isPadded = false;
  }

  /** Seals all frames that are not data. */
  #ownFrames(nowMs: number, observer: OutboxObserver): void {
    for (const [id, increment] of this.#credit) {
      this.#put(FRAME_TYPE.windowUpdate, id, encodeU32(increment), nowMs);
    }
    this.#credit.clear();
    for (const id of this.#opening) {
      this.#put(FRAME_TYPE.stream, id, OPEN, nowMs);
    }
    this.#opening = [];
    const resets = this.#resets;
    this.#resets = [];
    for (const { stream, code } of resets) {
      this.#put(FRAME_TYPE.stream, stream.id, encodeReset(code), nowMs);
      observer.reset(stream);
    }
    if (this.#padding) {
      this.paddingBytes += this.#padding.length;
      this.#put(FRAME_TYPE.stream, 0, this.#padding, nowMs);
      this.#padding = undefined;
      this.#isPadded = true;
    }
    for (const { type, payload } of this.#control) {
      this.#put(type, 0, payload, nowMs);
    }
    this.#control.length = 0;
    this.#answers = 0;
  }

  /** Seals a KEY_UPDATE and changes the key. */
  #rekey(nowMs: number): void {
    const payload = encodeU32(this.#sealer.generation + 1);
    this.#seal(FRAME_TYPE.keyUpdate, 0, STREAM_FLAG.none, payload, false);
    this.#sealer.rekey(nowMs);
  }

  #data(
    stream: StreamState,
    nowMs: number,
    observer: OutboxObserver,
  ): void {
    const alone = this.#scheduler.size === 1;
    const length = Math.min(
      stream.pending,
      alone ? Infinity : stream.deficit,
      this.#maxData,
      stream.sendWindow.credit,
      this.sessionWindow.credit,
    );
    if (this.#sealer.rekeyDue(nowMs, length + 1)) this.#rekey(nowMs);
    const { chunk = EMPTY, chunkOffset } = stream;
    const data = chunk.subarray(chunkOffset, chunkOffset + length);
    const last = stream.finishing && length === stream.pending;
    this.#seal(
      FRAME_TYPE.stream,
      stream.id,
      last ? STREAM_FLAG.fin : STREAM_FLAG.none,
      data,
      true,
    );
    this.dataBytes += length;
    stream.sendWindow.spend(length);
    this.sessionWindow.spend(length);
    this.#scheduler.spend(stream, Math.min(length, stream.deficit));
    stream.chunkOffset += length;
    stream.finished = last;
    const drained = stream.chunk && stream.pending === 0;
    if (drained) {
      stream.chunk = undefined;
      stream.chunkOffset = 0;
    }
    if (!stream.sendable) this.#scheduler.remove(stream);
    if (drained) stream.observer?.drained();
    if (!last) return;
    stream.observer?.finished();
    observer.finished(stream);
  }

  #put(
    type: FrameType,
    id: number,
    payload: Uint8Array,
    nowMs: number,
  ): void {
    if (this.#sealer.rekeyDue(nowMs, payload.length)) this.#rekey(nowMs);
    this.#seal(type, id, STREAM_FLAG.none, payload, false);
  }

  #seal(
    type: FrameType,
    id: number,
    flags: number,
    payload: Uint8Array,
    flagged: boolean,
  ): void {
    const length = payload.length + (flagged ? 1 : 0);
    this.#room(length);
    let at = this.#length + frameHeaderLength(type, id);
    if (flagged) this.#batch[at++] = flags;
    this.#batch.set(payload, at);
    this.#length = this.#sealer.seal(
      type,
      id,
      length,
      this.#batch,
      this.#length,
    );
    this.frames++;
  }

  #room(length: number): void {
    const wanted = this.#length + MAX_HEADER_LENGTH + length + TAG_LENGTH;
    if (wanted <= this.#batch.length) return;
    const large = wanted > SMALL_BYTES;
    const size = large
      ? LEAD_BYTES + BATCH_BYTES + this.#maxData + 2 * MAX_HEADER_LENGTH +
        4 * TAG_LENGTH
      : Math.min(SMALL_BYTES, 2 * this.#batch.length);
    const batch = new Uint8Array(Math.max(size, wanted));
    batch.set(this.#batch.subarray(0, this.#length));
    this.#batch = batch;
  }
}
