import { Hono } from "@hono/hono";
import { EXPOSITION_TYPE, type Metrics } from "../core/metrics/mod.ts";
import { type Logger, silentLogger } from "../core/log/mod.ts";
import type { HttpHandler } from "../core/transport/mod.ts";
import { renderPage, type StatusSection } from "./page.ts";

/** Named conditions and whether they hold. */
export type Checks = Readonly<Record<string, boolean>>;

/** What a role shows of itself. */
export interface StatusOptions {
  /** The name of the program, such as `betanet-htx server`. */
  readonly name: string;
  /** What `/metrics` exposes. */
  readonly metrics: Metrics;
  /** Whether the program works; if not, it should be restarted. */
  readonly health: () => Checks;
  /** Whether it takes work now: not while it starts or drains. */
  readonly ready: () => Checks;
  /** The numbers of the page. */
  readonly snapshot: () =>
    | readonly StatusSection[]
    | Promise<readonly StatusSection[]>;
  /** Hears of answers that failed, as `status.failed`; nobody by default. */
  readonly log?: Logger;
}

/**
 * The handler of a small Hono application with
 *
 * - `/health` and `/ready`: JSON `{"ok":…,"checks":{…}}`, status 200 if every check holds, else 503;
 * - `/metrics`: Prometheus' text format 0.0.4;
 * - `/`: a page for people that reloads itself.
 *
 * It answers GET and HEAD only, nothing may be cached or framed, and the `Host` must be an IP address or `localhost`, so that no web site can read it through a name of its own (DNS rebinding).
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Metrics } from "../core/metrics/mod.ts";
 * import { statusApp } from "./mod.ts";
 *
 * const handler = statusApp({
 *   name: "example",
 *   metrics: new Metrics(),
 *   health: () => ({ store: true }),
 *   ready: () => ({ listening: false }),
 *   snapshot: () => [{ title: "Sessions", rows: [["open", 3]] }],
 * });
 * const response = await handler(new Request("http://localhost/ready"));
 * assertEquals(response.status, 503);
 * assertEquals(await response.json(), { ok: false, checks: { listening: false } });
 * ```
 */
export function statusApp(
  { name, metrics, health, ready, snapshot, log = silentLogger }: StatusOptions,
): HttpHandler {
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    for (const [field, value] of Object.entries(SECURITY_FIELDS)) {
      c.res.headers.set(field, value);
    }
  });
  app.use(async (c, next) => {
    if (!HOST_REGEXP.test(new URL(c.req.url).hostname)) {
      return c.text("Misdirected request\n", 421);
    }
    if (c.req.method !== "GET" && c.req.method !== "HEAD") {
      return c.text("Method not allowed\n", 405, { allow: "GET, HEAD" });
    }
    await next();
  });
  for (const [path, checks] of Object.entries({ health, ready })) {
    app.get(`/${path}`, (c) => {
      const result = checks();
      const ok = Object.values(result).every((holds) => holds);
      return c.json({ ok, checks: result }, ok ? 200 : 503);
    });
  }
  app.get(
    "/metrics",
    async (c) =>
      c.body(await metrics.exposition(), 200, {
        "content-type": EXPOSITION_TYPE,
      }),
  );
  app.get("/", async (c) =>
    c.html(renderPage({
      name,
      checks: { ...health(), ...ready() },
      sections: await snapshot(),
    })));
  app.notFound((c) => c.text("Not found\n", 404));
  app.onError((error, c) => {
    log.error("status.failed", { path: c.req.path, error });
    return c.text("Internal server error\n", 500);
  });
  return (request) => app.fetch(request);
}

/** `localhost`, an IPv4 address or an IPv6 address, as a URL has them. */
const HOST_REGEXP = /^(?:localhost|[0-9]+(?:\.[0-9]+){3}|\[[0-9a-f:.]+\])$/;

const SECURITY_FIELDS = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};
