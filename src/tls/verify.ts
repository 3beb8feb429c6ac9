import type { Bytes } from "../core/bytes/mod.ts";

/** Whom a certificate must speak for, and when. */
export interface CertificateSubject {
  /** The host we asked for: a DNS name, or the text of an IP address. */
  readonly serverName: string;
  /** The time to judge at, in milliseconds since 1970. */
  readonly wallTimeMs: number;
}

/**
 * Decides whether a server's certificates are good: `chain` holds their DER, the server's own first.
 *
 * It rejects with `TlsError` of the alert that RFC 8446 §6.2 has for the fault, else the certificates are trusted.
 */
export type CertificateVerifier = (
  chain: readonly Bytes[],
  subject: CertificateSubject,
) => Promise<void>;
