import { Hono } from "@hono/hono";
import { systemClock } from "../../core/async/mod.ts";
import {
  type HttpHandler,
  loopbackRefusal,
  upgradeToMessages,
} from "../../core/transport/mod.ts";
import { BundleError } from "../bundle/error.ts";
import { DtnNodeError } from "../node/error.ts";
import { ApplicationSocket } from "./application_socket.ts";
import { bundleRoutes } from "./bundle_routes.ts";
import type { RestAppOptions } from "./rest_options.ts";
import { STATUS_OF } from "./status_of.ts";
import { statusRoutes } from "./status_routes.ts";

const MAX_BYTES = 64 * 1024 * 1024;
const MAX_SOCKETS = 256;
/** Of these, those that have not said the token: what they send is read before that is known. */
const MAX_UNAUTHORIZED_SOCKETS = 8;

/**
 * The handler of a small Hono application for the applications of this machine, with routes as dtn7-rs has them:
 *
 * ```text
 * POST /send?dst=&lifetime=&src=   makes a bundle of the body; lifetime in milliseconds or as 1h 30m, an hour by default; answers its name
 * POST /insert                     takes a bundle; also GET /insert?<hexadecimal>
 * GET  /cts                        a creation timestamp that is given once: [DTN time in milliseconds, sequence number]
 * GET  /register?<endpoint>        says whether it is one of this node; every one of them keeps what comes for it, so nothing changes
 * GET  /endpoint?<endpoint>        the next bundle of an endpoint of this node, which it takes; a text if there is none
 * GET  /endpoint.hex?<endpoint>    the same in hexadecimal
 * GET  /download?<name>            a bundle that is here; /download.hex in hexadecimal
 * GET  /delete?<name>              removes it; DELETE too
 * GET  /ws                         a WebSocket, see `docs/dtn.md`
 * GET  /status/nodeid|eids|peers|info|store
 * GET  /status/bundles             the names of all that are here, as they are read; /verbose with what is known of each,
 *                                  /filtered?addr= of those whose source or destination has that in it
 * ```
 *
 * An endpoint is written whole, or as its path: `in` for `dtn://node/in`, `7` for `ipn:N.7`.
 *
 * It answers at loopback names only, and no web page. Bad requests get status 400 and a line that says what is wrong; a bundle
 * that is known 409, expired 410, against the security policy 403, too large 413, one without room 507.
 */
export function restApp(options: RestAppOptions): HttpHandler {
  const { node, token, signal, clock = systemClock } = options;
  const { maxBytes = MAX_BYTES, quirks = [] } = options;
  const sockets = new Set<ApplicationSocket>();
  signal?.addEventListener("abort", () => {
    for (const each of sockets) each.close();
  });
  const app = new Hono();
  app.use(async (c, next) => {
    const saysItLater = c.req.path === "/ws" && !c.req.header("authorization");
    const refusal = loopbackRefusal(c.req.raw, saysItLater ? undefined : token);
    if (refusal) return c.text(refusal.text, refusal.status);
    await next();
  });
  app.get("/ws", (c) => {
    const wanted = c.req.header("authorization") ? undefined : token;
    const unauthorized = sockets.values()
      .filter((each) => !each.isAuthorized).toArray().length;
    const isFull = sockets.size >= MAX_SOCKETS ||
      wanted !== undefined && unauthorized >= MAX_UNAUTHORIZED_SOCKETS;
    if (isFull) return c.text("Too many WebSockets\n", 503);
    return upgradeToMessages(c.req.raw, (peer) => {
      const socket = new ApplicationSocket(peer, {
        ...{ node, maxBytes, quirks, clock },
        ...wanted !== undefined && { token: wanted },
      });
      sockets.add(socket);
      return {
        message: (message) => socket.message(message),
        closed() {
          sockets.delete(socket);
          socket.closed();
        },
      };
    });
  });
  app.route("/", bundleRoutes({ ...options, maxBytes, quirks }));
  app.route("/status", statusRoutes(options));
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
