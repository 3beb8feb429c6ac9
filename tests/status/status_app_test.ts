import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createLogger } from "../../src/core/log/mod.ts";
import { Metrics } from "../../src/core/metrics/mod.ts";
import type { HttpHandler } from "../../src/core/transport/mod.ts";
import { statusApp, type StatusOptions } from "../../src/status/mod.ts";

const PATHS = ["/", "/health", "/ready", "/metrics"];

Deno.test("statusApp() answers /health and /ready by their checks", async () => {
  const checks = { store: true, clock: true };
  const app = appWith({ health: () => checks, ready: () => ({}) });
  const health = await get(app, "/health");
  assertEquals(health.status, 200);
  assertMatch(health.headers.get("content-type")!, /^application\/json/);
  assertEquals(await health.json(), { ok: true, checks });
  assertEquals((await get(app, "/ready")).status, 200);

  checks.clock = false;
  const failing = await get(app, "/health");
  assertEquals(failing.status, 503);
  assertEquals(await failing.json(), { ok: false, checks });
  assertEquals((await get(app, "/ready")).status, 200);

  const draining = appWith({ ready: () => ({ listening: false }) });
  assertEquals((await get(draining, "/ready")).status, 503);
  assertEquals((await get(draining, "/health")).status, 200);
});

Deno.test("statusApp() exposes the metrics", async () => {
  const metrics = new Metrics();
  const counter = metrics.counter({ name: "a_total", help: "A" });
  const app = appWith({ metrics });
  counter.inc(41);
  counter.inc();
  const response = await get(app, "/metrics");
  assertEquals(response.status, 200);
  assertEquals(
    response.headers.get("content-type"),
    "text/plain; version=0.0.4; charset=utf-8",
  );
  assertStringIncludes(await response.text(), "\na_total 42\n");
});

Deno.test("statusApp() shows the snapshot as a page that reloads itself", async () => {
  const app = appWith({
    health: () => ({ store: false }),
    snapshot: () => [{
      title: "Sessions & streams",
      columns: ["session", "bytes", "state"],
      rows: [['<script>"x"</script>', 1234567.8912, "it's open"]],
    }],
  });
  const response = await get(app, "/");
  assertEquals(response.status, 200);
  assertMatch(
    response.headers.get("content-type")!,
    /^text\/html; charset=utf-8/i,
  );
  const html = await response.text();
  assertStringIncludes(html, '<meta http-equiv="refresh" content="2">');
  assertStringIncludes(html, "<h1>test &#60;role&#62;</h1>");
  assertStringIncludes(html, '<li class="bad">store: failing</li>');
  assertStringIncludes(html, '<li class="ok">listening: ok</li>');
  assertStringIncludes(html, "<h2>Sessions &#38; streams</h2>");
  assertStringIncludes(
    html,
    "<tr><th>session</th><th>bytes</th><th>state</th></tr>" +
      '<tr><th scope="row">&#60;script&#62;&#34;x&#34;&#60;/script&#62;</th>' +
      '<td class="n">1,234,567.891</td><td>it&#39;s open</td></tr>',
  );
  assertEquals(/<script|src=|href=/.test(html), false);
});

Deno.test("statusApp() cuts long tables and says so", async () => {
  const rows = Array.from({ length: 1_500 }, (_, i) => [`row ${i}`, i]);
  const app = appWith({ snapshot: () => [{ title: "Many", rows }] });
  const html = await (await get(app, "/")).text();
  assertStringIncludes(html, ">row 199<");
  assertEquals(html.includes(">row 200<"), false);
  assertStringIncludes(html, '<tr><td colspan="2">1,300 more</td></tr>');
});

Deno.test("statusApp() forbids caching, framing, sniffing and scripts everywhere", async () => {
  const app = appWith({});
  for (const path of [...PATHS, "/none"]) {
    const { headers } = await get(app, path);
    assertEquals(headers.get("cache-control"), "no-store");
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    assertEquals(headers.get("referrer-policy"), "no-referrer");
    assertEquals(headers.get("cross-origin-resource-policy"), "same-origin");
    assertEquals(headers.get("access-control-allow-origin"), null);
    const policy = headers.get("content-security-policy")!;
    assertStringIncludes(policy, "default-src 'none'");
    assertStringIncludes(policy, "frame-ancestors 'none'");
  }
});

Deno.test("statusApp() answers HEAD without a body, and no other method", async () => {
  const app = appWith({});
  for (const path of PATHS) {
    const head = await get(app, path, { method: "HEAD" });
    assertEquals(head.status, 200);
    assertEquals(await head.text(), "");
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
      const response = await get(app, path, { method });
      assertEquals(response.status, 405);
      assertEquals(response.headers.get("allow"), "GET, HEAD");
      assertEquals(response.headers.get("cache-control"), "no-store");
    }
  }
  assertEquals((await get(app, "/none")).status, 404);
});

Deno.test("statusApp() refuses names that a web site could have brought", async () => {
  const app = appWith({});
  for (const host of ["localhost", "127.0.0.1:80", "[::1]:9", "10.0.0.1"]) {
    assertEquals((await get(app, `http://${host}/health`)).status, 200);
  }
  for (
    const host of ["evil.example", "127.0.0.1.evil.example", "localhost.a"]
  ) {
    const response = await get(app, `http://${host}/health`);
    assertEquals(response.status, 421);
    assertEquals(response.headers.get("cache-control"), "no-store");
  }
});

Deno.test("statusApp() reports what fails to the log, not to the client", async () => {
  const events: unknown[] = [];
  const fail = () => {
    throw new RangeError("A detail");
  };
  const log = createLogger({
    sink: ({ event, fields }) => events.push([event, fields]),
  });
  const app = appWith({ health: fail, log });
  const response = await get(app, "/health");
  assertEquals(response.status, 500);
  assertEquals(await response.text(), "Internal server error\n");
  assertEquals(response.headers.get("cache-control"), "no-store");
  assertEquals(events, [["status.failed", {
    path: "/health",
    error: { name: "RangeError", message: "A detail" },
  }]]);
});

function get(handler: HttpHandler, url: string, init?: RequestInit) {
  return handler(new Request(new URL(url, "http://localhost"), init));
}

function appWith(options: Partial<StatusOptions>) {
  return statusApp({
    name: "test <role>",
    metrics: new Metrics(),
    health: () => ({ store: true }),
    ready: () => ({ listening: true }),
    snapshot: () => [],
    ...options,
  });
}
