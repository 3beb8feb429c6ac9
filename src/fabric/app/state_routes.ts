import { type Context, Hono } from "@hono/hono";
import { readBody } from "../../core/transport/mod.ts";
import type { AgentBook } from "../identity/agent_book.ts";
import { formatAgentName, parseAgentName } from "../identity/agent_name.ts";
import {
  formatAgentRecord,
  parseAgentRecord,
} from "../identity/agent_record.ts";
import type { FabricNode } from "../node/fabric_node.ts";
import { formatReceipts } from "../receipt/receipt.ts";
import { fabricOf } from "./fabric_of.ts";
import { jsonText } from "./json_text.ts";
import type { Mailboxes } from "./mailboxes.ts";
import { agentIdOf } from "./send_body.ts";

const DEFAULT_LIMIT = 1_000;
const MAX_LIMIT = 100_000;
const JSON_TYPE = { "content-type": "application/json" };
const LINES = { "content-type": "text/plain; charset=utf-8" };

/** What applications are shown, and may change, of agents, receipts and outboxes. */
export function stateRoutes({ node, book, mailboxes, maxBytes }: {
  readonly node: FabricNode;
  readonly book: AgentBook;
  readonly mailboxes: Mailboxes;
  readonly maxBytes: number;
}): Hono {
  const app = new Hono();
  const fabricIn = (c: Context) => fabricOf(node, c.req.query("agent"));
  app.get(
    "/agents",
    (c) =>
      c.json(node.agents.map(({ agent: { id, name }, types }) => ({
        ...{ id, name: formatAgentName(name), types },
        record: formatAgentRecord(book.get(id)!.bytes),
      }))),
  );
  app.get("/peers", (c) => {
    const peers = first(c, book.entries()).map(({ record }) => ({
      id: record.id,
      name: formatAgentName(record.name),
      hasName: book.byName(record.name)?.equals(record.id) ?? false,
      isLive: node.links.with(record.id) !== undefined,
      capabilities: record.capabilities,
      expiresMs: record.expiresMs,
    }));
    return c.json([...peers]);
  });
  app.post("/peers", async (c) => {
    const bytes = await readBody(c.req.raw, maxBytes);
    const text = new TextDecoder().decode(bytes ?? new Uint8Array());
    const { id, name } = book.learn(parseAgentRecord(text));
    for (const fabric of node.agents) fabric.reached(id);
    const hasName = book.byName(name)?.equals(id) ?? false;
    return c.json({ id, name: formatAgentName(name), hasName });
  });
  app.post("/pin", (c) => {
    const { name = "", id = "" } = c.req.query();
    book.pin(parseAgentName(name), agentIdOf(id));
    return c.json({ name, id });
  });
  app.post("/unpin", (c) => {
    const name = parseAgentName(c.req.query("name") ?? "");
    book.unpin(name);
    const id = book.byName(name);
    return c.json({ name: formatAgentName(name), ...id && { id } });
  });
  app.get("/receipts", (c) =>
    c.json(
      fabricIn(c).receipts.of(idOf(c)).map(({ id, ...rest }) => ({
        id: id.toHex(),
        ...rest,
      })),
    ));
  app.get("/receipts/signed", (c) => {
    const { receipts } = fabricIn(c);
    const signed = c.req.query("id") === undefined
      ? receipts.entries()
      : receipts.signed(idOf(c));
    const encoder = new TextEncoder();
    const lines = Iterator.from(signed).map((each) =>
      encoder.encode(`${formatReceipts(each)}\n`)
    );
    return c.body(ReadableStream.from(lines), 200, LINES);
  });
  app.get(
    "/outbox",
    (c) =>
      c.json([...first(c, fabricIn(c).outbox.entries())].map((each) => ({
        ...{ id: each.id, to: each.to, priority: each.priority, way: each.way },
        ...{ size: each.size, attempts: each.attempts },
        ...{ createdMs: each.createdMs, deadlineMs: each.deadlineMs },
      }))),
  );
  app.get("/dead", (c) =>
    c.json(
      [...first(c, fabricIn(c).outbox.deadLetters())].map(
        ({ message: { id, to, type, kind }, reason, atMs }) => ({
          ...{ id: id.toHex(), to, type, kind, reason, atMs },
        }),
      ),
    ));
  app.post("/give-up", async (c) => {
    if (await fabricIn(c).giveUp(idOf(c))) {
      return c.json({ id: idOf(c).toHex() });
    }
    return c.text("No message of this id waits\n", 404);
  });
  app.post("/retry", async (c) => {
    const fabric = fabricIn(c);
    const id = idOf(c).toHex();
    for (const waiting of fabric.outbox.entries()) {
      if (waiting.id !== id) continue;
      fabric.reached(waiting.to);
      return c.json({ id });
    }
    const sent = await fabric.resend(idOf(c));
    if (!sent.answer) return c.json({ id: sent.id.toHex() });
    const value = jsonText(await sent.answer);
    return c.body(
      `{"id":"${sent.id.toHex()}","value":${value}}`,
      200,
      JSON_TYPE,
    );
  });
  app.get("/status", (c) =>
    c.json({
      ...{ links: node.links.size, known: book.size, node: node.counts },
      ...{ bundles: node.bundleCounts, applications: mailboxes.counts },
      agents: node.agents.map(({ agent, counts, outbox, receipts }) => ({
        name: formatAgentName(agent.name),
        counts,
        outbox: { ...outbox.counts, size: outbox.size, bytes: outbox.bytes },
        receipts: receipts.counts,
      })),
    }));
  return app;
}

function idOf(c: Context): Uint8Array {
  const text = c.req.query("id") ?? "";
  if (/^[0-9a-f]{32}$/.test(text)) return Uint8Array.fromHex(text);
  throw new RangeError("A message's id has 32 hexadecimal digits");
}

/** As many as the request wants. */
function first<T>(c: Context, all: IterableIterator<T>): IteratorObject<T> {
  return Iterator.from(all).take(limitOf(c));
}

function limitOf(c: Context): number {
  const limit = Number(c.req.query("limit") ?? DEFAULT_LIMIT);
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) {
    return limit;
  }
  throw new RangeError(`limit is 1 to ${MAX_LIMIT}`);
}
