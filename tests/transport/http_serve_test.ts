import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { systemClock } from "../../src/core/async/mod.ts";
import { utf8 } from "../../src/core/bytes/mod.ts";
import {
  HTTP_DRAIN_MS,
  serveHttp,
  TransportError,
} from "../../src/core/transport/mod.ts";

const LOCAL = { hostname: "127.0.0.1", port: 0 };

Deno.test("serveHttp() gives requests to its handler", async () => {
  await using server = serveHttp(
    async (request) =>
      new Response(
        `${request.method} ${new URL(request.url).pathname} ${await request
          .text()}`,
      ),
    LOCAL,
  );
  const response = await fetch(`${server.address}/path`, {
    method: "POST",
    body: "body",
  });
  assertEquals(await response.text(), "POST /path body");
});

Deno.test("serveHttp() answers 500 when its handler throws, and says no more", async () => {
  await using server = serveHttp(() => {
    throw new Error("A detail");
  }, LOCAL);
  const response = await fetch(server.address);
  assertEquals(response.status, 500);
  assertEquals(await response.text(), "Internal server error\n");
});

Deno.test("serveHttp() answers what it has taken before it closes", async () => {
  const entered = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  const server = serveHttp(async () => {
    entered.resolve();
    await finish.promise;
    return new Response("done");
  }, LOCAL);
  const answer = fetch(server.address).then((response) => response.text());
  await entered.promise;
  server.close();
  server.close();
  finish.resolve();
  assertEquals(await answer, "done");
  await server.closed;
  await assertRejects(() => fetch(server.address), TypeError);
});

Deno.test("serveHttp() drops a request that does not end HTTP_DRAIN_MS after closing", async () => {
  const entered = Promise.withResolvers<void>();
  const timers: [() => void, number][] = [];
  const server = serveHttp((request) => {
    entered.resolve();
    return request.text().then((text) => new Response(text));
  }, {
    ...LOCAL,
    clock: {
      ...systemClock,
      setTimeout(fn, delayMs) {
        timers.push([fn, delayMs]);
        return () => {};
      },
    },
  });
  const port = Number(new URL(server.address).port);
  using peer = await Deno.connect({ hostname: "127.0.0.1", port });
  await peer.write(
    utf8("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n1"),
  );
  await entered.promise;
  server.close();
  assertEquals((await fetch(server.address)).status, 503);
  const [[fire, delayMs]] = timers as [[() => void, number]];
  assertEquals(delayMs, HTTP_DRAIN_MS);
  fire();
  await server.closed;
  assertEquals(await peer.read(new Uint8Array(1)), null);
});

Deno.test("serveHttp() closes when its signal fires", async () => {
  const abort = new AbortController();
  const server = serveHttp(() => new Response("x"), {
    ...LOCAL,
    signal: abort.signal,
  });
  abort.abort();
  await server.closed;
  await assertRejects(() => fetch(server.address), TypeError);
  const { signal } = abort;
  assertThrows(
    () => serveHttp(() => new Response("x"), { ...LOCAL, signal }),
    DOMException,
  );
});

Deno.test("serveHttp() says when the address is taken or not ours", async () => {
  await using server = serveHttp(() => new Response("x"), LOCAL);
  const port = Number(new URL(server.address).port);
  const code = (hostname: string) =>
    assertThrows(
      () => serveHttp(() => new Response("x"), { hostname, port }),
      TransportError,
    ).code;
  assertEquals(code("127.0.0.1"), "in_use");
  assertEquals(code("192.0.2.1"), "unreachable");
});
