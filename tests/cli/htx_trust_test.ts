import { assertEquals, assertRejects } from "@std/assert";
import { verifierOf } from "../../cli/htx/trust.ts";
import { TlsError } from "../../src/tls/mod.ts";
import { testCertificate } from "../tls/_certificates.ts";

const SUBJECT = { serverName: "server.example", wallTimeMs: Date.now() };

Deno.test({
  name:
    "verifierOf() goes without the roots of Deno where the program may not see them",
  permissions: { read: true, sys: false },
  async fn() {
    const chain = [Uint8Array.of(1)];
    const both = verifierOf("both")(chain, SUBJECT);
    const error = await assertRejects(() => both, TlsError);
    assertEquals(error.alert, "badCertificate");
    const bundled = verifierOf("bundled")(chain, SUBJECT);
    await assertRejects(() => bundled, Deno.errors.NotCapable);
  },
});

Deno.test("verifierOf() takes the certificate that it is given, and others by their roots alone", async () => {
  const [certificate] = testCertificate("p256").chain;
  const verify = verifierOf("both", certificate!);
  await verify([certificate!], SUBJECT);
  const { chain } = testCertificate("p384");
  const error = await assertRejects(() => verify(chain, SUBJECT), TlsError);
  assertEquals(error.alert, "unknownCa");
});
