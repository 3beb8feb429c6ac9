import {
  type Bytes,
  CBOR_MAJOR,
  Reader,
  writeCborHead,
  Writer,
} from "../../core/bytes/mod.ts";
import { Assembly } from "../cla/assembly.ts";
import type { ByteBudget } from "../cla/byte_budget.ts";
import { ContactError } from "../cla/contact_error.ts";

/** Options of {@link MtcpDecoder}. */
export interface MtcpDecoderOptions {
  /** Most bytes of a bundle. */
  readonly maxBundleBytes: number;
  /** What bundles that come take room of until {@link MtcpBundle.free}. */
  readonly budget: ByteBudget;
}

/** A bundle that came whole. */
export interface MtcpBundle {
  readonly bytes: Bytes;
  /** Gives its room back to the budget, once. */
  free(): void;
}

/** The head of the CBOR byte string of `length` bytes that a bundle is in MTCP (draft-ietf-dtn-mtcpcl-01). */
export function mtcpHead(length: number): Bytes {
  const writer = new Writer(9);
  writeCborHead(writer, CBOR_MAJOR.bytes, length);
  return writer.finish();
}

/** Takes bytes as they come and gives the bundles that they complete. After it has thrown, nothing more can be decoded. */
export class MtcpDecoder {
  readonly #options: MtcpDecoderOptions;
  #head: number[] = [];
  #assembly: Assembly | undefined;
  #length = 0;

  /** Starts before a head. */
  constructor(options: MtcpDecoderOptions) {
    this.#options = options;
  }

  /** Whether what came ends inside of a bundle. */
  get isInside(): boolean {
    return this.#assembly !== undefined || this.#head.length > 0;
  }

  /**
   * Decodes what `bytes` complete.
   *
   * @throws {ContactError} `violation` for what is no byte string of definite length, or one that is too long or finds no room, since
   *   MTCP cannot refuse a bundle.
   */
  *decode(bytes: Uint8Array): Generator<MtcpBundle, void> {
    let at = 0;
    for (;;) {
      if (!this.#assembly) {
        while (!this.#assembly && at < bytes.length) {
          this.#head.push(bytes[at++]!);
          this.#readHead();
        }
        if (!this.#assembly) return;
      }
      const data = bytes.subarray(
        at,
        at + this.#length - this.#assembly.length,
      );
      at += data.length;
      if (!this.#assembly.append(data, this.#length)) {
        throw new ContactError("violation", "There is no room for the bundle");
      }
      if (this.#assembly.length < this.#length) return;
      const assembly = this.#assembly;
      this.#assembly = undefined;
      yield { bytes: assembly.finish(), free: () => assembly.free() };
    }
  }

  /** Lets go of what came in part. */
  close(): void {
    this.#assembly?.free();
    this.#assembly = undefined;
  }

  #readHead(): void {
    const first = this.#head[0]!;
    const info = first & 31;
    if (first >> 5 !== CBOR_MAJOR.bytes || info > 27) {
      throw new ContactError(
        "violation",
        "Want a CBOR byte string of definite length",
      );
    }
    const size = info < 24 ? 1 : 1 + 2 ** (info - 24);
    if (this.#head.length < size) return;
    const length = info < 24 ? info : argumentOf(this.#head);
    if (length > this.#options.maxBundleBytes) {
      throw new ContactError(
        "violation",
        `Want at most ${this.#options.maxBundleBytes} bytes: got ${length}`,
      );
    }
    this.#head = [];
    this.#length = length;
    this.#assembly = new Assembly(this.#options.budget);
  }
}

function argumentOf(head: readonly number[]): number {
  const reader = new Reader(Uint8Array.from(head.slice(1)), "MTCP head");
  let value = 0;
  while (reader.remaining > 0) value = value * 256 + reader.u8();
  return value;
}
