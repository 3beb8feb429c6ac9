/**
 * Cryptographic primitives behind one synchronous {@link CryptoProvider}.
 *
 * @module
 */
export { CryptoError, type CryptoErrorCode } from "./error.ts";
export { nodeProvider } from "./node.ts";
export {
  type Aead,
  type CryptoProvider,
  type Ed25519,
  generateX25519,
  HASH_LENGTH,
  type HashName,
  type KeyPair,
  type MlKem768,
  type X25519,
} from "./provider.ts";
