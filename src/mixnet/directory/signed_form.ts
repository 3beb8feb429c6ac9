/**
 * The one form of all that nodes and authorities sign.
 *
 * ```text
 * signed      CBOR array of two byte strings: payload, 64B Ed25519 signature
 * signature   over the form's domain ‖ payload
 * payload     CBOR map with the keys 1 to n, of which the form's last may be absent; 1 is the signer's 32B Ed25519 key
 * ```
 *
 * CBOR is deterministic (RFC 8949 §4.2.1).
 *
 * @module
 */
import {
  type Bytes,
  type CborDecoded,
  type CborValue,
  concat,
  encodeCbor,
  utf8,
} from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { DirectoryError } from "./error.ts";
import { arrayOf, bytesOf, decode, encodeFields, fieldsOf } from "./fields.ts";

/** How a kind of signed object is written and read. */
export interface SignedForm<T> {
  /** What is signed before the payload. */
  readonly domain: string;
  /** Longest signed object in bytes. */
  readonly maxLength: number;
  /** Most items of the payload's CBOR. */
  readonly maxItems: number;
  /** Number of the payload's fields that are there. */
  readonly fields: number;
  /** Number of those behind them that may be; 0 by default. */
  readonly optional?: number;
  /** The fields, by ascending key. */
  write(value: T): readonly (CborValue | undefined)[];
  /**
   * Reads them; those that are absent are `undefined`.
   *
   * @throws {DirectoryError} `malformed`.
   */
  read(fields: readonly CborDecoded[]): T;
}

const MAX_DEPTH = 4;

/**
 * Signs `value` with the 32-byte `seed` of the key that it names.
 *
 * @throws {DirectoryError} `malformed` if a field is out of range.
 */
export function sign<T>(
  crypto: CryptoProvider,
  form: SignedForm<T>,
  seed: Uint8Array,
  value: T,
): Bytes {
  const payload = encodeFields(form.write(value));
  form.read(readFields(form, payload));
  const message = concat(utf8(form.domain), payload);
  return encodeCbor([payload, crypto.ed25519.sign(seed, message)]);
}

/**
 * Verifies and reads what `sign` made.
 *
 * @throws {DirectoryError} `malformed`, or `unsigned` if the signature is not that of the key it names.
 */
export function verify<T>(
  crypto: CryptoProvider,
  form: SignedForm<T>,
  bytes: Uint8Array,
): T {
  const [payload, signature] = parts(form, bytes);
  const fields = readFields(form, payload);
  const value = form.read(fields);
  const message = concat(utf8(form.domain), payload);
  if (!crypto.ed25519.verify(bytesOf(fields[0], 32), message, signature)) {
    throw new DirectoryError("unsigned", "Its key did not sign it");
  }
  return value;
}

/** Payload and signature. */
export function parts<T>(
  { maxLength }: SignedForm<T>,
  bytes: Uint8Array,
): [payload: Bytes, signature: Bytes] {
  const [payload, signature] = arrayOf(decode(bytes, maxLength, 1, 3), 2, 2);
  return [bytesOf(payload), bytesOf(signature, 64)];
}

function readFields<T>(
  { maxLength, maxItems, fields, optional }: SignedForm<T>,
  payload: Uint8Array,
): CborDecoded[] {
  const cbor = decode(payload, maxLength, MAX_DEPTH, maxItems);
  return fieldsOf(cbor, fields, optional);
}
