/**
 * Cryptographic primitives behind one synchronous {@link CryptoProvider}: {@link nodeProvider} by default,
 * {@link nobleProvider} where there is no `node:crypto`, a native one through {@link selectProvider}.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { defaultProvider, generateX25519 } from "./mod.ts";
 *
 * const crypto = defaultProvider();
 * const [alice, bob] = [generateX25519(crypto), generateX25519(crypto)];
 * const secret = crypto.x25519.sharedSecret(
 *   alice.privateKey.expose(),
 *   bob.publicKey,
 * );
 * const none = new Uint8Array(0);
 * using aead = crypto.chacha20poly1305(crypto.hkdf("sha256", secret, none, none, 32));
 * const nonce = new Uint8Array(12);
 * const sealed = aead.seal(nonce, Uint8Array.of(1, 2, 3));
 * assertEquals(aead.open(nonce, sealed), Uint8Array.of(1, 2, 3));
 * ```
 *
 * Importing this module loads no `node:` module, so a browser bundle can take {@link nobleProvider} from it.
 *
 * @module
 */
export { type BlsSignatureGroup, verifyBls } from "./bls12381.ts";
export { checkedProvider, type Primitives, type RawAead } from "./checked.ts";
export {
  EDWARDS25519_ORDER,
  EdwardsPoint,
  edwardsScalar,
} from "./edwards25519.ts";
export { CryptoError, type CryptoErrorCode } from "./error.ts";
export { hexDigest } from "./hex_digest.ts";
export { nobleProvider } from "./noble.ts";
export { nodeProvider } from "./node.ts";
export {
  type Aead,
  type AesKeyWrap,
  type CryptoProvider,
  type Ecdh,
  type Ed25519,
  type Ed25519Signer,
  generateX25519,
  HASH_LENGTH,
  type HashName,
  type KeyPair,
  type MlKem768,
  type X25519,
  type X25519KeyPair,
  x25519KeyPair,
} from "./provider.ts";
export { Secret } from "./secret.ts";
export {
  defaultProvider,
  type Selection,
  selectProvider,
  type SelectProviderOptions,
  type Trial,
} from "./select_provider.ts";
export {
  SIGNATURE_SCHEME,
  type SignatureScheme,
  verifySignature,
} from "./signature.ts";
export { importSigningKey, SigningKey } from "./signing_key.ts";
export { failedSelfTests, type SelfTestName } from "./known_answers.ts";
