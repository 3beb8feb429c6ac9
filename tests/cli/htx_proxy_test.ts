import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type HtxRole,
  makeFolder,
  startRole,
  startTunnel,
} from "./_htx_process.ts";
import { serveHeld, throughProxy } from "./_held_origin.ts";

Deno.test("betanet-htx server and proxy show how they are", async (t) => {
  await using origin = serveHeld();
  await using tunnel = await startTunnel([origin.at], {
    proxyArgs: ["-L", `0:${origin.at}`],
  });
  const { server, proxy } = tunnel;
  await t.step("before the first client", async () => {
    assertEquals(await checks(server, "health"), [200, { listening: true }]);
    assertEquals(await checks(server, "ready"), [200, { accepting: true }]);
    assertEquals(await checks(proxy, "health"), [200, { listening: true }]);
    assertEquals(await checks(proxy, "ready"), [200, { accepting: true }]);
    assertEquals(await proxy.count("htx_sessions"), 0);
  });
  await t.step("after a request by proxy and one by -L", async () => {
    using client = throughProxy(proxy.at);
    assertEquals(await (await fetch(origin.url, { client })).text(), "origin");
    const forward = proxy.addresses[1]!.replace("tcp:", "http:");
    assertEquals(await (await fetch(forward)).text(), "origin");
    assertEquals(await checks(proxy, "ready"), [200, { accepting: true }]);
    assertEquals(await server.count("htx_sessions"), 1);
    assertEquals(await server.count("htx_handshake_seconds_count"), 1);
    const admitted = 'htx_tickets_total{result="admitted"}';
    assertEquals(await server.count(admitted), 1);
    const down = 'htx_tunnel_bytes_total{direction="down"}';
    assertEquals(await server.count(down), await proxy.count(down));
    assert(await server.count(down) > 2 * "origin".length);
  });
  await t.step("as a page", async () => {
    for (
      const [role, name] of [[server, "server"], [proxy, "proxy"]] as const
    ) {
      const page = await (await fetch(`${role.statusUrl}/`)).text();
      assertStringIncludes(page, `betanet-htx ${name}`);
      assertStringIncludes(page, "htx_sessions");
    }
  });
});

Deno.test("betanet-htx proxy answers its clients while the server is away, and works once it is there", async () => {
  await using folder = await makeFolder();
  await using origin = serveHeld();
  const state = ["--state", folder.path, "--allow", origin.at];
  const first = await startRole(["server", "--port", "0", ...state]);
  assertEquals(await first.stop(), 0);
  await using proxy = await startRole([
    ...["proxy", "--server", first.recordFile, "--listen", "127.0.0.1:0"],
  ]);
  using client = throughProxy(proxy.at);
  const away = await fetch(origin.url, { client });
  await away.body?.cancel();
  assertEquals(away.status, 502);
  const failed = 'htx_handshakes_total{result="failed"}';
  assertEquals(await proxy.count(failed), 1);
  assertEquals(
    await proxy.count('htx_tunnels_refused_total{reason="session"}'),
    1,
  );
  await proxy.process.stderr.match(/htx\.session_failed .*Cannot reach/);

  const [tls, tcp] = first.addresses.map((at) => at.split(":")[2]!);
  const ports = ["--port", tcp!, "--tls-port", tls!];
  await using _server = await startRole(["server", ...ports, ...state]);
  const back = await fetch(origin.url, { client });
  assertEquals([back.status, await back.text()], [200, "origin"]);
});

/** Status and body of `/health` or `/ready`. */
async function checks(
  { statusUrl }: HtxRole,
  name: string,
): Promise<[number, unknown]> {
  const response = await fetch(`${statusUrl}/${name}`);
  const { ok, checks } = await response.json();
  assertEquals(ok, response.status === 200);
  return [response.status, checks];
}
