import { Hono } from "@hono/hono";
import { DecodeError } from "../../core/bytes/mod.ts";
import {
  type HttpHandler,
  loopbackRefusal,
  upgradeToMessages,
} from "../../core/transport/mod.ts";
import { type CryptoProvider, defaultProvider } from "../../core/crypto/mod.ts";
import type { Fabric } from "../agent/fabric.ts";
import { FabricError } from "../error.ts";
import type { AgentBook } from "../identity/agent_book.ts";
import type { FabricNode } from "../node/fabric_node.ts";
import type { AgentGroups } from "./agent_groups.ts";
import { fabricOf } from "./fabric_of.ts";
import { groupsOf } from "./group_of.ts";
import { groupRoutes } from "./group_routes.ts";
import { ListenerSocket } from "./listener_socket.ts";
import type { Mailboxes } from "./mailboxes.ts";
import { messageRoutes } from "./message_routes.ts";
import { stateRoutes } from "./state_routes.ts";
import { statusOf } from "./status_of.ts";

/** Parts and options of {@link agentApp}. */
export interface AgentAppOptions {
  /** The agents. */
  readonly node: FabricNode;
  /** Whom they know. */
  readonly book: AgentBook;
  /** What waits for applications. */
  readonly mailboxes: Mailboxes;
  /** The groups of agents; those that are not in it have none. */
  readonly groups?: ReadonlyMap<Fabric, AgentGroups>;
  /** Checks signatures; the default provider by default. */
  readonly crypto?: CryptoProvider;
  /** What requests must bring as `Authorization: Bearer …`; nothing by default. */
  readonly token?: string;
  /** Longest body of a request; 24 MiB by default. */
  readonly maxBytes?: number;
  /** Closes the WebSockets. */
  readonly signal?: AbortSignal;
}

const MAX_BYTES = 24 * 1024 * 1024;
const MAX_SOCKETS = 256;

/**
 * The handler of a small Hono application for the applications of this machine:
 *
 * ```text
 * POST /send               accepts a message; {"id":…,"way":…,"why":…}, or if it waits {"id":…,"outcome":"handled" or a reason}
 * POST /request            sends a request; {"value":…}
 * GET  /messages?type=     a WebSocket over which messages of a type come, each to be answered
 * GET  /agents             the agents that are here, with their records
 * GET  /peers              every agent that is known
 * POST /peers              takes an agent's record, betanet-agent:…
 * POST /pin?name=&id=      gives a name to an agent
 * GET  /receipts?id=       what became of a message, as its recipient has signed it
 * GET  /receipts/signed    signed receipts, betanet-receipts:… a line; of one message with ?id=
 * GET  /outbox             messages that are not settled
 * GET  /dead               messages that were given up, and why
 * POST /give-up?id=        gives a message up
 * POST /retry?id=          sends a message at once that rests, or again as a new one that was given up; {"id":…}, of a request its value too
 * GET  /status             counts
 * ```
 *
 * In groups, where `group` is a group's id, the beginning of it or its name, and `member` an agent:
 *
 * ```text
 * GET  /groups             the groups of the agent
 * POST /groups             makes one; {"kind":…} and other rules
 * GET  /invitations        invitations that wait
 * POST /invitations/accept?group=, /invitations/decline?group=
 * GET  /group?group=       rules, members, counts
 * POST /group/invite?group=&member=, /group/remove?group=&member=
 * POST /group/admins?group=&member=&is=true|false
 * POST /group/rules?group=    changes rules; as for /groups
 * POST /group/renew?group=, /group/leave?group=, /group/forget?group=&force=true
 * POST /group/publish?group=  {"type":…,"value":…}
 * GET  /group/messages?group= a WebSocket over which what is published comes, each to be acknowledged
 * GET  /group/evidence?group= what members did that they should not have done
 * GET  /group/votes?group=    votes, each with what has come out so far
 * POST /group/propose?group=  {"text":…,"timeoutMs":300000}
 * POST /group/cast?group=&vote=&choice=for|against|abstain
 * GET  /group/tally?group=&vote=, /group/tally/signed?group=&vote=
 * ```
 *
 * Where several agents are here, `agent`, in the query or the body's query, says which: its name or id.
 *
 * It answers at loopback names only, and no web page. Errors are a line of text: 400 for bad requests, 404 where an agent, a group or a message is
 * not known, 409 for conflicts, 413 for too much, 422 where the other agent or the rules of a group refused, 502 and 504 where it was
 * not reached, 507 where there is no room.
 */
export function agentApp(options: AgentAppOptions): HttpHandler {
  const { node, book, mailboxes, token, signal, maxBytes = MAX_BYTES } =
    options;
  const { groups = new Map(), crypto = defaultProvider() } = options;
  const sockets = new Set<ListenerSocket>();
  signal?.addEventListener("abort", () => {
    for (const each of sockets) each.close();
  });
  const app = new Hono();
  app.use(async (c, next) => {
    const refusal = loopbackRefusal(c.req.raw, token);
    if (refusal) return c.text(refusal.text, refusal.status);
    await next();
  });
  app.get("/messages", (c) => {
    const fabric = fabricOf(node, c.req.query("agent"));
    const type = c.req.query("type");
    if (!type) return c.text("type is missing\n", 400);
    if (sockets.size >= MAX_SOCKETS) {
      return c.text("Too many WebSockets\n", 503);
    }
    const mailbox = mailboxes.open(fabric, type);
    return upgradeToMessages(c.req.raw, (peer) => {
      const socket = new ListenerSocket(peer, mailbox, {
        book,
        onClosed() {
          sockets.delete(socket);
          mailboxes.release(fabric, type);
        },
      });
      sockets.add(socket);
      return socket;
    });
  });
  app.route("/", messageRoutes({ node, maxBytes }));
  app.route("/", stateRoutes({ node, book, mailboxes, maxBytes }));
  app.route(
    "/",
    groupRoutes({
      ...{ book, crypto, maxBytes, maxSockets: MAX_SOCKETS },
      of: (c) => groupsOf(groups, fabricOf(node, c.req.query("agent"))),
      ...signal && { signal },
    }),
  );
  app.notFound((c) => c.text("Not found\n", 404));
  app.onError((error, c) => {
    if (error instanceof FabricError) {
      return c.text(`${error.message}\n`, statusOf(error.code));
    }
    if (error instanceof RangeError || error instanceof DecodeError) {
      return c.text(`${error.message}\n`, 400);
    }
    return c.text("Internal server error\n", 500);
  });
  return (request) => app.fetch(request);
}
