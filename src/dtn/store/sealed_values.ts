import { type Bytes, concat, DecodeError, utf8 } from "../../core/bytes/mod.ts";
import type { Aead, CryptoProvider, Secret } from "../../core/crypto/mod.ts";

/** What stands between a bundle store and what it is kept in. */
export interface ValueForm extends Disposable {
  /** How `value` is written under `key`. */
  seal(key: Uint8Array, value: Uint8Array): Uint8Array;
  /**
   * What {@link seal} wrote under `key`.
   *
   * @throws {CryptoError} If it was sealed with another secret, or damaged.
   * @throws {DecodeError} If it is too short to be sealed.
   */
  open(key: Uint8Array, stored: Bytes): Bytes;
  /** `length` bytes that stand for `text` in keys. */
  tag(text: string, length: number): Bytes;
}

const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

/** Values as they are. */
export function plainValues(crypto: CryptoProvider): ValueForm {
  return {
    seal: (_key, value) => value,
    open: (_key, stored) => stored,
    tag: (text, length) => crypto.hash("sha256", utf8(text)).slice(0, length),
    [Symbol.dispose]() {},
  };
}

/**
 * Values sealed with AES-256-GCM under keys that follow from `secret`, 32 bytes; each with a random nonce, and bound to its key.
 *
 * What the keys of the store show is how many bundles there are, of which class, their order and when they expire.
 */
export function sealedValues(
  crypto: CryptoProvider,
  secret: Secret,
): ValueForm {
  const [sealing, tagging] = ["seal", "tag"].map((use) =>
    crypto.hkdf(
      "sha256",
      secret.expose(),
      new Uint8Array(0),
      utf8(`betanet-bundle-store-v1 ${use}`),
      32,
    )
  ) as [Bytes, Bytes];
  const aead: Aead = crypto.aesGcm(sealing);
  sealing.fill(0);
  return {
    seal(key, value) {
      const nonce = crypto.random(NONCE_LENGTH);
      return concat(nonce, aead.seal(nonce, value, key));
    },
    open(key, stored) {
      if (stored.length < NONCE_LENGTH + TAG_LENGTH) {
        throw new DecodeError("sealed value", "too short");
      }
      const nonce = stored.subarray(0, NONCE_LENGTH);
      return aead.open(nonce, stored.subarray(NONCE_LENGTH), key);
    },
    tag: (text, length) =>
      crypto.hmac("sha256", tagging, utf8(text)).slice(0, length),
    [Symbol.dispose]() {
      aead[Symbol.dispose]();
      tagging.fill(0);
    },
  };
}
