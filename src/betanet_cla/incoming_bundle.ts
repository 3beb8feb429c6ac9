import { type Bytes, concat, Reader } from "../core/bytes/mod.ts";
import { cla, type RefusalReason } from "../dtn/mod.ts";
import type { Stream } from "../htx/mod.ts";
import { encodeAnswer, resetCodeOf } from "./answer.ts";
import { HEAD_LENGTH } from "./send_bundle.ts";

/** Options of {@link IncomingBundle}. */
export interface IncomingBundleOptions {
  /** Most bytes of the bundle. */
  readonly maxBundleBytes: number;
  /** What the contact holds; the bundle enters by the length that it announces. */
  readonly room: cla.Window;
  /** What all contacts hold; taken from as data come. */
  readonly budget: cla.ByteBudget;
}

const NO_BYTES: Bytes = new Uint8Array();

/** A bundle on its way to us on a stream of its own, until we have answered. */
export class IncomingBundle {
  readonly #stream: Stream;
  readonly #options: IncomingBundleOptions;
  readonly #assembly: cla.Assembly;
  #head = NO_BYTES;
  #length: number | undefined;

  /** Takes over `stream`. */
  constructor(stream: Stream, options: IncomingBundleOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#assembly = new cla.Assembly(options.budget);
  }

  /**
   * Reads it whole; the reason if it cannot be taken.
   *
   * @throws {HtxError} `reset` if the peer took it back, `closed` if the session ended.
   */
  async read(): Promise<Bytes | RefusalReason> {
    const reader = new cla.AdaptiveReader(this.#stream);
    for (;;) {
      const chunk = await reader.read();
      if (chunk === null) {
        return this.#assembly.length === this.#length
          ? this.#assembly.finish()
          : "notAcceptable";
      }
      const refusal = this.#take(chunk);
      if (refusal) return refusal;
    }
  }

  /** Refuses what may not be whole yet; the rest of it does not come any more. */
  refuse(reason: RefusalReason): void {
    this.#stream.reset(resetCodeOf(reason));
  }

  /**
   * Says what became of it.
   *
   * @throws {HtxError} If the peer does not want to know, or the session ended.
   */
  async answer(refusal: RefusalReason | undefined): Promise<void> {
    await this.#stream.write(new Uint8Array([encodeAnswer(refusal)]));
    await this.#stream.closeWrite();
  }

  /** Gives back all room that it has taken; may be called again. */
  free(): void {
    this.#assembly.free();
    if (this.#length !== undefined) this.#options.room.leave(this.#length);
    this.#length = undefined;
  }

  #take(chunk: Uint8Array): RefusalReason | undefined {
    let data = chunk;
    if (this.#length === undefined) {
      const bytes = concat(this.#head, chunk);
      this.#head = bytes;
      if (bytes.length < HEAD_LENGTH) return undefined;
      const refusal = this.#enter(bytes);
      if (refusal) return refusal;
      data = bytes.subarray(HEAD_LENGTH);
      this.#head = NO_BYTES;
    }
    const length = this.#length!;
    if (this.#assembly.length + data.length > length) return "notAcceptable";
    return this.#assembly.append(data, length) ? undefined : "noResources";
  }

  #enter(bytes: Uint8Array): RefusalReason | undefined {
    const reader = new Reader(bytes, "betanet-cla bundle");
    const length = Number(reader.u64());
    const { maxBundleBytes, room } = this.#options;
    if (length > maxBundleBytes) return "notAcceptable";
    if (!room.tryEnter(length)) return "noResources";
    this.#length = length;
    return undefined;
  }
}
