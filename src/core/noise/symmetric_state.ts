import { type Bytes, utf8 } from "../bytes/mod.ts";
import { type CryptoProvider, HASH_LENGTH } from "../crypto/mod.ts";
import { CipherState } from "./cipher_state.ts";
import { TAG_LENGTH } from "./pattern.ts";

const EMPTY = new Uint8Array(0);

/** A hash function as the protocol name writes it. */
export type NoiseHash = "SHA256" | "BLAKE2s";

const HASH_NAME = { SHA256: "sha256", BLAKE2s: "blake2s" } as const;

/** The chaining key, the transcript hash and the handshake key (Noise §5.2). */
export class SymmetricState implements Disposable {
  readonly #crypto: CryptoProvider;
  readonly #hash: typeof HASH_NAME[NoiseHash];
  #chainingKey: Bytes;
  #transcript: Bytes;
  #cipher: CipherState | undefined;

  /** Starts from the protocol's name, hashed if it is longer than the hash. */
  constructor(crypto: CryptoProvider, hash: NoiseHash, protocolName: string) {
    this.#crypto = crypto;
    this.#hash = HASH_NAME[hash];
    const name = utf8(protocolName);
    const length = HASH_LENGTH[this.#hash];
    this.#transcript = new Uint8Array(length);
    if (name.length > length) this.#transcript = crypto.hash(this.#hash, name);
    else this.#transcript.set(name);
    this.#chainingKey = this.#transcript.slice();
  }

  /** Bytes that {@linkcode SymmetricState.encryptAndHash} adds now: 0 or 16. */
  get tagLength(): number {
    return this.#cipher ? TAG_LENGTH : 0;
  }

  /** A copy of the hash of everything mixed in so far. */
  get transcriptHash(): Bytes {
    return this.#transcript.slice();
  }

  /** A copy of the chaining key. */
  get chainingKey(): Bytes {
    return this.#chainingKey.slice();
  }

  /** Takes `secret` into the keys. */
  mixKey(secret: Uint8Array): void {
    const [chainingKey, key] = this.#derive(secret);
    this[Symbol.dispose]();
    this.#chainingKey = chainingKey;
    this.#cipher = new CipherState(this.#crypto, key);
  }

  /** Takes `data` into the transcript. */
  mixHash(data: Uint8Array): void {
    this.#transcript = this.#crypto.hash(this.#hash, this.#transcript, data);
  }

  /** Encrypts `plaintext` if a key exists, and takes what travels into the transcript. */
  encryptAndHash(plaintext: Uint8Array): Bytes {
    const sent = this.#cipher?.encryptWithAd(this.#transcript, plaintext) ??
      new Uint8Array(plaintext);
    this.mixHash(sent);
    return sent;
  }

  /**
   * The reverse of {@linkcode SymmetricState.encryptAndHash}.
   *
   * @throws {NoiseError} `rejected` if `received` does not verify.
   */
  decryptAndHash(received: Uint8Array): Bytes {
    const plaintext = this.#cipher?.decryptWithAd(this.#transcript, received) ??
      new Uint8Array(received);
    this.mixHash(received);
    return plaintext;
  }

  /** The transport ciphers: the initiator's direction, then the responder's. */
  split(): [CipherState, CipherState] {
    const [initiator, responder] = this.#derive(EMPTY);
    return [
      new CipherState(this.#crypto, initiator),
      new CipherState(this.#crypto, responder),
    ];
  }

  /** Wipes the keys; the transcript hash stays. */
  [Symbol.dispose](): void {
    this.#chainingKey.fill(0);
    this.#cipher?.[Symbol.dispose]();
    this.#cipher = undefined;
  }

  /** Noise's HKDF with two outputs (§4.3), which is RFC 5869 with the chaining key as salt. */
  #derive(secret: Uint8Array): [Bytes, Bytes] {
    const length = HASH_LENGTH[this.#hash];
    const okm = this.#crypto.hkdf(
      this.#hash,
      secret,
      this.#chainingKey,
      EMPTY,
      2 * length,
    );
    const pair: [Bytes, Bytes] = [okm.slice(0, length), okm.slice(length)];
    okm.fill(0);
    return pair;
  }
}
