import { concat } from "../../src/core/bytes/mod.ts";
import type { Connection, Listener } from "../../src/core/transport/mod.ts";
import {
  Http2Connection,
  type PeerGreeting,
  PREFACE_LENGTH,
} from "../../src/http2/mod.ts";

/** Serves one page over HTTP/2, or to who does not speak it over HTTP/1.1, until `listener` is closed. */
export async function serveOrigin(
  listener: Listener,
  greeting: PeerGreeting,
): Promise<void> {
  const serving: Promise<void>[] = [];
  for await (const connection of listener) {
    serving.push(
      serve(connection, greeting).catch(() => connection.close()),
    );
  }
  await Promise.all(serving);
}

const PAGE = new TextEncoder().encode("<!doctype html><title>Hello</title>");
const TYPE = "text/html; charset=utf-8";

async function serve(
  connection: Connection,
  { settings, windowUpdate: windowIncrement }: PeerGreeting,
): Promise<void> {
  const http2 = new Http2Connection({
    role: "server",
    settings,
    windowIncrement,
  });
  const buffer = new Uint8Array(16_384);
  let first = new Uint8Array(0);
  while (first.length < PREFACE_LENGTH) {
    const length = await connection.read(buffer);
    if (length === null) return connection.close();
    first = concat(first, buffer.subarray(0, length));
  }
  if (new TextDecoder().decode(first).startsWith("GET ")) {
    await connection.write(concat(
      new TextEncoder().encode(
        `HTTP/1.1 200 OK\r\ncontent-type: ${TYPE}\r\ncontent-length: ${PAGE.length}\r\n\r\n`,
      ),
      PAGE,
    ));
    await connection.closeWrite();
    return connection.close();
  }
  for (let received: Uint8Array = first;;) {
    for (const event of http2.receive(received, 0)) {
      if (event.type !== "headers") continue;
      http2.respond(event.streamId, [[":status", "200"], [
        "content-type",
        TYPE,
      ]]);
      http2.send(event.streamId, PAGE, { endStream: true });
    }
    const bytes = http2.takeOutgoing();
    if (bytes) await connection.write(bytes);
    const length = await connection.read(buffer);
    if (length === null) return connection.close();
    received = buffer.slice(0, length);
  }
}
