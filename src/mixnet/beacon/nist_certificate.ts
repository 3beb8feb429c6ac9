import {
  type Bytes,
  DecodeError,
  equal,
  Reader,
} from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { BeaconError } from "./error.ts";
import { malformed } from "./json_fields.ts";

const SEQUENCE = 0x30;
const VERSION = 0xa0;
/** Of a TBSCertificate (RFC 5280 §4.1) before the key: serial number, signature, issuer, validity, subject. */
const FIELDS_BEFORE_KEY = 5;
const PEM =
  /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;

/**
 * The SubjectPublicKeyInfo of the certificate in `pem` whose DER has `id` as its SHA-512. That is all that is checked of the
 * certificate: whoever gives the id vouches for it.
 *
 * @throws {BeaconError} `malformed`, or `unverified` if none has that hash.
 */
export function certificateKey(
  crypto: CryptoProvider,
  pem: string,
  id: Uint8Array,
): Bytes {
  for (const [, text] of pem.matchAll(PEM)) {
    const der = bytesIn(text!);
    if (equal(crypto.hash("sha512", der), id)) return keyIn(der);
  }
  throw new BeaconError("unverified", "Another certificate");
}

function bytesIn(text: string): Bytes {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return malformed("Want base64 in PEM");
  }
}

function keyIn(der: Bytes): Bytes {
  try {
    const certificate = open(new Reader(der, "certificate"));
    const fields = open(certificate);
    if (fields.peek() === VERSION) skip(fields);
    for (let i = 0; i < FIELDS_BEFORE_KEY; i++) skip(fields);
    const start = fields.offset;
    skip(fields);
    return new Uint8Array(fields.since(start));
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new BeaconError("malformed", "Want a certificate", { cause });
  }
}

/** The content of a SEQUENCE. */
function open(r: Reader): Reader {
  if (r.u8() !== SEQUENCE) {
    throw new DecodeError("certificate", "want a SEQUENCE");
  }
  return r.sub(lengthOf(r));
}

function skip(r: Reader): void {
  r.u8();
  r.take(lengthOf(r));
}

/** A length of X.690 §8.1.3, of which certificates of up to 16 MiB have these forms. */
function lengthOf(r: Reader): number {
  const first = r.u8();
  if (first < 0x80) return first;
  if (first === 0x81) return r.u8();
  if (first === 0x82) return r.u16();
  if (first === 0x83) return r.u24();
  throw new DecodeError("certificate", "want a shorter length");
}
