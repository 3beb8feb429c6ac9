import { assertEquals, assertThrows } from "@std/assert";
import {
  type Bytes,
  concat,
  DecodeError,
  utf8,
} from "../../../src/core/bytes/mod.ts";
import { bundleEidsOf } from "../../../src/tls/mod.ts";
import { testCertificate } from "../_certificates.ts";
import {
  der,
  encodeCertificate,
  extension,
  generalName,
  objectIdentifier,
} from "../../vectors/x509/_certificate.ts";

const BUNDLE_EID = objectIdentifier("1.3.6.1.5.5.7.8.11");
const IA5 = 0x16;
const UTF8 = 0x0c;

/** An otherName: its type, then its value as it is given. */
function other(type: Bytes, value: Bytes): Bytes {
  return der(0xa0, concat(type, value));
}

function eid(text: string, tag = IA5, explicit = 0xa0): Bytes {
  return other(BUNDLE_EID, der(explicit, der(tag, utf8(text))));
}

function eidsIn(...names: readonly Bytes[]): string[] {
  const key = testCertificate("p256").pkcs8;
  return bundleEidsOf(encodeCertificate({
    ...{ subject: "node", issuer: "node", key, signer: key },
    algorithm: "ecdsaSha256",
    extensions: names.length > 0 ? [extension.subjectAltName(...names)] : [],
  }));
}

Deno.test("bundleEidsOf() gives every BundleEID in the order of the certificate, and nothing else that names it", () => {
  const upn = other(
    objectIdentifier("1.3.6.1.4.1.311.20.2.3"),
    der(0xa0, der(UTF8, utf8("dtn://upn/"))),
  );
  const names = [
    generalName.dns("dtn.example"),
    eid("dtn://one/"),
    generalName.uri("dtn://uri/"),
    upn,
    eid("ipn:2.0"),
    generalName.ip(127, 0, 0, 1),
  ];
  assertEquals(eidsIn(...names), ["dtn://one/", "ipn:2.0"]);
  assertEquals(eidsIn(generalName.dns("dtn.example")), []);
  assertEquals(eidsIn(), []);
});

Deno.test("bundleEidsOf() takes a wildcard for the text that it is", () => {
  assertEquals(eidsIn(eid("dtn://*/")), ["dtn://*/"]);
});

Deno.test("bundleEidsOf() refuses a BundleEID of another type, without its tag, or with more behind it", () => {
  const text = der(IA5, utf8("dtn://one/"));
  const names = {
    "UTF8String": eid("dtn://one/", UTF8),
    "another tag": eid("dtn://one/", IA5, 0xa1),
    "no explicit tag": other(BUNDLE_EID, text),
    "nothing": other(BUNDLE_EID, new Uint8Array()),
    "two values": other(BUNDLE_EID, der(0xa0, concat(text, text))),
    "more behind": other(BUNDLE_EID, concat(der(0xa0, text), text)),
  };
  for (const [what, name] of Object.entries(names)) {
    assertThrows(() => eidsIn(name), DecodeError, undefined, what);
  }
});
