import { type Bytes, equal } from "../bytes/mod.ts";

const SHOWN = "[secret]";

/**
 * Key bytes that do not show themselves: they print as `[secret]` and are wiped on dispose.
 *
 * JavaScript can promise neither wiping, as the engine and native calls may have copied the bytes, nor constant time.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Secret } from "./secret.ts";
 *
 * const bytes = Uint8Array.of(1, 2, 3);
 * {
 *   using key = new Secret(bytes);
 *   assertEquals(`${key}`, "[secret]");
 *   assertEquals(key.expose(), Uint8Array.of(1, 2, 3));
 * }
 * assertEquals(bytes, new Uint8Array(3));
 * ```
 */
export class Secret implements Disposable {
  #bytes: Bytes | undefined;

  /** Takes over `bytes`, without a copy: dispose wipes the caller's array. */
  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  /**
   * The bytes themselves, not a copy; do not keep them longer than this secret.
   *
   * @throws {TypeError} After dispose.
   */
  expose(): Bytes {
    if (!this.#bytes) throw new TypeError("Cannot use a disposed secret");
    return this.#bytes;
  }

  /**
   * Whether `other` holds the same bytes, compared in a time that depends on the lengths only.
   *
   * @throws {TypeError} If either is disposed.
   */
  equals(other: Secret): boolean {
    return equal(this.expose(), other.expose());
  }

  /** Overwrites the bytes with zeros; every later use throws. */
  [Symbol.dispose](): void {
    this.#bytes?.fill(0);
    this.#bytes = undefined;
  }

  /** `[secret]`. */
  toString(): string {
    return SHOWN;
  }

  /** `[secret]`. */
  toJSON(): string {
    return SHOWN;
  }

  /** `[secret]`, for `console` and `Deno.inspect`. */
  [Symbol.for("Deno.customInspect")](): string {
    return SHOWN;
  }

  /** `[secret]`, for Node's `util.inspect`. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return SHOWN;
  }
}
