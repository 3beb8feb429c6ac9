import { type Bytes, encodeHex, equal } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { DocumentTrust } from "./document_trust.ts";
import { DirectoryError } from "./error.ts";
import { parts, type SignedForm, verify } from "./signed_form.ts";
import type { Statement } from "./statement.ts";

/** Options of {@link Ballot}. */
export interface BallotOptions<T extends Statement> {
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** What is gathered. */
  readonly form: SignedForm<T>;
  /** For which epoch. */
  readonly epoch: number;
  /** Whose count. */
  readonly trust: DocumentTrust;
}

interface Cast<T> {
  readonly value: T;
  readonly bytes: Bytes;
  /** Another of the same authority, which with the first convicts it. */
  second?: Bytes;
}

/** One statement of each authority for one epoch. An authority that signed two has none that counts. */
export class Ballot<T extends Statement> {
  readonly #options: BallotOptions<T>;
  readonly #cast = new Map<string, Cast<T>>();

  /** Begins without any. */
  constructor(options: BallotOptions<T>) {
    this.#options = options;
  }

  /**
   * Takes a signed statement. If the authority signed another before, gives both: they convict it; of more than two the rest is
   * ignored.
   *
   * @throws {DirectoryError} As `verify`; `not_admitted` if no authority signed it, `wrong_network`, or `malformed` if it is for
   * another epoch.
   */
  add(bytes: Uint8Array): readonly [Bytes, Bytes] | undefined {
    if (this.signed.some((known) => equal(known, bytes))) return undefined;
    const { crypto, form, epoch, trust } = this.#options;
    const value = verify(crypto, form, bytes);
    if (!trust.authorities.some((key) => equal(key, value.authority))) {
      throw new DirectoryError("not_admitted", "Signed by no authority");
    }
    if (value.network !== trust.network) {
      throw new DirectoryError("wrong_network", "Signed for another network");
    }
    if (value.epoch !== epoch) {
      throw new DirectoryError("malformed", "Signed for another epoch");
    }
    const id = encodeHex(value.authority);
    const first = this.#cast.get(id);
    if (!first) {
      this.#cast.set(id, { value, bytes: bytes.slice() });
      return undefined;
    }
    const [payload] = parts(form, bytes);
    if (first.second || equal(parts(form, first.bytes)[0], payload)) {
      return undefined;
    }
    first.second = bytes.slice();
    return [first.bytes, first.second];
  }

  /** What the authority of this key, in hexadecimal, said first. */
  of(id: string): T | undefined {
    return this.#cast.get(id)?.value;
  }

  /** All, signed, with those that convict: for other authorities. */
  get signed(): readonly Bytes[] {
    return [...this.#cast.values()].flatMap(({ bytes, second }) =>
      second ? [bytes, second] : [bytes]
    );
  }

  /** What counts, and signed. */
  get counted(): readonly { readonly value: T; readonly bytes: Bytes }[] {
    return [...this.#cast.values()].filter(({ second }) => !second);
  }

  /** What counts. */
  get values(): readonly T[] {
    return this.counted.map(({ value }) => value);
  }
}
