import type { Bytes } from "../bytes/mod.ts";

/** The peer of a WebSocket whose messages are kept apart. */
export interface MessagePeer {
  /** Bytes that were sent and are not with the system yet. */
  readonly bufferedBytes: number;
  /** Sends a message, text or binary; nothing once the socket closes. */
  send(message: string | Bytes): void;
  /** Closes with `code`, 1000 or 3000 to 4999, and `reason`, of 123 bytes at most. */
  close(code: number, reason: string): void;
}

/** What hears of a {@link MessagePeer}. */
export interface MessageEvents {
  /** A whole message came. */
  message(message: string | Bytes): void;
  /** The socket is gone; nothing comes after it. */
  closed(): void;
}

/** Pings a silent peer after half of it, and drops it without an answer. */
const IDLE_S = 30;

/**
 * Answers the request of an HTTP server of this unit that asks for a WebSocket (RFC 6455) with messages, and calls `open` once it is
 * one; any other request with status 426.
 *
 * Nothing holds messages back that come: who hears them bounds what waits.
 */
export function upgradeToMessages(
  request: Request,
  open: (peer: MessagePeer) => MessageEvents,
): Response {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return new Response("Want an upgrade to WebSocket\n", {
      status: 426,
      headers: { connection: "upgrade", upgrade: "websocket" },
    });
  }
  const { socket, response } = Deno.upgradeWebSocket(request, {
    idleTimeout: IDLE_S,
  });
  socket.binaryType = "arraybuffer";
  let events: MessageEvents | undefined;
  socket.addEventListener("open", () => {
    events = open({
      get bufferedBytes() {
        return socket.bufferedAmount;
      },
      send(message) {
        if (socket.readyState === socket.OPEN) socket.send(message);
      },
      close: (code, reason) => socket.close(code, reason),
    });
  });
  socket.addEventListener("message", ({ data }: MessageEvent) => {
    events?.message(typeof data === "string" ? data : new Uint8Array(data));
  });
  socket.addEventListener("error", (event) => event.preventDefault());
  socket.addEventListener("close", () => {
    events?.closed();
    events = undefined;
  });
  return response;
}
