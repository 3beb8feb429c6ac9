import { type Bytes, equal, utf8 } from "../../core/bytes/mod.ts";
import { TcpclError } from "./error.ts";

/** Bytes of a contact header. */
export const CONTACT_HEADER_BYTES = 6;

const MAGIC = utf8("dtn!");
const VERSION = 4;
const CAN_TLS = 0x01;

/** What each side says first (RFC 9174 §4.2). */
export interface ContactHeader {
  /** Whether it can speak TLS; both must, for TLS to follow. */
  readonly canTls: boolean;
}

/**
 * Encodes a contact header.
 *
 * ```text
 * 4B   "dtn!"
 * 1B   version: 4
 * 1B   flags: 0x01 CAN_TLS; others are 0 and ignored
 * ```
 */
export function encodeContactHeader({ canTls }: ContactHeader): Bytes {
  return new Uint8Array([...MAGIC, VERSION, canTls ? CAN_TLS : 0]);
}

/**
 * Decodes a contact header of {@link CONTACT_HEADER_BYTES} bytes.
 *
 * @throws {TcpclError} `malformed`, or `version`.
 */
export function decodeContactHeader(bytes: Uint8Array): ContactHeader {
  if (
    bytes.length !== CONTACT_HEADER_BYTES || !equal(bytes.subarray(0, 4), MAGIC)
  ) {
    throw new TcpclError("malformed", "Want a contact header of TCPCL");
  }
  const version = bytes[4]!;
  if (version !== VERSION) {
    throw new TcpclError(
      "version",
      `Want TCPCL version ${VERSION}: got ${version}`,
    );
  }
  return { canTls: (bytes[5]! & CAN_TLS) !== 0 };
}
