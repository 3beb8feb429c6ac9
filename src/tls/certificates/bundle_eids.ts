import { Reader } from "../../core/bytes/mod.ts";
import { DER_TAG, readDer } from "./der.ts";
import { usageOf } from "./extensions.ts";
import { type GeneralName, NAME_FORM } from "./general_name.ts";
import { decodeX509 } from "./x509_certificate.ts";

/** id-on-bundleEID, 1.3.6.1.5.5.7.8.11: contents of the object identifier, in hexadecimal. */
const BUNDLE_EID = "2b0601050507080b";
const IA5_STRING = 0x16;

/**
 * The endpoint IDs of nodes that a certificate is for: otherNames of the form BundleEID in its subjectAltName (RFC 9174 §4.4.2).
 *
 * @throws {DecodeError} If the certificate or one of these names is malformed.
 */
export function bundleEidsOf(certificateDer: Uint8Array): string[] {
  const certificate = decodeX509(new Uint8Array(certificateDer));
  return usageOf(certificate).subjectAltNames
    .filter(({ tag }) => tag === NAME_FORM.other)
    .map(eidOf).filter((eid) => eid !== undefined);
}

/** `OtherName ::= SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY }`, where the ANY is an IA5String. */
function eidOf({ value }: GeneralName): string | undefined {
  const reader = new Reader(value, "other name of a certificate");
  const type = readDer(reader, DER_TAG.objectIdentifier);
  if (type.contents.toHex() !== BUNDLE_EID) return undefined;
  const outer = new Reader(readDer(reader, 0xa0).contents, reader.what);
  reader.end();
  const { contents } = readDer(outer, IA5_STRING);
  outer.end();
  return new TextDecoder("latin1").decode(contents);
}
