/**
 * The extension `record_size_limit` (RFC 8449).
 *
 * ```text
 * 2B  most bytes of a record's plaintext, its content type and padding included; 64 at least
 * ```
 *
 * @module
 */
import { Reader } from "../core/bytes/mod.ts";
import { fatal } from "./error.ts";
import { MAX_RECORD_CONTENT } from "./record.ts";

/** Its number (IANA TLS ExtensionType Values). */
export const RECORD_SIZE_LIMIT = 28;

const MIN_LIMIT = 64;

/**
 * Decodes it.
 *
 * @throws {DecodeError} If it is not two bytes.
 */
export function decodeRecordSizeLimit(data: Uint8Array): number {
  const r = new Reader(data, "record_size_limit");
  const limit = r.u16();
  r.end();
  return limit;
}

/**
 * Fails if `limit` is too small.
 *
 * @throws {TlsError} `illegal_parameter` (RFC 8449 §4).
 */
export function checkRecordSizeLimit(limit: number): void {
  if (limit < MIN_LIMIT) {
    throw fatal("illegalParameter", "Want records of 64 bytes at least");
  }
}

/** How much content our records may have where the peer says `limit`. */
export function contentLimit(limit: number): number {
  return Math.min(limit - 1, MAX_RECORD_CONTENT);
}
