/**
 * TLS 1.3 (RFC 8446), client and server, over any connection.
 *
 * @module
 */
export { ALERT, type AlertName } from "./alert.ts";
export { TlsError, type TlsErrorCode } from "./error.ts";
export type { CertificateSubject, CertificateVerifier } from "./verify.ts";
