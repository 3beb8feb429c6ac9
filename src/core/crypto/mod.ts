/**
 * Cryptographic primitives behind one synchronous {@link CryptoProvider}: {@link nodeProvider} by default,
 * {@link nobleProvider} where there is no `node:crypto`, a native one through {@link selectProvider}.
 *
 * Importing this module loads no `node:` module, so a browser bundle can take {@link nobleProvider} from it.
 *
 * @module
 */
export { checkedProvider, type Primitives } from "./checked.ts";
export { CryptoError, type CryptoErrorCode } from "./error.ts";
export { nobleProvider } from "./noble.ts";
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
export { Secret } from "./secret.ts";
export {
  defaultProvider,
  type Selection,
  selectProvider,
  type SelectProviderOptions,
  type Trial,
} from "./select_provider.ts";
export { failedSelfTests, type SelfTestName } from "./self_test.ts";
