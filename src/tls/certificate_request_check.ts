import { DecodeError, Reader } from "../core/bytes/mod.ts";
import { EXTENSION } from "../utls/mod.ts";
import { fatal } from "./error.ts";
import { decodeCertificateRequest } from "./messages/certificate_request.ts";
import { findExtension } from "./messages/extensions.ts";
import { checkStatements } from "./server_extensions.ts";

/**
 * Checks a server's CertificateRequest in a handshake (RFC 8446 §4.3.2), and gives the context that the answer repeats.
 *
 * @throws {DecodeError} If it or one of its extensions is malformed.
 * @throws {TlsError} `illegal_parameter` for a context, or a known extension of another message; `missing_extension` for
 * no `signature_algorithms`.
 */
export function checkCertificateRequest(message: Uint8Array): Uint8Array {
  const { context, extensions } = decodeCertificateRequest(message);
  if (context.length > 0) {
    throw fatal("illegalParameter", "CertificateRequest with a context");
  }
  checkStatements("CertificateRequest", extensions);
  const check = (type: number, checkData: (data: Uint8Array) => void) => {
    const data = findExtension(extensions, type);
    if (data) checkData(data);
    return data !== undefined;
  };
  if (!check(EXTENSION.signatureAlgorithms, checkSchemes)) {
    throw fatal("missingExtension", "CertificateRequest without schemes");
  }
  check(EXTENSION.signatureAlgorithmsCert, checkSchemes);
  check(EXTENSION.statusRequest, checkEmpty);
  check(EXTENSION.signedCertificateTimestamp, checkEmpty);
  check(EXTENSION.compressCertificate, checkCompressions);
  check(EXTENSION.certificateAuthorities, checkAuthorities);
  return context;
}

/** §4.2.3: `supported_signature_algorithms<2..2^16-2>`. */
function checkSchemes(data: Uint8Array): void {
  const r = new Reader(data, "signature_algorithms");
  checkU16s(r.sub(r.u16()));
  r.end();
}

/** RFC 8879 §3: `algorithms<2..2^8-2>`. */
function checkCompressions(data: Uint8Array): void {
  const r = new Reader(data, "compress_certificate");
  checkU16s(r.sub(r.u8()));
  r.end();
}

function checkU16s(list: Reader): void {
  if (list.remaining === 0 || list.remaining % 2 !== 0) {
    throw new DecodeError(list.what, `a list of ${list.remaining} bytes`);
  }
}

/** §4.4.2.1. */
function checkEmpty(data: Uint8Array): void {
  new Reader(data, "wish for the client's certificate").end();
}

/** §4.2.4: `authorities<3..2^16-1>`, none of them empty. */
function checkAuthorities(data: Uint8Array): void {
  const r = new Reader(data, "certificate_authorities");
  const list = r.sub(r.u16());
  r.end();
  if (list.remaining === 0) throw new DecodeError(r.what, "no name");
  while (list.remaining > 0) {
    if (list.take(list.u16()).length === 0) {
      throw new DecodeError(r.what, "an empty name");
    }
  }
}
