import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Metrics } from "../../src/core/metrics/mod.ts";
import { serveStatus, statusApp } from "../../src/status/mod.ts";

const app = statusApp({
  name: "test",
  metrics: new Metrics(),
  health: () => ({ store: true }),
  ready: () => ({}),
  snapshot: () => [],
});

Deno.test("serveStatus() serves the application on loopback", async () => {
  const abort = new AbortController();
  const server = serveStatus(app, { port: 0, signal: abort.signal });
  assertMatch(server.address, /^http:\/\/127\.0\.0\.1:[0-9]+$/);
  const response = await fetch(`${server.address}/health`);
  assertEquals(await response.json(), { ok: true, checks: { store: true } });
  const head = await fetch(`${server.address}/`, { method: "HEAD" });
  assertEquals([head.status, await head.text()], [200, ""]);
  abort.abort();
  await server.closed;
});

Deno.test("serveStatus() refuses other addresses unless told", async () => {
  for (const hostname of ["0.0.0.0", "::", "192.0.2.1", "127.evil.example"]) {
    assertThrows(() => serveStatus(app, { hostname, port: 0 }), RangeError);
  }
  const hostname = "0.0.0.0";
  await using server = serveStatus(app, {
    hostname,
    port: 0,
    allowRemote: true,
  });
  const { port } = new URL(server.address);
  const response = await fetch(`http://127.0.0.1:${port}/ready`);
  assertEquals(await response.json(), { ok: true, checks: {} });
});
