import { nodeCrypto } from "./node_crypto.ts";

/**
 * The digest of `data`, of a text its UTF-8, as lower-case hexadecimal: how fingerprints are named.
 *
 * MD5 (RFC 1321) is here because JA3 and Akamai's fingerprint are defined by it. It protects nothing: two texts of one
 * digest are easily made.
 *
 * @throws {TypeError} Where there is no `node:crypto`, such as in a browser.
 */
export function hexDigest(
  name: "md5" | "sha256",
  data: string | Uint8Array,
): string {
  return nodeCrypto().createHash(name).update(data).digest("hex");
}
