import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type HtxRole, makeFolder, startRole } from "./_htx_process.ts";
import { runHtx } from "./_run_htx.ts";

/** How the answer to a good ticket ends. */
const SESSION_FOLLOWS = "\r\ncontent-type: application/octet-stream\r\n";

Deno.test("betanet-htx ticket makes requests that the server admits once", async (t) => {
  await using folder = await makeFolder();
  await using server = await startRole([
    ...["server", "--port", "0", "--state", folder.path],
  ]);
  const args = ["ticket", "--server", server.recordFile, "--json"];
  let used = 0;
  for (const carrier of ["cookie", "query", "body"]) {
    await t.step(carrier, async () => {
      const more = ["--carrier", carrier, "--host", "shop.example"];
      const made = await runHtx(...args, ...more, "--path", "/cart");
      assertEquals([made.code, made.stderr], [0, ""]);
      const { carrier: is, ticket, request } = JSON.parse(made.stdout);
      assertEquals(is, carrier);
      assertStringIncludes(request, "/cart");
      assertStringIncludes(request, "\r\nHost: shop.example\r\n");
      await assertExplained(ticket);

      const [admitted, replayed] = ["admitted", "replayed"].map((result) =>
        `htx_tickets_total{result="${result}"}`
      );
      assertStringIncludes(await send(server, request), SESSION_FOLLOWS);
      assertEquals(await server.count(admitted!), ++used);
      const decoy = await send(server, request);
      assert(/^HTTP\/1\.1 40[45] /.test(decoy), decoy);
      assertEquals(await server.count(admitted!), used);
      assertEquals(await server.count(replayed!), used);
    });
  }
  await t.step("draws a carrier if none is named", async () => {
    const { carrier } = JSON.parse((await runHtx(...args)).stdout);
    assert(["cookie", "query", "body"].includes(carrier));
    const text = await runHtx("ticket", "--server", server.recordFile);
    assert(/^(GET|POST) \/\S* HTTP\/1\.1\nHost: /.test(text.stdout));
  });
});

Deno.test("betanet-htx ticket refuses what is no ticket or carrier", async () => {
  for (
    const [args, code, error] of [
      [["--inspect", "AAAA"], 1, "Cannot decode HTX ticket: unknown version"],
      [["--inspect", "!"], 1, "Cannot decode base64url"],
      [[], 2, "No server given"],
    ] as const
  ) {
    const ran = await runHtx("ticket", ...args);
    assertEquals([ran.code, ran.stdout], [code, ""]);
    assertStringIncludes(ran.stderr, `betanet-htx: error: ${error}`);
  }
});

async function assertExplained(ticket: string): Promise<void> {
  const { stdout } = await runHtx("ticket", "--inspect", ticket, "--json");
  const { version, paddingBytes, ...fields } = JSON.parse(stdout);
  assertEquals(version, 1);
  assert(paddingBytes >= 24 && paddingBytes <= 64, paddingBytes);
  const lengths = Object.entries<string>(fields)
    .map(([name, hex]) => [name, hex.length / 2]);
  assertEquals(lengths, [
    ["clientPublicKey", 32],
    ["keyId", 8],
    ["nonce", 32],
    ["accessTicket", 32],
  ]);
  const text = (await runHtx("ticket", "--inspect", ticket)).stdout;
  for (const value of Object.values<string>(fields)) {
    assertStringIncludes(text, value);
  }
}

/** What the server answers to `request` when nothing follows it. */
async function send({ at }: HtxRole, request: string): Promise<string> {
  const [hostname, port] = at.split(":");
  const connection = await Deno.connect({
    hostname: hostname!,
    port: Number(port),
  });
  await connection.write(new TextEncoder().encode(request));
  await connection.closeWrite();
  return await new Response(connection.readable).text();
}
