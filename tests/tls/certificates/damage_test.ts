import { assertEquals, assertThrows } from "@std/assert";
import {
  type Bytes,
  concat,
  DecodeError,
} from "../../../src/core/bytes/mod.ts";
import { chainVerifier, TlsError } from "../../../src/tls/mod.ts";
import { certificateDer, testRoots } from "../_certificates.ts";

const chain = ["p256", "ca-p256"].map(certificateDer);
const subject = {
  serverName: "server.example",
  wallTimeMs: Date.UTC(2026, 5, 1),
};

for (const at of [0, 1]) {
  Deno.test(`chainVerifier() takes no chain with one bit of certificate ${at} changed`, async () => {
    const verify = chainVerifier({ roots: testRoots });
    const taken: number[] = [];
    for (let i = 0; i < chain[at]!.length; i++) {
      const damaged = new Uint8Array(chain[at]!);
      damaged[i]! ^= 1 << i % 8;
      if (await isTaken(verify(chain.with(at, damaged), subject))) {
        taken.push(i);
      }
    }
    assertEquals(taken, []);
  });

  Deno.test(`chainVerifier() takes no chain with certificate ${at} cut short or prolonged`, async () => {
    const verify = chainVerifier({ roots: testRoots });
    const whole = chain[at]!;
    const damaged: Bytes[] = [concat(whole, whole)];
    for (let i = 0; i < whole.length; i += 3) damaged.push(whole.slice(0, i));
    for (const one of damaged) {
      const verdict = verify(chain.with(at, one), subject);
      assertEquals(await isTaken(verdict), false);
    }
  });
}

Deno.test("chainVerifier() takes no chain above 64 KiB", async () => {
  const verify = chainVerifier({ roots: testRoots });
  const large = new Uint8Array(65_536);
  assertEquals(await isTaken(verify([...chain, large], subject)), false);
});

Deno.test("chainVerifier() refuses whatever the roots when there are none", async () => {
  assertEquals(
    await isTaken(chainVerifier({ roots: [] })(chain, subject)),
    false,
  );
});

Deno.test("chainVerifier() passes over roots that are no certificates", async () => {
  const verify = chainVerifier({
    roots: [certificateDer("cut-short"), ...testRoots],
  });
  assertEquals(await isTaken(verify(chain, subject)), true);
});

Deno.test("chainVerifier() throws at once for a malformed revocation list", () => {
  const crls = [certificateDer("crl-p256").slice(0, -1)];
  assertThrows(() => chainVerifier({ roots: testRoots, crls }), DecodeError);
});

Deno.test("chainVerifier() judges host and time of a remembered path anew", async () => {
  const verify = chainVerifier({ roots: testRoots });
  await verify(chain, subject);
  const later = { ...subject, wallTimeMs: Date.UTC(2130, 0) };
  const elsewhere = { ...subject, serverName: "other.example" };
  assertEquals(await alertOf(verify(chain, later)), "certificateExpired");
  assertEquals(await alertOf(verify(chain, elsewhere)), "badCertificate");
});

Deno.test("chainVerifier() counts a certificate as valid for the whole last second", async () => {
  const verify = chainVerifier({ roots: testRoots });
  const endMs = Date.UTC(2120, 0, 1);
  await verify(chain, { ...subject, wallTimeMs: endMs + 999 });
  const after = verify(chain, { ...subject, wallTimeMs: endMs + 1000 });
  assertEquals(await alertOf(after), "certificateExpired");
});

async function isTaken(verdict: Promise<void>): Promise<boolean> {
  return await alertOf(verdict) === undefined;
}

/** The alert of a refusal; another error is a fault of ours. */
async function alertOf(verdict: Promise<void>): Promise<string | undefined> {
  try {
    await verdict;
    return undefined;
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    return error.alert;
  }
}
