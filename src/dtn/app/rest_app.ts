import { type Context, Hono } from "@hono/hono";
import { equal, utf8 } from "../../core/bytes/mod.ts";
import type { HttpHandler } from "../../core/transport/mod.ts";
import { decodeBundle, encodeBundle } from "../bundle/bundle.ts";
import { Eid } from "../bundle/eid.ts";
import { BundleError } from "../bundle/error.ts";
import type { BundleOptions } from "../bundle/quirk.ts";
import type { DtnNode } from "../node/dtn_node.ts";
import { DtnNodeError, type DtnNodeErrorCode } from "../node/error.ts";
import type { Delivery } from "../node/registration.ts";
import type { BundleStore } from "../store/bundle_store.ts";
import type { BundleEntry } from "../store/bundle_entry.ts";

/** Parts and options of {@link restApp}. */
export interface RestAppOptions {
  /** The node. */
  readonly node: DtnNode;
  /** Its store, for what it shows. */
  readonly store: BundleStore;
  /** What requests must bring as `Authorization: Bearer …`; nothing by default. */
  readonly token?: string;
  /** Longest payload or bundle; 64 MiB by default. */
  readonly maxBytes?: number;
  /** What to overlook in bundles that are inserted, as the node does in those of neighbours; nothing by default. */
  readonly quirks?: BundleOptions["quirks"];
}

const NOTHING_TO_RECEIVE = "Nothing to receive";

const MAX_BYTES = 64 * 1024 * 1024;
const MAX_LISTED = 10_000;
const HOUR_MS = 3_600_000;
const MAX_LIFETIME_MS = 2 ** 40;
const CBOR = { "content-type": "application/cbor" };
const STATUS_OF = {
  known: 409,
  registered: 409,
  security: 403,
  expired: 410,
  too_large: 413,
  closed: 503,
  full: 507,
  priority_full: 507,
} as const satisfies Record<DtnNodeErrorCode, number>;
/** An IP address of this machine, or its name for itself: no web site reaches us through a name of its own. */
const LOOPBACK = /^(?:localhost|127(?:\.[0-9]+){3}|\[::1\])$/;

/**
 * The handler of a small Hono application for the applications of this machine, with routes as dtn7-rs has them:
 *
 * ```text
 * POST /send?dst=&lifetime=&src=   makes a bundle of the body; lifetime in milliseconds, an hour by default; answers its name
 * POST /insert                     takes a bundle
 * GET  /cts                        a creation timestamp that is given once: [DTN time in milliseconds, sequence number]
 * GET  /endpoint?<endpoint>        the next bundle of an endpoint of this node, which it takes; a text if there is none
 * GET  /endpoint.hex?<endpoint>    the same in hexadecimal
 * GET  /download?<name>            a bundle that is here
 * GET  /delete?<name>              removes it
 * GET  /status/nodeid|bundles|store|peers|info
 * ```
 *
 * An endpoint is written whole, or as its path: `in` for `dtn://node/in`, `7` for `ipn:N.7`.
 *
 * It answers at loopback names only. Bad requests get status 400 and a line that says what is wrong; a bundle
 * that is known 409, expired 410, against the security policy 403, too large 413, one without room 507.
 */
