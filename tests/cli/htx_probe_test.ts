import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { makeFolder, startRole } from "./_htx_process.ts";
import { runHtx } from "./_run_htx.ts";

Deno.test("betanet-htx probe measures a session, and sees what strangers see", async (t) => {
  await using folder = await makeFolder();
  await using server = await startRole([
    ...["server", "--port", "0", "--state", folder.path],
  ]);
  const args = ["probe", "--server", server.recordFile, "--count", "3"];
  for (const carrier of ["tcp", "ws", "quic"]) {
    await t.step(carrier, async () => {
      const ran = await runHtx(...args, "--carrier", carrier, "--json");
      assertEquals([ran.code, ran.stderr], [0, ""]);
      const { address, decoy, session } = JSON.parse(ran.stdout);
      assert(address.startsWith(`${carrier}://127.0.0.1:`), address);
      assertEquals(decoy?.status, carrier === "quic" ? undefined : 200);
      assert(session.openedMs > 0 && session.p50Ms > 0);
      assert(session.p95Ms >= session.p50Ms);
    });
  }
  assertEquals(await server.count('htx_decoy_total{result="served"}'), 2);
  assertEquals(await server.count('htx_tickets_total{result="admitted"}'), 3);
  const { stdout } = await runHtx(...args);
  assertStringIncludes(stdout, "without a ticket  200 text/html");
  assert(/^round trip p95 +[\d.]+ ms$/m.test(stdout), stdout);
});

Deno.test("betanet-htx probe wants 1 to 1000 PINGs and a carrier that exists", async () => {
  for (
    const [flag, value] of [["count", "0"], ["count", "x"], ["carrier", "http"]]
  ) {
    const { code, stderr } = await runHtx("probe", `--${flag}`, value!);
    assertEquals(code, 2);
    assertStringIncludes(stderr, `error: Flag --${flag} wants `);
  }
});
