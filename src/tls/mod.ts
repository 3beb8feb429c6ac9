/**
 * TLS 1.3 (RFC 8446), client and server, over any connection.
 *
 * @module
 */
export { ALERT, type AlertName } from "./alert.ts";
export { spkiOf } from "./certificates/certificate.ts";
export {
  chainVerifier,
  type ChainVerifierOptions,
} from "./certificates/chain_verifier.ts";
export { parsePem } from "./certificates/pem.ts";
export { pinnedVerifier } from "./certificates/pinned.ts";
export { bundledRoots, systemRoots } from "./certificates/roots.ts";
export { TlsConnection, type TlsConnectionOptions } from "./connection.ts";
export { dialTls, type DialTlsOptions } from "./dial.ts";
export type { Agreement } from "./endpoint.ts";
export { TlsError, type TlsErrorCode } from "./error.ts";
export type { OfferChange, OfferMaker } from "./offer_maker.ts";
export {
  type Session,
  SessionCache,
  type SessionCacheOptions,
} from "./session_cache.ts";
export { CIPHER_SUITE, type CipherSuite } from "./suite.ts";
export type { CertificateSubject, CertificateVerifier } from "./verify.ts";
