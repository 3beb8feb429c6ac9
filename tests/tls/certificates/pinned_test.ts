import { assertEquals, assertRejects } from "@std/assert";
import { pinnedVerifier, TlsError } from "../../../src/tls/mod.ts";
import { certificateDer } from "../_certificates.ts";

const subject = { serverName: "other.example", wallTimeMs: 0 };
const pinned = certificateDer("self-signed");

Deno.test("pinnedVerifier() takes its certificate for any host at any time", async () => {
  await pinnedVerifier(pinned)([pinned], subject);
  await pinnedVerifier(pinned)([pinned, certificateDer("p256")], subject);
});

Deno.test("pinnedVerifier() takes no other certificate", async () => {
  const other = certificateDer("p256");
  for (const chain of [[], [other], [other, pinned], [pinned.slice(0, -1)]]) {
    const error = await assertRejects(
      () => pinnedVerifier(pinned)(chain, subject),
      TlsError,
    );
    assertEquals(error.alert, "certificateUnknown");
  }
});

Deno.test("pinnedVerifier() keeps its own copy of the certificate", async () => {
  const mine = new Uint8Array(pinned);
  const verify = pinnedVerifier(mine);
  mine.fill(0);
  await verify([pinned], subject);
});
