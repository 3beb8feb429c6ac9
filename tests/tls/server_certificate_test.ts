import { assertEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../src/core/bytes/mod.ts";
import { serverCertificate } from "../../src/tls/server_certificate.ts";
import { testCertificate, type TestKey } from "./_certificates.ts";

const SCHEMES: Readonly<Record<TestKey, readonly number[]>> = {
  p256: [0x0403],
  p384: [0x0503],
  p521: [0x0603],
  rsa: [0x0804, 0x0805, 0x0806],
  rsaPss: [0x0809, 0x080a, 0x080b],
  ed25519: [0x0807],
};

for (const [key, schemes] of Object.entries(SCHEMES)) {
  Deno.test(`serverCertificate() loads a chain with a key of ${key}`, () => {
    const { chain, certPem, keyPem } = testCertificate(key as TestKey);
    const certificate = serverCertificate({ chainPem: certPem, keyPem });
    assertEquals(certificate.chain, chain);
    assertEquals(certificate.names, ["server.example", "localhost"]);
    assertEquals(
      certificate.key.schemes.filter((scheme) => schemes.includes(scheme)),
      certificate.key.schemes,
    );
  });
}

Deno.test("serverCertificate() refuses the key of another certificate", () => {
  const { certPem } = testCertificate("p256");
  const { keyPem } = testCertificate("p384");
  assertThrows(
    () => serverCertificate({ chainPem: certPem, keyPem }),
    TypeError,
    "Want the private key of the first certificate",
  );
});

Deno.test("serverCertificate() refuses texts that hold no certificate or key", () => {
  const { certPem, keyPem } = testCertificate("p256");
  const broken = certPem.replace("MII", "AAA");
  for (
    const [chainPem, key] of [
      ["", keyPem],
      [certPem, ""],
      [keyPem, certPem],
      [certPem, keyPem + keyPem],
    ] as const
  ) {
    assertThrows(() => serverCertificate({ chainPem, keyPem: key }), TypeError);
  }
  assertThrows(
    () => serverCertificate({ chainPem: broken, keyPem }),
    DecodeError,
  );
});
