import { type Bytes, concat, DecodeError } from "../../core/bytes/mod.ts";
import type { Decoded } from "../../core/transport/mod.ts";
import { ContactError } from "../cla/contact_error.ts";

const NOTHING: Bytes = new Uint8Array();

/** Gathers the head of an HTTP/1.1 message as its bytes come. */
export class HeadGatherer<Head> {
  readonly #decode: (bytes: Uint8Array) => Decoded<Head> | undefined;
  #bytes = NOTHING;

  /** Starts before a head; `decode` bounds its length. */
  constructor(decode: (bytes: Uint8Array) => Decoded<Head> | undefined) {
    this.#decode = decode;
  }

  /** Whether a head has begun. */
  get isInside(): boolean {
    return this.#bytes.length > 0;
  }

  /**
   * The head that `bytes` complete and what is behind it; `undefined` if it needs more.
   *
   * @throws {ContactError} `violation` if it is malformed or too long.
   */
  add(
    bytes: Uint8Array,
  ): { readonly head: Head; readonly rest: Uint8Array } | undefined {
    const gathered = this.isInside ? concat(this.#bytes, bytes) : bytes;
    const decoded = this.#decoded(gathered);
    this.#bytes = decoded ? NOTHING : gathered.slice();
    if (!decoded) return undefined;
    return { head: decoded.head, rest: gathered.subarray(decoded.length) };
  }

  #decoded(bytes: Uint8Array): Decoded<Head> | undefined {
    try {
      return this.#decode(bytes);
    } catch (cause) {
      if (!(cause instanceof DecodeError)) throw cause;
      throw new ContactError("violation", cause.message, { cause });
    }
  }
}
