import { createPublicKey, verify } from "node:crypto";
import { constants } from "node:crypto";
import { type Bytes, decodeHex } from "../../src/core/bytes/mod.ts";
import {
  SIGNATURE_SCHEME,
  type verifySignature,
} from "../../src/core/crypto/mod.ts";
import traces from "../vectors/rfc8448/traces.json" with { type: "json" };

/** A trace of RFC 8448. */
export type TraceName = keyof typeof traces;

/** A field of a trace. */
export function traceBytes<Name extends TraceName>(
  trace: Name,
  field: keyof (typeof traces)[Name],
): Bytes {
  return decodeHex(traces[trace][field] as string);
}

/** RSA-PSS with SHA-256 under the traces' keys of 1,024 bits, which our own verification refuses as too short. */
export const verifyShortRsa: typeof verifySignature = (
  scheme,
  spki,
  message,
  signature,
) => {
  if (scheme !== SIGNATURE_SCHEME.rsaPssRsaeSha256) return false;
  const key = createPublicKey({
    key: Buffer.from(spki),
    format: "der",
    type: "spki",
  });
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return verify("sha256", message, { key, padding, saltLength: 32 }, signature);
};
