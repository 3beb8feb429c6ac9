import type { Bytes } from "./bytes.ts";
import { DecodeError } from "./error.ts";

const BASE64URL_REGEXP = /^[A-Za-z0-9_-]*$/;

/** Base64url of `bytes` without padding (RFC 4648 §5, §3.2). */
export function encodeBase64Url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/**
 * The bytes that `text` writes in base64url without padding.
 *
 * @throws {DecodeError} If it has padding, another character, an impossible length, or non-zero spare bits (RFC 4648 §3.5).
 */
export function decodeBase64Url(text: string): Bytes {
  if (!BASE64URL_REGEXP.test(text) || text.length % 4 === 1) {
    throw new DecodeError("base64url", "want unpadded base64url characters");
  }
  try {
    return Uint8Array.fromBase64(text + "=".repeat(-text.length & 3), {
      alphabet: "base64url",
      lastChunkHandling: "strict",
    });
  } catch {
    throw new DecodeError("base64url", "spare bits are not zero");
  }
}
