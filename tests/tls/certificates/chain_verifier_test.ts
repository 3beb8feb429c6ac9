import { assertEquals } from "@std/assert";
import { chainVerifier, TlsError } from "../../../src/tls/mod.ts";
import { certificateDer, x509Cases } from "../_certificates.ts";

const wallTimeMs = Date.UTC(2026, 5, 1);

for (const one of x509Cases) {
  const { name, chain, roots, host = "server.example", crls = [] } = one;
  const verdict = one.alert ? `refuses with ${one.alert}` : "takes";
  Deno.test(`chainVerifier() ${verdict}: ${name}`, async () => {
    const verify = chainVerifier({
      roots: (roots ?? ["root-rsa", "root-p384", "root-ed25519"])
        .map(certificateDer),
      crls: crls.map(certificateDer),
    });
    const subject = { serverName: host, wallTimeMs };
    const judge = () =>
      verify(chain.map(certificateDer), subject).then(
        () => undefined,
        (error) => error instanceof TlsError ? error.alert : `${error}`,
      );
    assertEquals(await judge(), one.alert);
    assertEquals(await judge(), one.alert, "the second time");
  });
}
