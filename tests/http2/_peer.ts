import { concat } from "../../src/core/bytes/mod.ts";
import {
  connectionPreface,
  decodeFrame,
  encodeFrame,
  type Frame,
  FRAME_HEADER_LENGTH,
  FRAME_TYPE,
  type HeaderField,
  HpackEncoder,
  Http2Connection,
  type Http2ConnectionOptions,
  type Http2Event,
} from "../../src/http2/mod.ts";

/** A frame from its parts, no flags and no payload by default. */
export function frame(
  type: keyof typeof FRAME_TYPE | number,
  streamId: number,
  payload: Uint8Array | readonly number[] = [],
  flags = 0,
): Uint8Array {
  return encodeFrame({
    type: typeof type === "number" ? type : FRAME_TYPE[type],
    flags,
    streamId,
    payload: Uint8Array.from(payload),
  });
}

/** What `bytes` are cut into. */
export function framesOf(bytes: Uint8Array | undefined): Frame[] {
  const frames: Frame[] = [];
  for (let left = bytes ?? new Uint8Array(0);;) {
    const frame = decodeFrame(left, 2 ** 24 - 1);
    if (!frame) return frames;
    frames.push(frame);
    left = left.subarray(FRAME_HEADER_LENGTH + frame.payload.length);
  }
}

/** Fields of a request to `/`. */
export const GET: readonly HeaderField[] = [
  [":method", "GET"],
  [":authority", "example.org"],
  [":scheme", "https"],
  [":path", "/"],
];

/** A header block that no table is needed for. */
export function block(fields: readonly HeaderField[]): Uint8Array {
  return new HpackEncoder({ indexing: () => "none" }).encode(fields);
}

/** A server that a client has greeted. */
export function greetedServer(
  options: Partial<Http2ConnectionOptions> = {},
): Http2Connection {
  const server = new Http2Connection({ ...options, role: "server" });
  server.receive(concat(connectionPreface(), frame("settings", 0)), 0);
  server.receive(frame("settings", 0, [], 1), 0);
  server.takeOutgoing();
  return server;
}

/** A client that a server has greeted and that has sent a request on stream 1. */
export function greetedClient(
  options: Partial<Http2ConnectionOptions> = {},
): Http2Connection {
  const client = new Http2Connection({ ...options, role: "client" });
  client.receive(frame("settings", 0), 0);
  client.receive(frame("settings", 0, [], 1), 0);
  client.request(GET);
  client.takeOutgoing();
  return client;
}

/** Carries bytes between two connections until neither has any, and returns what happened at each. */
export function exchange(
  a: Http2Connection,
  b: Http2Connection,
): { a: Http2Event[]; b: Http2Event[] } {
  const events: { a: Http2Event[]; b: Http2Event[] } = { a: [], b: [] };
  for (;;) {
    const toB = a.takeOutgoing();
    if (toB) events.b.push(...b.receive(toB, 0));
    const toA = b.takeOutgoing();
    if (toA) events.a.push(...a.receive(toA, 0));
    if (!toA && !toB) return events;
  }
}
