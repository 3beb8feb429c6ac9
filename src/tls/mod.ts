/**
 * TLS 1.3 (RFC 8446), client and server, over any connection.
 *
 * @module
 */
export { acceptTls, type AcceptTlsOptions } from "./accept.ts";
export { ALERT, type AlertName } from "./alert.ts";
export { bundleEidsOf } from "./certificates/bundle_eids.ts";
export { spkiOf } from "./certificates/x509_certificate.ts";
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
export {
  listenTls,
  type ListenTlsOptions,
  TlsListener,
  type TlsRefusal,
} from "./listen.ts";
export type { OfferChange, OfferMaker } from "./offer_maker.ts";
export {
  type ServerCertificate,
  serverCertificate,
  type ServerCertificateOptions,
} from "./server_certificate.ts";
export type { ServeTlsOptions } from "./serve_options.ts";
export { SERVER_GROUPS, type ServerGroup } from "./server_key_share.ts";
export type { ServerPreferences, TlsServerOptions } from "./server_options.ts";
export {
  type Session,
  SessionCache,
  type SessionCacheOptions,
} from "./session_cache.ts";
export { CIPHER_SUITE, type CipherSuite } from "./suite.ts";
export type { TicketState } from "./session_ticket.ts";
export { suitesBySpeed } from "./suites_by_speed.ts";
export { TicketKeys, type TicketKeysOptions } from "./ticket_keys.ts";
export type { CertificateSubject, CertificateVerifier } from "./verify.ts";
