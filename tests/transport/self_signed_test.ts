import { X509Certificate } from "node:crypto";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { selfSigned } from "../../src/core/transport/mod.ts";

Deno.test("selfSigned() makes a certificate that its own key signed, for its names and time", async () => {
  const { certPem, keyPem } = await selfSigned({
    names: ["example.org", "*.example.org", "127.0.0.1"],
    notBeforeMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    validityMs: 3_600_000,
  });
  const certificate = new X509Certificate(certPem);
  assert(certificate.verify(certificate.publicKey));
  assertEquals(certificate.subject, "CN=example.org");
  assertEquals(certificate.issuer, "CN=example.org");
  assertEquals(
    certificate.subjectAltName,
    "DNS:example.org, DNS:*.example.org, IP Address:127.0.0.1",
  );
  assertEquals(
    [certificate.validFrom, certificate.validTo].map(Date.parse),
    [Date.UTC(2026, 0, 2, 3, 4, 5), Date.UTC(2026, 0, 2, 4, 4, 5)],
  );
  assert(keyPem.startsWith("-----BEGIN PRIVATE KEY-----\n"));
});

Deno.test("selfSigned() encodes every signature and serial number in its shortest form", async () => {
  for (let i = 0; i < 50; i++) {
    const { certPem } = await selfSigned({ names: ["a".repeat(i + 1)] });
    const certificate = new X509Certificate(certPem);
    assert(certificate.verify(certificate.publicKey));
  }
});

Deno.test("selfSigned() refuses no names, names that are not ASCII, and years it cannot write", async () => {
  await assertRejects(() => selfSigned({ names: [] }), RangeError);
  await assertRejects(() => selfSigned({ names: ["é"] }), RangeError);
  const names = ["a"];
  const notBeforeMs = Date.UTC(2051);
  await assertRejects(() => selfSigned({ names, notBeforeMs }), RangeError);
});
