import { type Context, Hono } from "@hono/hono";
import { utf8 } from "../../core/bytes/mod.ts";
import type { BundleEntry } from "../store/bundle_entry.ts";
import type { RestAppOptions } from "./rest_options.ts";

/** Entries of a list that are read before others may use the node. */
const LISTED_AT_ONCE = 256;

/** What applications and people ask of a node. */
export function statusRoutes(
  { node, store }: Pick<RestAppOptions, "node" | "store">,
): Hono {
  const app = new Hono();
  app.get("/nodeid", (c) => c.text(`${node.nodeId}`));
  app.get("/eids", (c) => c.json([`${node.nodeId}`, ...node.endpoints]));
  app.get("/peers", (c) => c.json(node.neighbours));
  app.get("/info", (c) => c.json(node.counts));
  app.get("/store", (c) => c.json(store.usage));
  app.get("/bundles", (c) => list(c, store.entries(), ({ id }) => id));
  app.get("/bundles/verbose", (c) => list(c, store.entries()));
  app.get("/bundles/filtered", (c) => {
    const part = c.req.query("addr");
    if (part === undefined) return c.text("Want addr\n", 400);
    const matches = ({ source, destination }: BundleEntry) =>
      source.includes(part) || destination.includes(part);
    const found = Iterator.from(store.entries()).filter(matches);
    return list(c, found, ({ id }) => id);
  });
  return app;
}

/** A JSON array of as many entries as there are, read as it is taken. */
function list(
  c: Context,
  entries: Iterator<BundleEntry>,
  shown: (entry: BundleEntry) => unknown = (entry) => entry,
): Response {
  let isFirst = true;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      let text = isFirst ? "[" : "";
      for (let i = 0; i < LISTED_AT_ONCE; i++) {
        const { done, value } = entries.next();
        if (done) {
          controller.enqueue(utf8(`${text}]`));
          return controller.close();
        }
        text += `${isFirst ? "" : ","}\n${JSON.stringify(shown(value))}`;
        isFirst = false;
      }
      controller.enqueue(utf8(text));
    },
    cancel: () => void entries.return?.(),
  }, { highWaterMark: 0 });
  return c.body(stream, 200, { "content-type": "application/json" });
}
