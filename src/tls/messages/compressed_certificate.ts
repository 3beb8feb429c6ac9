/**
 * CompressedCertificate (RFC 8879 §4); the transcript holds this message, not the one inside.
 *
 * ```text
 * 2B  algorithm
 * 3B  length of the Certificate's body
 * 3B  length, then the body compressed
 * ```
 *
 * @module
 */
import { brotliCompressSync, brotliDecompressSync } from "node:zlib";
import { type Bytes, Writer } from "../../core/bytes/mod.ts";
import { fatal } from "../error.ts";
import {
  encodeHandshake,
  HANDSHAKE_TYPE,
  handshakeBody,
} from "./handshake_type.ts";

/** The compression algorithm spoken here (RFC 8879 §3). */
export const BROTLI = 2;

/** Most bytes that a certificate may have when decompressed. */
const MAX_CERTIFICATE_LENGTH = 1 << 18;

/** A Certificate message, compressed. */
export interface CompressedCertificate {
  /** Its algorithm. */
  readonly algorithm: number;
  /** Length in bytes of the body when decompressed. */
  readonly uncompressedLength: number;
  /** The body, compressed. */
  readonly compressed: Uint8Array;
}

/**
 * Decodes a whole message; the arrays of the result view it.
 *
 * @throws {DecodeError} If a length does not fit.
 */
export function decodeCompressedCertificate(
  message: Uint8Array,
): CompressedCertificate {
  const r = handshakeBody(
    message,
    HANDSHAKE_TYPE.compressedCertificate,
    "CompressedCertificate",
  );
  const algorithm = r.u16();
  const uncompressedLength = r.u24();
  const compressed = r.take(r.u24());
  r.end();
  return { algorithm, uncompressedLength, compressed };
}

/** Encodes the body of a Certificate as a handshake message, compressed with {@link BROTLI}. */
export function encodeCompressedCertificate(body: Uint8Array): Bytes {
  const compressed = brotliCompressSync(body);
  const w = new Writer(8 + compressed.length)
    .u16(BROTLI)
    .u24(body.length)
    .u24(compressed.length).put(compressed);
  return encodeHandshake(HANDSHAKE_TYPE.compressedCertificate, w.finish());
}

/**
 * The body of the Certificate inside.
 *
 * @throws {TlsError} `bad_certificate` if it does not decompress to the length it says, bytes follow, or that is above
 * {@link MAX_CERTIFICATE_LENGTH}; `illegal_parameter` if the algorithm is not {@link BROTLI} (RFC 8879 §4).
 */
export function decompressCertificate(
  certificate: CompressedCertificate,
): Bytes {
  const { algorithm, uncompressedLength, compressed } = certificate;
  if (algorithm !== BROTLI) {
    throw fatal("illegalParameter", "Compression that was not offered");
  }
  if (uncompressedLength > MAX_CERTIFICATE_LENGTH) {
    throw fatal("badCertificate", `Certificate of ${uncompressedLength} bytes`);
  }
  const { body, consumedLength } = decompress(compressed, uncompressedLength);
  if (body.length !== uncompressedLength) {
    throw fatal("badCertificate", "Certificate has another length than said");
  }
  if (consumedLength !== compressed.length) {
    throw fatal("badCertificate", "Bytes behind the compressed certificate");
  }
  return body;
}

function decompress(compressed: Uint8Array, length: number) {
  const options = { maxOutputLength: Math.max(1, length), info: true };
  try {
    const { buffer, engine } = brotliDecompressSync(
      compressed,
      options,
    ) as unknown as Decompressed; // what it gives with `info`
    return {
      body: new Uint8Array(buffer),
      consumedLength: engine.bytesWritten,
    };
  } catch (cause) {
    throw fatal("badCertificate", "Certificate does not decompress", { cause });
  }
}

interface Decompressed {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}
