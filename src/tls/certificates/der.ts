/**
 * Values in DER (X.690 §10.1): a tag of one byte, a length in its shortest form, contents.
 *
 * ```text
 * nB  tag       1
 *     length    1, or 0x81 … 0x84 and that many bytes, big-endian
 *     contents  length
 * ```
 *
 * @module
 */
import { type Bytes, DecodeError, Reader } from "../../core/bytes/mod.ts";

/** Tags of X.680, with the bit that marks constructed values where they are. */
export const DER_TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const;

/** One value. */
export interface DerValue {
  readonly tag: number;
  readonly contents: Uint8Array;
  /** Tag and length too. */
  readonly whole: Uint8Array;
}

/**
 * Reads the next value, which must have `tag` if that is given.
 *
 * @throws {DecodeError} If it is cut short, not in DER, or of another tag.
 */
export function readDer(reader: Reader, tag?: number): DerValue {
  const start = reader.offset;
  const actual = reader.u8();
  if ((actual & 0x1f) === 0x1f) malformed(reader, "a tag of several bytes");
  if (tag !== undefined && actual !== tag) {
    malformed(reader, `tag ${actual} where ${tag} must be`);
  }
  const contents = reader.take(readLength(reader));
  return { tag: actual, contents, whole: reader.since(start) };
}

/** Reads the next value, of `tag`, as a message of its own. */
export function readConstructed(
  reader: Reader,
  tag: number = DER_TAG.sequence,
): Reader {
  return new Reader(readDer(reader, tag).contents, reader.what);
}

/** The next value if it has `tag`. */
export function readOptional(
  reader: Reader,
  tag: number,
): DerValue | undefined {
  return reader.remaining > 0 && reader.peek() === tag
    ? readDer(reader, tag)
    : undefined;
}

/** Reads a BOOLEAN, 0x00 or 0xff. */
export function readBoolean(reader: Reader): boolean {
  const { contents } = readDer(reader, DER_TAG.boolean);
  const [value] = contents;
  if (contents.length !== 1 || value !== 0 && value !== 0xff) {
    malformed(reader, "a boolean other than 0 and 255");
  }
  return value === 0xff;
}

/** Reads an INTEGER of 0 to 2^31 − 1. */
export function readSmallInteger(reader: Reader): number {
  const { contents } = readDer(reader, DER_TAG.integer);
  checkInteger(reader, contents);
  if (contents.length > 4 || contents[0]! & 0x80) {
    malformed(reader, "an integer out of range");
  }
  return contents.reduce((value, byte) => value << 8 | byte, 0);
}

/** Fails unless `contents` are those of an INTEGER in its shortest form. */
export function checkInteger(reader: Reader, contents: Uint8Array): void {
  const [first, second = 0] = contents;
  const isPadded = contents.length > 1 &&
    (first === 0 && second < 0x80 || first === 0xff && second >= 0x80);
  if (first === undefined || isPadded) {
    malformed(reader, "an integer not in its shortest form");
  }
}

/** Reads a BIT STRING of whole bytes. */
export function readBitString(reader: Reader): Uint8Array {
  const { contents } = readDer(reader, DER_TAG.bitString);
  if (contents[0] !== 0) malformed(reader, "a bit string of other than bytes");
  return contents.subarray(1);
}

/** What an issuer signed (RFC 5280 §4.1.1 and §5.1.1). */
export interface SignedDer {
  /** The part that is signed. */
  readonly signedPart: Uint8Array;
  /** What is in it, to be read. */
  readonly fields: Reader;
  /** The AlgorithmIdentifier of the signature. */
  readonly signatureAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
}

/** Reads the SEQUENCE of signed part, algorithm and signature that is all of `der`; errors call it `what`. */
export function readSigned(der: Bytes, what: string): SignedDer {
  const whole = new Reader(der, what);
  const outer = readConstructed(whole);
  whole.end();
  const part = readDer(outer, DER_TAG.sequence);
  const signatureAlgorithm = readDer(outer, DER_TAG.sequence).whole;
  const signature = readBitString(outer);
  outer.end();
  return {
    ...{ signedPart: part.whole, signatureAlgorithm, signature },
    fields: new Reader(part.contents, what),
  };
}

/** Ends decoding: `what` of the value is not as it must be. */
export function malformed(reader: Reader, what: string): never {
  throw new DecodeError(reader.what, what);
}

function readLength(reader: Reader): number {
  const first = reader.u8();
  if (first < 0x80) return first;
  const size = first & 0x7f;
  if (size === 0 || size > 4) malformed(reader, "a length of no such form");
  let length = 0;
  for (let i = 0; i < size; i++) length = length * 0x100 + reader.u8();
  if (length < (size === 1 ? 0x80 : 0x100 ** (size - 1))) {
    malformed(reader, "a length not in its shortest form");
  }
  return length;
}
