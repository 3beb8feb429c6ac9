import { type Bytes, concat } from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import type { Suite } from "./suite.ts";

const MESSAGE_HASH = 254;

/**
 * The handshake messages so far, headers included (RFC 8446 §4.4.1).
 *
 * It keeps the messages until their hash function is known and after it, since the provider hashes whole messages only;
 * what a handshake may hold bounds them.
 */
export class Transcript {
  readonly #crypto: CryptoProvider;
  #messages: Uint8Array[] = [];
  #last: Bytes | undefined;

  /** Starts empty. */
  constructor(crypto: CryptoProvider) {
    this.#crypto = crypto;
  }

  /** Appends a whole handshake message, which must not change later. */
  add(message: Uint8Array): void {
    this.#messages.push(message);
    this.#last = undefined;
  }

  /** Puts the synthetic `message_hash` in the place of what was added, the first ClientHello: a HelloRetryRequest comes. */
  replaceWithHash(suite: Suite): void {
    const hash = this.hash(suite);
    this.#messages = [
      concat(Uint8Array.of(MESSAGE_HASH, 0, 0, hash.length), hash),
    ];
    this.#last = undefined;
  }

  /** The hash of the messages so far. */
  hash(suite: Suite): Bytes {
    return this.#last ??= this.#crypto.hash(suite.hash, ...this.#messages);
  }

  /** The hash as if `part` came next, such as a ClientHello without its binders; `part` is not added. */
  hashWith(suite: Suite, part: Uint8Array): Bytes {
    return this.#crypto.hash(suite.hash, ...this.#messages, part);
  }

  /** Forgets every message. */
  clear(): void {
    this.#messages = [];
    this.#last = undefined;
  }
}
