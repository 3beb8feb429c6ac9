/**
 * Hybrid public key encryption (RFC 9180): one message to the holder of an X25519 key.
 *
 * @module
 */
export { HPKE_OVERHEAD, hpkeOpen, type HpkeOptions, hpkeSeal } from "./hpke.ts";
