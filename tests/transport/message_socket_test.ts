import { assertEquals } from "@std/assert";
import {
  type MessagePeer,
  serveHttp,
  upgradeToMessages,
} from "../../src/core/transport/mod.ts";

Deno.test("upgradeToMessages() carries texts and bytes both ways, and says that the socket is gone", async () => {
  const opened = Promise.withResolvers<MessagePeer>();
  const closed = Promise.withResolvers<void>();
  await using server = serveHttp(
    (request) =>
      upgradeToMessages(request, (peer) => {
        opened.resolve(peer);
        return {
          message: (message) => peer.send(message),
          closed: () => closed.resolve(),
        };
      }),
    { hostname: "127.0.0.1", port: 0 },
  );
  const socket = new WebSocket(server.address.replace("http", "ws"));
  socket.binaryType = "arraybuffer";
  const next = () =>
    new Promise<MessageEvent>((resolve) => {
      socket.addEventListener("message", resolve, { once: true });
    }).then(({ data }) => data);
  const peer = await opened.promise;
  await new Promise((resolve) => {
    if (socket.readyState === socket.OPEN) resolve(undefined);
    else socket.addEventListener("open", resolve, { once: true });
  });
  const texts = next();
  socket.send("text");
  assertEquals(await texts, "text");
  const bytes = next();
  socket.send(Uint8Array.of(1, 2, 3));
  assertEquals(new Uint8Array(await bytes), Uint8Array.of(1, 2, 3));
  const ended = new Promise<CloseEvent>((resolve) =>
    socket.addEventListener("close", resolve, { once: true })
  );
  peer.close(4013, "enough");
  const { code, reason } = await ended;
  assertEquals([code, reason], [4013, "enough"]);
  await closed.promise;
  peer.send("nobody hears it");
  assertEquals(peer.bufferedBytes, 0);
});

Deno.test("upgradeToMessages() refuses a request that asks for none", async () => {
  await using server = serveHttp(
    (request) =>
      upgradeToMessages(request, () => {
        throw new Error("not reached");
      }),
    { hostname: "127.0.0.1", port: 0 },
  );
  const response = await fetch(server.address);
  await response.body?.cancel();
  assertEquals(response.status, 426);
});
