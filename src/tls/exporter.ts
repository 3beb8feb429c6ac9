import type { Bytes } from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import { deriveSecret, expandLabel } from "./key_schedule.ts";
import type { Suite } from "./suite.ts";

const MAX_LABEL_LENGTH = 255 - "tls13 ".length;

/**
 * TLS-Exporter (RFC 8446 §7.5) of an exporter secret, with no context unless given, which is the same as an empty one.
 *
 * @throws {RangeError} If `label` is not 1 to 249 ASCII characters, or `length` above 255 times the hash length.
 */
export function exportKeyingMaterial(
  crypto: CryptoProvider,
  suite: Suite,
  exporterSecret: Uint8Array,
  label: string,
  length: number,
  context: Uint8Array = new Uint8Array(0),
): Bytes {
  if (
    !/^[\x20-\x7e]+$/.test(label) || label.length > MAX_LABEL_LENGTH
  ) {
    throw new RangeError(
      `An exporter label must have 1 to ${MAX_LABEL_LENGTH} ASCII characters`,
    );
  }
  const { hash } = suite;
  const derived = deriveSecret(
    crypto,
    suite,
    exporterSecret,
    label,
    crypto.hash(hash),
  );
  const contextHash = crypto.hash(hash, context);
  const material = expandLabel(
    crypto,
    suite,
    derived,
    "exporter",
    contextHash,
    length,
  );
  derived.fill(0);
  return material;
}
