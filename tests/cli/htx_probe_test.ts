import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { makeFolder, startRole } from "./_htx_process.ts";
import { runHtx } from "./_run_htx.ts";

Deno.test("betanet-htx probe measures a session, and sees what strangers see", async (t) => {
  await using folder = await makeFolder();
  await using server = await startRole([
    ...["server", "--port", "0", "--state", folder.path],
  ]);
  const args = ["probe", "--server", server.recordFile, "--count", "3"];
  for (const carrier of ["tls", "wss", "tcp", "ws", "quic"] as const) {
    await t.step(carrier, async () => {
      const ran = await runHtx(...args, "--carrier", carrier, "--json");
      assertEquals([ran.code, ran.stderr], [0, ""]);
      const { address, decoy, session } = JSON.parse(ran.stdout);
      assert(address.startsWith(`${carrier}://127.0.0.1:`), address);
      assertEquals(decoy?.status, carrier === "quic" ? undefined : 200);
      assertEquals(decoy?.protocol, PROTOCOL[carrier]);
      assert(session.openedMs > 0 && session.p50Ms > 0);
      assert(session.p95Ms >= session.p50Ms);
    });
  }
  const visits = 4 + 2; // before every session but that of QUIC, and the pre-flights of TLS
  assertEquals(await server.count('htx_decoy_total{result="served"}'), visits);
  assertEquals(await server.count('htx_tickets_total{result="admitted"}'), 5);
  const { stdout } = await runHtx(...args);
  assertStringIncludes(stdout, "without a ticket  200 text/html");
  assert(/^round trip p95 +[\d.]+ ms$/m.test(stdout), stdout);
});

/** What a visitor without a ticket speaks, by carrier. */
const PROTOCOL = {
  tls: "h2",
  wss: "h2",
  tcp: "http/1.1",
  ws: "http/1.1",
  quic: undefined,
} as const;

Deno.test("betanet-htx probe wants 1 to 1000 PINGs and a carrier that exists", async () => {
  for (
    const [flag, value, want] of [
      ["count", "0", "Flag --count wants "],
      ["count", "x", "Flag --count wants "],
      ["carrier", "http", "flags: proxy.carrier: want "],
      ["profile", "105", "flags: proxy.profile: want "],
    ] as const
  ) {
    const { code, stderr } = await runHtx("probe", `--${flag}`, value);
    assertEquals(code, 2);
    assertStringIncludes(stderr, `error: ${want}`);
  }
});
