import { assertEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../../src/core/bytes/mod.ts";
import { parsePem } from "../../../src/tls/mod.ts";
import { pem } from "../_certificates.ts";

const long = Uint8Array.from({ length: 200 }, (_, i) => i);

Deno.test("parsePem() takes the blocks of one label, in order", () => {
  const text = [
    "subject=somebody\r\n",
    pem("CERTIFICATE", long).replaceAll("\n", "\r\n"),
    pem("PRIVATE KEY", Uint8Array.of(7)),
    pem("CERTIFICATE", Uint8Array.of(1)),
  ].join("");
  assertEquals(parsePem(text), [long, Uint8Array.of(1)]);
  assertEquals(parsePem(text, "PRIVATE KEY"), [Uint8Array.of(7)]);
  assertEquals(parsePem(text, "X509 CRL"), []);
});

Deno.test("parsePem() refuses blocks without an end and other than base64", () => {
  for (
    const text of [
      "-----BEGIN CERTIFICATE-----\nAQID\n",
      "-----BEGIN CERTIFICATE-----\nA?==\n-----END CERTIFICATE-----",
    ]
  ) assertThrows(() => parsePem(text), DecodeError);
});
