import { dial } from "../../src/core/transport/mod.ts";
import type { htx } from "../../mod.ts";
import { CERTIFICATE_NAME } from "./keys.ts";
import { pemOf } from "./record.ts";

/** QUIC trusts the record's certificate and no other. */
export function quicDial(certificate: Uint8Array): Partial<htx.DialHtxOptions> {
  return {
    dial: (to, options) =>
      dial(to, {
        ...options,
        quic: {
          alpnProtocols: ["h3"],
          caCerts: [pemOf(certificate)],
          serverName: CERTIFICATE_NAME,
        },
      }),
  };
}
