import { fatal } from "../error.ts";
import type { CertificateSubject } from "../verify.ts";
import type { X509Certificate } from "./x509_certificate.ts";
import { checkSignature, keyTypeOf } from "./certificate_signature.ts";
import { PURPOSE, type Usage, usageOf } from "./extensions.ts";
import { isForHost } from "./host_name.ts";
import { checkNameConstraints, isSelfIssued } from "./name_constraints.ts";

/**
 * Fails unless `server` may prove in TLS 1.3 that it is the host asked for, whoever issued it.
 *
 * @throws {TlsError} `badCertificate` if it is another host's, `unsupportedCertificate` if it is for something else or has a key
 *   that we do not support, `certificateExpired` before and after its time.
 */
export function checkServer(
  server: X509Certificate,
  { serverName, wallTimeMs }: CertificateSubject,
): void {
  checkDates([server], wallTimeMs);
  const usage = usageOf(server);
  if (!isForHost(usage.subjectAltNames, serverName)) {
    throw fatal("badCertificate", "Want a certificate for the host asked for");
  }
  if (
    !usage.maySignMessages ||
    usage.purposes && !usage.purposes.has(PURPOSE.serverAuth)
  ) {
    throw fatal("unsupportedCertificate", "Want a certificate for servers");
  }
  keyTypeOf(server.publicKeySpki);
}

/**
 * Fails unless every certificate of `path` is valid at `wallTimeMs`, the root too.
 *
 * @throws {TlsError} `certificateExpired`.
 */
export function checkDates(
  path: readonly X509Certificate[],
  wallTimeMs: number,
): void {
  for (const { notBeforeMs, notAfterMs } of path) {
    if (wallTimeMs < notBeforeMs || wallTimeMs >= notAfterMs + 1000) {
      throw fatal("certificateExpired", "Want a certificate valid today");
    }
  }
}

/**
 * Fails unless each certificate of `path`, the server's first and a root last, was issued by the next, which may do so
 * (RFC 5280 §6.1). What depends on time or host is not looked at.
 *
 * @throws {TlsError} `unknownCa` if an issuer is no certificate authority or has too many below it, `unsupportedCertificate` for keys,
 *   signatures, purposes and critical extensions, `badCertificate` for the rest.
 */
export function checkPath(path: readonly X509Certificate[]): void {
  const links = path.map((certificate) => ({
    certificate,
    usage: usageOf(certificate),
  }));
  if (links.some(({ usage }) => usage.hasUnknownCritical)) {
    throw fatal("unsupportedCertificate", "Want known critical extensions");
  }
  let below = 0; // CAs, but those that issued themselves anew
  for (const [i, { certificate, usage }] of links.slice(1).entries()) {
    checkIssuer(usage, below);
    if (!isSelfIssued(certificate)) below++;
    checkSignature(path[i]!, certificate.publicKeySpki);
  }
  checkNameConstraints(links);
}

function checkIssuer(usage: Usage, below: number): void {
  const { isCa, maySignCertificates, pathLength, purposes } = usage;
  if (!isCa || !maySignCertificates) {
    throw fatal("unknownCa", "Want an issuer that may issue certificates");
  }
  if (pathLength !== undefined && below > pathLength) {
    throw fatal("unknownCa", "Want fewer authorities below one with a limit");
  }
  const mayServe = !purposes || purposes.has(PURPOSE.serverAuth) ||
    purposes.has(PURPOSE.any);
  if (!mayServe) {
    throw fatal("unsupportedCertificate", "Want an issuer for servers");
  }
}