export function restApp(options: RestAppOptions): HttpHandler {
  const { node, store, maxBytes = MAX_BYTES, quirks = [] } = options;
  const app = new Hono();
  app.use(async (c, next) => {
    if (!LOOPBACK.test(new URL(c.req.url).hostname)) {
      return c.text("Misdirected request\n", 421);
    }
    if (!isAuthorized(c, options.token)) return c.text("Unauthorized\n", 401);
    await next();
  });
  app.post("/send", async (c) => {
    const payload = await bodyOf(c, maxBytes);
    if (!payload) return c.text("The payload is too long\n", 413);
    const { dst, src, lifetime } = c.req.query();
    const lifetimeMs = lifetime === undefined ? HOUR_MS : Number(lifetime);
    if (!(lifetimeMs > 0 && lifetimeMs <= MAX_LIFETIME_MS)) {
      return c.text("Want a lifetime in milliseconds\n", 400);
    }
    const id = await node.send({
      payload,
      destination: Eid.parse(dst ?? ""),
      lifetimeMs: Math.floor(lifetimeMs),
      ...src !== undefined && { source: endpointOf(src, node.nodeId) },
    });
    return c.text(`${id}\n`);
  });
  app.post("/insert", async (c) => {
    const bytes = await bodyOf(c, maxBytes);
    if (!bytes) return c.text("The bundle is too long\n", 413);
    return c.text(`${await node.insert(decodeBundle(bytes, { quirks }))}\n`);
  });
  app.get("/cts", (c) => {
    const { timeMs, sequence } = node.nextTimestamp();
    return c.json([timeMs, sequence]);
  });
  const next = (c: Context): Delivery | undefined => {
    const endpoint = endpointOf(queryOf(c), node.nodeId);
    if (!endpoint.nodeId().equals(node.nodeId)) {
      throw new BundleError("eid", "Not an endpoint of this node");
    }
    return node.next(endpoint);
  };
  app.get("/endpoint", (c) => {
    const delivery = next(c);
    if (!delivery) return c.text(NOTHING_TO_RECEIVE);
    const bytes = encodeBundle(delivery.bundle);
    delivery.accept();
    return c.body(bytes, 200, CBOR);
  });
  app.get("/endpoint.hex", (c) => {
    const delivery = next(c);
    if (!delivery) return c.text(NOTHING_TO_RECEIVE);
    const hex = encodeBundle(delivery.bundle).toHex();
    delivery.accept();
    return c.text(hex);
  });
  app.get("/download", (c) => {
    const bytes = store.bytes(queryOf(c));
    return bytes ? c.body(bytes, 200, CBOR) : c.text("Not found\n", 404);
  });
  app.get("/delete", (c) => {
    const id = queryOf(c);
    return node.delete(id)
      ? c.text(`Deleted ${id}`)
      : c.text("Not found\n", 404);
  });
  app.get("/status/nodeid", (c) => c.text(`${node.nodeId}`));
  app.get("/status/peers", (c) => c.json(node.neighbours));
  app.get("/status/info", (c) => c.json(node.counts));
  app.get("/status/store", (c) => c.json(store.usage));
  app.get("/status/bundles", (c) => c.json(listed(store)));
  app.notFound((c) => c.text("Not found\n", 404));
  app.onError((error, c) => {
    if (error instanceof DtnNodeError) {
      return c.text(`${error.message}\n`, STATUS_OF[error.code]);
    }
    if (error instanceof BundleError || error instanceof RangeError) {
      return c.text(`${error.message}\n`, 400);
    }
    return c.text("Internal server error\n", 500);
  });
  return (request) => app.fetch(request);
}

function isAuthorized(c: Context, token: string | undefined): boolean {
  if (token === undefined) return true;
  const given = c.req.header("authorization") ?? "";
  return equal(utf8(given), utf8(`Bearer ${token}`));
}

/** The body, if it is no longer than `maxBytes`. */
async function bodyOf(
  c: Context,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of c.req.raw.body ?? []) {
    length += part.length;
    if (length > maxBytes) return undefined;
    parts.push(part);
  }
  return await new Blob(parts as BlobPart[]).bytes();
}

/** All behind the question mark, as dtn7-rs takes it. */
function queryOf(c: Context): string {
  return decodeURIComponent(new URL(c.req.url).search.slice(1));
}

function endpointOf(text: string, nodeId: Eid): Eid {
  if (/^(dtn|ipn):/.test(text)) return Eid.parse(text);
  if (nodeId.scheme === "dtn") return Eid.parse(`${nodeId}${text}`);
  if (!/^[0-9]{1,10}$/.test(text)) {
    throw new BundleError("eid", "Want the number of a service");
  }
  return Eid.ipn(nodeId.allocator, nodeId.nodeNumber, Number(text));
}

function listed(store: BundleStore): BundleEntry[] {
  const entries: BundleEntry[] = [];
  for (const entry of store.entries()) {
    if (entries.push(entry) >= MAX_LISTED) break;
  }
  return entries;
}
