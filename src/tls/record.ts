/**
 * TLS record (RFC 8446 §5.1, §5.2).
 *
 * ```text
 * 1B  content type; 23 for every protected record but change_cipher_spec
 * 2B  legacy_record_version: 0x0301 for a first ClientHello, else 0x0303
 * 2B  length of what follows
 * nB  plaintext, or encrypted: content, 1B content type, zeros, and behind them the 16-byte tag
 * ```
 *
 * @module
 */

/** What a record holds (RFC 8446 §B.1). */
export const CONTENT_TYPE = {
  changeCipherSpec: 20,
  alert: 21,
  handshake: 22,
  applicationData: 23,
} as const;

/** One of {@link CONTENT_TYPE}. */
export type ContentType = typeof CONTENT_TYPE[keyof typeof CONTENT_TYPE];

/** Length of a record's header in bytes. */
export const RECORD_HEADER_LENGTH = 5;
/** Most content of a record in bytes. */
export const MAX_RECORD_CONTENT = 1 << 14;
/** Most bytes behind the header of a protected record. */
export const MAX_PROTECTED_LENGTH = MAX_RECORD_CONTENT + 256;
/** What protection adds: the inner content type and the tag. */
export const PROTECTION_LENGTH = 1 + 16;
/** `legacy_record_version` of a first ClientHello, as clients send it. */
export const FIRST_RECORD_VERSION = 0x0301;
/** `legacy_record_version` of every other record. */
export const RECORD_VERSION = 0x0303;

/** Writes a record's header at `offset` of `out`. */
export function writeRecordHeader(
  out: Uint8Array,
  offset: number,
  type: ContentType,
  version: number,
  length: number,
): void {
  out[offset] = type;
  out[offset + 1] = version >> 8;
  out[offset + 2] = version & 0xff;
  out[offset + 3] = length >> 8;
  out[offset + 4] = length & 0xff;
}
