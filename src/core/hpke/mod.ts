/**
 * Hybrid public key encryption (RFC 9180): one message, or one secret, to the holder of an X25519 key.
 *
 * @module
 */
export {
  HPKE_OVERHEAD,
  type HpkeAead,
  hpkeDeriveKeyPair,
  hpkeOpen,
  type HpkeOptions,
  hpkeReceiveSecret,
  hpkeSeal,
  hpkeSendSecret,
} from "./hpke.ts";
