import type * as Pkijs from "pkijs";
import { fatal } from "../error.ts";
import type { X509Certificate } from "./x509_certificate.ts";

/**
 * Fails unless the engine of pkijs too finds `path`, the server's certificate first and a root last, valid by RFC 5280 §6.1: a
 * second opinion on all but signatures, and the only one on policies, mail addresses and URIs.
 *
 * The engine gets no choice of paths, as its own search takes a time that grows exponentially.
 *
 * @throws {TlsError} `certificateUnknown`.
 */
export async function checkPathByPkijs(
  path: readonly X509Certificate[],
  wallTimeMs: number,
): Promise<void> {
  const pkijs = await import("pkijs"); // slow to load, and not needed by those who pin
  let reason: string;
  try {
    reason = await fault(pkijs, path, new Date(wallTimeMs - wallTimeMs % 1000));
  } catch { // what it throws may quote the certificate
    reason = "it cannot read it";
  }
  if (reason !== "") {
    throw fatal(
      "certificateUnknown",
      `Want a path that pkijs finds valid: ${reason}`,
    );
  }
}

async function fault(
  pkijs: typeof Pkijs,
  path: readonly X509Certificate[],
  checkDate: Date,
): Promise<string> {
  const certificates = path.map(({ der }) => pkijs.Certificate.fromBER(der));
  const engine = new pkijs.CertificateChainValidationEngine({
    trustedCerts: certificates.slice(-1),
    certs: certificates.slice(1, -1).concat(certificates[0]!),
    checkDate,
    findIssuer: (certificate) => {
      const next = certificates[certificates.indexOf(certificate) + 1];
      return Promise.resolve(next ? [next] : []);
    },
  });
  const { result, resultCode } = await engine.verify();
  return result ? "" : `code ${resultCode}`;
}
