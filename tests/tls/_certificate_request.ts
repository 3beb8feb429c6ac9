import type { Bytes } from "../../src/core/bytes/mod.ts";
import { encodeCertificateRequest } from "../../src/tls/messages/certificate_request.ts";
import { EXTENSION } from "../../src/utls/mod.ts";
import type { Script } from "./_scripted_server.ts";

/** A CertificateRequest with `extensions`, and signature schemes if they have none. */
export function asks(extensions: Readonly<Record<number, Bytes>>): Script {
  const all = {
    [EXTENSION.signatureAlgorithms]: Uint8Array.of(0, 2, 4, 3),
    ...extensions,
  };
  const certificateRequest = encodeCertificateRequest({
    context: new Uint8Array(0),
    extensions: Object.entries(all)
      .map(([type, data]) => ({ type: Number(type), data })),
  });
  return { certificateRequest };
}
