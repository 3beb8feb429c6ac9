import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import { utf8 } from "../../../src/core/bytes/mod.ts";
import {
  type Connection,
  decodeRequestHead,
  MemoryNetwork,
} from "../../../src/core/transport/mod.ts";
import type { StreamOpener } from "../../../src/htx/tunnel/open.ts";
import {
  LocalProxy,
  type LocalProxyOptions,
} from "../../../src/htx/tunnel/proxy.ts";
import { readAll, readExactly, text } from "./_pair.ts";
import { echo, FakeSession, forwarderTo, origin } from "./_tunnel.ts";

/** A proxy, a session and a server's end in front of `network`. */
async function tunnel(
  network: MemoryNetwork,
  options: LocalProxyOptions = {},
  opener?: StreamOpener,
) {
  const session = new FakeSession();
  const forwarder = forwarderTo(network, { maxPerSession: 1_000 });
  const proxy = new LocalProxy(opener ?? session, options);
  const listener = await network.transport("proxy").listen("memory://proxy");
  const stop = new AbortController();
  const served = Promise.all([
    proxy.serve(listener, { signal: stop.signal }),
    forwarder.serve(session.streams),
  ]);
  return {
    proxy,
    stop,
    /** Resolves when no client is held any more. */
    async idle() {
      while (proxy.stats().active > 0) await new VirtualClock().run(0);
      await new VirtualClock().run(0);
    },
    connect: () => network.transport("user").dial("memory://proxy"),
    async [Symbol.asyncDispose]() {
      listener.close();
      session.close();
      await served;
    },
  };
}

/** What a client gets that sends `bytes` and waits for the end. */
async function exchange(client: Connection, bytes: string | Uint8Array) {
  await client.write(typeof bytes === "string" ? utf8(bytes) : bytes);
  const got = text(await readAll(client));
  client.close();
  return got;
}

/** An HTTP/1.1 origin that keeps what it read and answers `response`, then keeps the connection open. */
function httpOrigin(network: MemoryNetwork, host: string, response: string) {
  const seen: string[] = [];
  return origin(network, host, async (connection) => {
    const buffer = new Uint8Array(65_536);
    const at = seen.push("") - 1;
    for (let n; (n = await connection.read(buffer)) !== null;) {
      const isFirst = seen[at] === "";
      seen[at] += text(buffer.subarray(0, n));
      if (isFirst) await connection.write(utf8(response));
    }
    await connection.closeWrite();
  }).then((running) => ({
    seen,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  }));
}

const SOCKS_REQUEST = Uint8Array.fromHex(
  "05010005010001" + "0a000001" + "0007",
);
const SOCKS_GRANTED = "0500" + "05000001000000000000";
const OK =
  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n\r\nok";
const OK_FORWARDED =
  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

Deno.test("LocalProxy tunnels SOCKS5 and counts bytes", async () => {
  const network = new MemoryNetwork();
  await using _echo = await origin(network, "10.0.0.1:7", echo);
  await using t = await tunnel(network);
  const client = await t.connect();
  await client.write(SOCKS_REQUEST);
  assertEquals((await readExactly(client, 12)).toHex(), SOCKS_GRANTED);
  await client.write(utf8("hello"));
  await client.closeWrite();
  assertEquals(text(await readAll(client)), "hello");
  await client.closed;
  const stats = t.proxy.stats();
  assertEquals([stats.accepted, stats.upBytes, stats.downBytes], [1, 5, 5]);
});

Deno.test("LocalProxy tunnels CONNECT, with bytes sent before the answer", async () => {
  const network = new MemoryNetwork();
  await using _echo = await origin(network, "10.0.0.1:7", echo);
  await using t = await tunnel(network);
  const client = await t.connect();
  await client.write(
    utf8("CONNECT a.example:7 HTTP/1.1\r\nHost: a.example:7\r\n\r\nhello"),
  );
  await client.closeWrite();
  assertEquals(
    text(await readAll(client)),
    "HTTP/1.1 200 Connection established\r\n\r\nhello",
  );
});

Deno.test("LocalProxy forwards plain requests with their body and drops what comes behind", async () => {
  const network = new MemoryNetwork();
  await using http = await httpOrigin(network, "10.0.0.1:80", OK);
  await using t = await tunnel(network);
  const smuggled =
    "GET http://a.example/admin HTTP/1.1\r\nHost: a.example\r\n\r\n";
  const bodies = [
    "Content-Length: 3\r\n\r\nabc",
    "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "X: y\r\n\r\n",
  ];
  for (const body of bodies) {
    const client = await t.connect();
    await client.write(
      utf8(
        `POST http://a.example/p HTTP/1.1\r\nHost: a.example\r\n${body}${smuggled}`,
      ),
    );
    await readExactly(client, OK_FORWARDED.length).then((got) =>
      assertEquals(text(got), OK_FORWARDED)
    );
    await client.closeWrite();
    await readAll(client);
  }
  await t.idle();
  assertEquals(http.seen.length, 3);
  assertEquals(t.proxy.stats().upBytes, http.seen.join("").length);
  for (const [i, body] of bodies.entries()) {
    const got = http.seen[i]!;
    const { head, length } = decodeRequestHead(utf8(got))!;
    assertEquals(head.target, "/p");
    assertEquals(got.slice(length), body.slice(body.indexOf("\r\n\r\n") + 4));
    assertEquals(got.includes("admin"), false);
  }
});

