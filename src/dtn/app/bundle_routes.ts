import { type Context, Hono } from "@hono/hono";
import { readBody } from "../../core/transport/mod.ts";
import { decodeBundle } from "../bundle/bundle.ts";
import { Eid } from "../bundle/eid.ts";
import type { Quirk } from "../bundle/quirk.ts";
import type { DtnNode } from "../node/dtn_node.ts";
import type { Delivery } from "../node/registration.ts";
import { endpointOf, ownEndpointOf } from "./endpoint_of.ts";
import { lifetimeOf } from "./lifetime_of.ts";
import { queryOf } from "./query_of.ts";
import type { RestAppOptions } from "./rest_options.ts";
import { encodeStored } from "../node/stored_bundle.ts";

const HOUR_MS = 3_600_000;
const CBOR = { "content-type": "application/cbor" };
const NOTHING_TO_RECEIVE = "Nothing to receive";

/** What applications do with bundles. */
export function bundleRoutes(
  options: Pick<RestAppOptions, "node" | "store"> & {
    readonly maxBytes: number;
    readonly quirks: readonly Quirk[];
  },
): Hono {
  const { node, store, maxBytes, quirks } = options;
  const app = new Hono();
  app.post("/send", async (c) => {
    const payload = await readBody(c.req.raw, maxBytes);
    if (!payload) return c.text("The payload is too long\n", 413);
    const { dst, src, lifetime, private: strict = "false" } = c.req.query();
    if (strict !== "true" && strict !== "false") {
      throw new RangeError("Want private=true or private=false");
    }
    const id = await node.send({
      payload,
      destination: Eid.parse(dst ?? ""),
      lifetimeMs: lifetime === undefined ? HOUR_MS : lifetimeOf(lifetime),
      isStrictlyPrivate: strict === "true",
      ...src !== undefined && { source: endpointOf(src, node.nodeId) },
    });
    return c.text(`${id}\n`);
  });
  const insert = async (bytes: Uint8Array) =>
    `${await node.insert(decodeBundle(bytes, { quirks }))}\n`;
  const receive = async (bytes: Uint8Array) =>
    `${await node.receive(decodeBundle(bytes, { quirks }))}\n`;
  for (
    const [path, take] of [["/insert", insert], ["/receive", receive]] as const
  ) {
    app.post(path, async (c) => {
      const bytes = await readBody(c.req.raw, maxBytes);
      if (!bytes) return c.text("The bundle is too long\n", 413);
      return c.text(await take(bytes));
    });
  }
  app.get("/insert", async (c) => c.text(await insert(hexOf(queryOf(c)))));
  app.get("/cts", (c) => {
    const { timeMs, sequence } = node.nextTimestamp();
    return c.json([timeMs, sequence]);
  });
  app.get("/register", (c) => {
    const endpoint = ownEndpointOf(queryOf(c), node.nodeId);
    return c.text(`Registered ${endpoint}`);
  });
  app.get("/endpoint", (c) => {
    const delivery = next(node, c);
    if (!delivery) return c.text(NOTHING_TO_RECEIVE);
    const bytes = encodeStored(delivery.bundle);
    delivery.accept();
    return c.body(bytes, 200, CBOR);
  });
  app.get("/endpoint.hex", (c) => {
    const delivery = next(node, c);
    if (!delivery) return c.text(NOTHING_TO_RECEIVE);
    const hex = encodeStored(delivery.bundle).toHex();
    delivery.accept();
    return c.text(hex);
  });
  app.get("/download", (c) => {
    const bytes = store.bytes(queryOf(c));
    return bytes
      ? c.body(new Uint8Array(bytes), 200, CBOR)
      : c.text("Not found\n", 404);
  });
  app.get("/download.hex", (c) => {
    const bytes = store.bytes(queryOf(c));
    return bytes ? c.text(bytes.toHex()) : c.text("Not found\n", 404);
  });
  app.on(["GET", "DELETE"], "/delete", (c) => {
    const id = queryOf(c);
    return node.delete(id)
      ? c.text(`Deleted ${id}`)
      : c.text("Not found\n", 404);
  });
  return app;
}

function next(node: DtnNode, c: Context): Delivery | undefined {
  return node.next(ownEndpointOf(queryOf(c), node.nodeId));
}

/** The body, if it is no longer than `maxBytes`. */
function hexOf(text: string): Uint8Array {
  if (/^([0-9a-fA-F]{2})+$/.test(text)) return Uint8Array.fromHex(text);
  throw new RangeError("Want a bundle in hexadecimal");
}
