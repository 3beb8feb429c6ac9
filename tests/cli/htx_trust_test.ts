import { assertEquals, assertRejects } from "@std/assert";
import { verifierOf } from "../../cli/htx/trust.ts";
import { StorageError } from "../../src/core/storage/mod.ts";
import { TlsError } from "../../src/tls/mod.ts";
import { testCertificate } from "../tls/_certificates.ts";

const SUBJECT = { serverName: "server.example", wallTimeMs: Date.now() };

Deno.test({
  name: "verifierOf() takes the system's roots without asking Deno for its own",
  permissions: { read: true, sys: false },
  async fn() {
    const judging = verifierOf("system")([Uint8Array.of(1)], SUBJECT);
    const error = await assertRejects(() => judging, TlsError);
    assertEquals(error.alert, "badCertificate");
  },
});

Deno.test("verifierOf() says that there is no file of roots, each time", async () => {
  const { chain } = testCertificate("p256");
  const verify = verifierOf("/nowhere/roots.pem");
  for (let i = 0; i < 2; i++) {
    const error = await assertRejects(
      () => verify(chain, SUBJECT),
      StorageError,
    );
    assertEquals(error.code, "absent");
  }
});

Deno.test("verifierOf() takes the certificate that it is given, and others by their roots alone", async () => {
  const [certificate] = testCertificate("p256").chain;
  const verify = verifierOf("system", certificate!);
  await verify([certificate!], SUBJECT);
  const { chain } = testCertificate("p384");
  const error = await assertRejects(() => verify(chain, SUBJECT), TlsError);
  assertEquals(error.alert, "unknownCa");
});
