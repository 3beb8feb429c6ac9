import { type Bytes, DecodeError } from "../../core/bytes/mod.ts";

/**
 * The bytes of each `-----BEGIN label-----` block of `text` (RFC 7468), in order; whatever is outside of them is passed over.
 *
 * @param label `CERTIFICATE` if not given; `PRIVATE KEY` for PKCS #8.
 * @throws {DecodeError} If a block of that label has no end or is not base64.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parsePem } from "./pem.ts";
 *
 * const text = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";
 * assertEquals(parsePem(text), [Uint8Array.of(1, 2, 3)]);
 * ```
 */
export function parsePem(text: string, label = "CERTIFICATE"): Bytes[] {
  const [, ...blocks] = text.split(`-----BEGIN ${label}-----`);
  return blocks.map((block) => {
    const end = block.indexOf(`-----END ${label}-----`);
    if (end < 0) throw new DecodeError("PEM", "a block without an end");
    try {
      return Uint8Array.fromBase64(block.slice(0, end));
    } catch { // the cause may quote a key
      throw new DecodeError("PEM", "a block that is not base64");
    }
  });
}
