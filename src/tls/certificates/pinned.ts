import { type Bytes, equal } from "../../core/bytes/mod.ts";
import { fatal } from "../error.ts";
import type { CertificateVerifier } from "../verify.ts";

/**
 * A verifier that trusts the server whose own certificate is `certificateDer`, byte for byte, and no other: for a server that signed
 * its certificate itself and whose owner gave it to us.
 *
 * Host and dates are not looked at: whoever pins a certificate knows whose it is, and for how long.
 *
 * It rejects with `TlsError` `certificateUnknown`.
 */
export function pinnedVerifier(
  certificateDer: Uint8Array,
): CertificateVerifier {
  const pinned: Bytes = new Uint8Array(certificateDer);
  return (chain) => {
    const [server] = chain;
    return server && equal(server, pinned) ? Promise.resolve() : Promise.reject(
      fatal("certificateUnknown", "Want the certificate that is pinned"),
    );
  };
}
