import { type Bytes, concat, Reader } from "../core/bytes/mod.ts";
import { cla, ContactError, type RefusalReason } from "../dtn/mod.ts";
import type { Stream } from "../htx/mod.ts";
import { encodeAnswer, resetCodeOf } from "./answer.ts";
import type { KnownBundles } from "./known_bundles.ts";
import { HAS_ID, HEAD_LENGTH, ID_LENGTH } from "./send_bundle.ts";
import type { Held } from "./small_bundle.ts";

/** Options of {@link IncomingBundle}. */
export interface IncomingBundleOptions {
  /** Most bytes of the bundle. */
  readonly maxBundleBytes: number;
  /** What the contact holds; the bundle enters by the length that it announces. */
  readonly room: cla.Window;
  /** What all contacts hold; taken from as data come. */
  readonly budget: cla.ByteBudget;
  /** Those that came by datagram. */
  readonly known: KnownBundles;
}

const NO_BYTES: Bytes = new Uint8Array();

/** A bundle on its way to us on a stream of its own, until we have answered. */
export class IncomingBundle implements Held {
  readonly #stream: Stream;
  readonly #options: IncomingBundleOptions;
  readonly #assembly: cla.Assembly;
  #head = NO_BYTES;
  #length: number | undefined;
  #id: number | undefined;
  /** Bytes still to come of one that is known. */
  #surplus: number | undefined;

  /** Takes over `stream`. */
  constructor(stream: Stream, options: IncomingBundleOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#assembly = new cla.Assembly(options.budget);
  }

  /** Its number, if it may have come by datagram. */
  get id(): number | undefined {
    return this.#id;
  }

  /**
   * Reads it whole; the reason if it cannot be taken, `known` if it has come by datagram.
   *
   * @throws {ContactError} `violation` if its number is too low.
   * @throws {HtxError} `reset` if the peer took it back, `closed` if the session ended.
   */
  async read(): Promise<Bytes | RefusalReason | "known"> {
    const reader = new cla.AdaptiveReader(this.#stream);
    for (;;) {
      const chunk = await reader.read();
      if (chunk === null) {
        if (this.#surplus === 0) return "known";
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
    if (this.#length === undefined && this.#surplus === undefined) {
      this.#head = concat(this.#head, chunk);
      const reader = new Reader(this.#head, "betanet-cla bundle");
      if (reader.remaining < HEAD_LENGTH) return undefined;
      const head = reader.u64();
      if (head >= HAS_ID) {
        if (reader.remaining < ID_LENGTH) return undefined;
        this.#id = reader.u32();
      }
      const refusal = this.#begin(Number(head & ~HAS_ID));
      if (refusal) return refusal;
      data = reader.take(reader.remaining);
      this.#head = NO_BYTES;
    }
    if (this.#surplus !== undefined) {
      this.#surplus -= data.length;
      return this.#surplus < 0 ? "notAcceptable" : undefined;
    }
    const length = this.#length!;
    if (this.#assembly.length + data.length > length) return "notAcceptable";
    return this.#assembly.append(data, length) ? undefined : "noResources";
  }

  #begin(length: number): RefusalReason | undefined {
    const { maxBundleBytes, room, known } = this.#options;
    if (length > maxBundleBytes) return "notAcceptable";
    const freshness = this.#id === undefined ? "new" : known.claim(this.#id);
    if (freshness === "over") {
      throw new ContactError("violation", "A bundle's number is too low");
    }
    if (freshness === "known") {
      this.#surplus = length;
      return undefined;
    }
    if (!room.tryEnter(length)) return "noResources";
    this.#length = length;
    return undefined;
  }
}