Deno.test("LocalProxy passes on interim responses and replaces what is no HTTP by 502", async () => {
  const network = new MemoryNetwork();
  await using _a = await httpOrigin(
    network,
    "10.0.0.1:80",
    "HTTP/1.1 100 Continue\r\n\r\n" + OK,
  );
  await using t = await tunnel(network);
  const request = (port: number) =>
    `GET http://a.example:${port}/ HTTP/1.1\r\nHost: a\r\n\r\n`;
  const client = await t.connect();
  await client.write(utf8(request(80)));
  await client.closeWrite();
  assertEquals(
    text(await readAll(client)),
    "HTTP/1.1 100 Continue\r\n\r\n" + OK_FORWARDED,
  );
  for (
    const garbage of [
      "SSH-2.0-x\r\n\r\n",
      "HTTP/1.1 101 Switching\r\n\r\n",
      "HTTP/1.1 100 C\r\n\r\n".repeat(50),
      "HTTP/1.1 200 OK\r\nX: " + "a".repeat(20_000),
      "",
    ]
  ) {
    await using _b = await origin(
      network,
      "10.0.0.1:81",
      async (connection) => {
        await connection.read(new Uint8Array(65_536));
        await connection.write(utf8(garbage));
        await connection.closeWrite();
        await readAll(connection);
      },
    );
    const client = await t.connect();
    await client.write(utf8(request(81)));
    const got = await readExactly(client, 20);
    if (garbage.includes("100 C")) {
      assertStringIncludes(text(got), "HTTP/1.1 100 C");
    } else assertEquals(text(got), "HTTP/1.1 502 Bad Gat");
    await client.closeWrite();
    assertStringIncludes(
      text(got) + text(await readAll(client)),
      "502 Bad Gateway",
    );
  }
});

