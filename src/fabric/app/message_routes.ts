import { Hono } from "@hono/hono";
import { readBody } from "../../core/transport/mod.ts";
import { FabricError } from "../error.ts";
import type { FabricNode } from "../node/fabric_node.ts";
import { fabricOf } from "./fabric_of.ts";
import { jsonText } from "./json_text.ts";
import { readSendBody, type SendBody } from "./send_body.ts";

const JSON_TYPE = { "content-type": "application/json" };

/** What applications send. */
export function messageRoutes(
  { node, maxBytes }: { readonly node: FabricNode; readonly maxBytes: number },
): Hono {
  const app = new Hono();
  const bodyOf = async (request: Request): Promise<SendBody> => {
    const bytes = await readBody(request, maxBytes);
    if (bytes) return readSendBody(bytes);
    throw new FabricError("too_large", `A body has ${maxBytes} bytes at most`);
  };
  app.post("/send", async (c) => {
    const fabric = fabricOf(node, c.req.query("agent"));
    const { to, type, value, options, waits } = await bodyOf(c.req.raw);
    const { way, why } = fabric.choose(to, options);
    const sent = await fabric.notify(to, type, value, options);
    const id = sent.id.toHex();
    if (!waits) return c.json({ id, way: way ?? "none", why });
    return c.json({ id, outcome: await sent.settled ?? "handled" });
  });
  app.post("/request", async (c) => {
    const fabric = fabricOf(node, c.req.query("agent"));
    const { to, type, value, options } = await bodyOf(c.req.raw);
    const answer = await fabric.request(to, type, value, options);
    return c.body(`{"value":${jsonText(answer)}}`, 200, JSON_TYPE);
  });
  return app;
}
