import { constants, createPublicKey, verify } from "node:crypto";
import { type Bytes, decodeHex } from "../../src/core/bytes/mod.ts";
import {
  SIGNATURE_SCHEME,
  type SignatureScheme,
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
export function verifyShortRsa(
  scheme: SignatureScheme,
  spki: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (scheme !== SIGNATURE_SCHEME.rsaPssRsaeSha256) return false;
  const key = createPublicKey({
    key: Buffer.from(spki),
    format: "der",
    type: "spki",
  });
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return verify("sha256", message, { key, padding, saltLength: 32 }, signature);
}