Deno.test("LocalProxy cuts a request whose chunks turn malformed", async () => {
  const network = new MemoryNetwork();
  await using http = await httpOrigin(network, "10.0.0.1:80", "");
  await using t = await tunnel(network);
  const client = await t.connect();
  await client.write(
    utf8(
      "POST http://a.example/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ),
  );
  await client.write(utf8("5\nGET /admin"));
  await assertRejects(() => readAll(client));
  await t.idle();
  assertEquals(t.proxy.stats().ended.reset, 1);
  assertEquals(http.seen.length, 1);
  assertEquals(http.seen[0]!.includes("admin"), false);
});

Deno.test("LocalProxy translates the server's refusals", async () => {
  const network = new MemoryNetwork();
  await using t = await tunnel(network);
  const connect = (target: string) =>
    `CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const status = async (bytes: string) =>
    (await exchange(await t.connect(), bytes)).slice(9, 12);
  assertEquals(await status(connect("192.168.0.1:1")), "403");
  assertEquals(await status(connect("no.such.name:1")), "502");
  assertEquals(await status(connect("10.0.0.1:1")), "502");
  assertEquals(
    await status("GET http://192.168.0.1/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    "403",
  );
  assertEquals(await status("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "400");
  assertEquals(await status("G\xe4T / HTTP/1.1\r\n\r\n"), "400");
  const socks = await t.connect();
  await socks.write(Uint8Array.fromHex("05010005010001c0a800010007"));
  assertEquals((await readAll(socks)).toHex(), "050005020001000000000000");
  socks.close();
  const udp = await t.connect();
  await udp.write(Uint8Array.fromHex("05010005030001c0a800010007"));
  assertEquals((await readAll(udp)).toHex(), "050005070001000000000000");
  udp.close();
  const { refused } = t.proxy.stats();
  assertEquals(
    [
      refused.not_allowed,
      refused.host_unreachable,
      refused.malformed,
      refused.unsupported,
    ],
    [3, 2, 2, 1],
  );
});

Deno.test("LocalProxy asks for credentials in both protocols", async () => {
  const network = new MemoryNetwork();
  await using _echo = await origin(network, "10.0.0.1:7", echo);
  await using t = await tunnel(network, {
    credentials: { username: "me", password: "pw" },
  });
  const got = await exchange(
    await t.connect(),
    "CONNECT 10.0.0.1:7 HTTP/1.1\r\nHost: x\r\n\r\n",
  );
  assertStringIncludes(got, "HTTP/1.1 407 ");
  const plain = await t.connect();
  await plain.write(SOCKS_REQUEST);
  assertEquals((await readAll(plain)).toHex(), "05ff");
  plain.close();
  const known = await t.connect();
  await known.write(
    Uint8Array.fromHex("05010201026d65027077" + "05010001" + "0a0000010007"),
  );
  assertEquals(
    (await readExactly(known, 14)).toHex(),
    "05020100" + SOCKS_GRANTED.slice(4),
  );
  known.close();
  assertEquals(t.proxy.stats().refused.unauthorized, 2);
});

Deno.test("LocalProxy closes clients that speak something else without a word", async () => {
  const network = new MemoryNetwork();
  await using t = await tunnel(network);
  for (
    const bytes of [
      Uint8Array.of(4, 1, 0, 80),
      Uint8Array.of(0x16, 3, 1),
      Uint8Array.of(5, 1, 0, 5, 1, 9),
    ]
  ) {
    const client = await t.connect();
    await client.write(bytes);
    await assertRejects(() => readAll(client));
  }
  assertEquals(t.proxy.stats().refused.malformed, 3);
});

Deno.test("LocalProxy cuts slow handshakes at the deadline and idle clients too", async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork();
  await using t = await tunnel(network, { clock, handshakeTimeoutMs: 1000 });
  const clients = [await t.connect(), await t.connect(), await t.connect()];
  const drips = [[], [5, 1, 0, 5, 1], [...utf8("GET http:")]];
  for (let i = 0; i < 4; i++) {
    for (const [k, client] of clients.entries()) {
      const byte = drips[k]![i];
      if (byte !== undefined) await client.write(Uint8Array.of(byte));
    }
    await clock.run(249);
    assertEquals(t.proxy.stats().active, 3);
  }
  await clock.run(4);
  assertEquals(t.proxy.stats().active, 0);
  assertEquals(t.proxy.stats().refused.slow, 3);
  for (const client of clients) client.close();
});

Deno.test("LocalProxy answers when no stream opens, in time or at all", async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork();
  let mode = "hang";
  const opener: StreamOpener = {
    open: ({ signal } = {}) =>
      new Promise((_, reject) => {
        if (mode === "fail") reject(new Error("No session"));
        signal?.addEventListener("abort", () => reject(signal.reason));
      }),
  };
  await using t = await tunnel(network, { clock, openTimeoutMs: 1000 }, opener);
  const request = "CONNECT 10.0.0.1:7 HTTP/1.1\r\nHost: x\r\n\r\n";
  const late = exchange(await t.connect(), request);
  await clock.run(1000);
  assertStringIncludes(await late, "HTTP/1.1 504 ");
  mode = "fail";
  assertStringIncludes(
    await exchange(await t.connect(), request),
    "HTTP/1.1 502 ",
  );
  const { refused } = t.proxy.stats();
  assertEquals([refused.timeout, refused.session], [1, 1]);
});

Deno.test("LocalProxy carries 500 connections at once and turns away the next", async () => {
  const network = new MemoryNetwork();
  await using _echo = await origin(network, "10.0.0.1:7", echo);
  await using t = await tunnel(network, { maxConnections: 500 });
  const clients: Connection[] = [];
  for (let i = 0; i < 500; i++) {
    const client = await t.connect();
    await client.write(SOCKS_REQUEST);
    assertEquals((await readExactly(client, 12)).toHex(), SOCKS_GRANTED);
    clients.push(client);
  }
  assertEquals(t.proxy.stats().active, 500);
  const next = await t.connect();
  await assertRejects(() => readAll(next));
  await Promise.all(clients.map(async (client, i) => {
    const bytes = utf8(`connection ${i} `.repeat(100));
    await client.write(bytes);
    await client.closeWrite();
    assertEquals(await readAll(client), bytes);
  }));
  await t.idle();
  const stats = t.proxy.stats();
  assertEquals([stats.active, stats.refused.busy, stats.ended.finished], [
    0,
    1,
    500,
  ]);
});

Deno.test("LocalProxy stops when the signal fires", async () => {
  const network = new MemoryNetwork();
  await using _echo = await origin(network, "10.0.0.1:7", echo);
  await using t = await tunnel(network);
  const client = await t.connect();
  await client.write(SOCKS_REQUEST);
  await readExactly(client, 12);
  t.stop.abort();
  await assertRejects(() => readAll(client));
  await assertRejects(() => t.connect());
  await t.idle();
  assertEquals(t.proxy.stats().ended.aborted, 1);
});
