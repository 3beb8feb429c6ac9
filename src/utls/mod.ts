/**
 * ClientHellos: the codec, the profiles of real browsers to draw them from, and the fingerprints others take of them.
 *
 * @module
 */
export {
  CLIENT_HELLO,
  type ClientHello,
  decodeClientHello,
  decodeExtensions,
  encodeClientHello,
  type Extension,
  extensionOf,
  MAX_EXTENSIONS,
} from "./client_hello.ts";
export { UtlsError, type UtlsErrorCode } from "./error.ts";
export { EXTENSION } from "./extension.ts";
export { isGrease } from "./grease.ts";
export {
  generateKeyShare,
  GROUP,
  type Group,
  type KeyShare,
} from "./key_share.ts";
export type { Offer, OfferedPsk } from "./offer.ts";
