import { assert, assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { concat, decodeHex, utf8 } from "../../src/core/bytes/mod.ts";
import {
  acceptWebSocket,
  clientWebSocket,
  type Connection,
  decodeRequestHead,
  dialTcp,
  dialWebSocket,
  isWebSocketUpgrade,
  listenWebSocket,
  MemoryNetwork,
  readHead,
  ws,
} from "../../src/core/transport/mod.ts";
import {
  assertCode,
  connect,
  type ConnectedPair,
  pseudoRandom,
  readAll,
  readExactly,
  testTransport,
  writeAll,
} from "../compliance/transport.ts";

testTransport("ws", () => ({
  dialer: ws,
  listener: ws,
  listenAt: "ws://127.0.0.1:0/a?b",
  unreachable: "ws://127.0.0.1:1/a?b",
  maxBufferedBytes: 16 * 1_048_576,
}));

const REQUEST = utf8(
  [
    "GET /chat HTTP/1.1",
    "Host: server.example.com",
    "Upgrade: websocket",
    "Connection: keep-alive, Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    "",
    "",
  ].join("\r\n"),
);

/** Two ends of a plain connection, for one end to break rules on. */
async function plainPair(): Promise<ConnectedPair> {
  const network = new MemoryNetwork();
  return await connect({
    dialer: network.transport("near"),
    listener: network.transport("far"),
    listenAt: "memory://far",
    unreachable: "",
    maxBufferedBytes: 0,
  });
}

/** A WebSocket server's end, and the plain connection of its client behind the upgrade. */
async function acceptedPair(sent: Uint8Array = new Uint8Array()) {
  const { near: client, far } = await plainPair();
  await client.write(concat(REQUEST, sent));
  const request = await readHead(far, decodeRequestHead);
  const server = await acceptWebSocket(far, request);
  const head = new TextDecoder().decode(await readExactly(client, 129));
  assert(head.endsWith("\r\n\r\n"), head);
  return { client, server, head };
}

Deno.test("acceptWebSocket() answers the key of RFC 6455 §1.3 and takes bytes behind the head", async () => {
  const masked = decodeHex("828537fa213d7f9f4d5158"); // "Hello"
  const { client, server, head } = await acceptedPair(masked);
  assert(head.startsWith("HTTP/1.1 101 "));
  assert(head.includes("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
  assertEquals(await readExactly(server, 5), utf8("Hello"));
  client.close();
  server.close();
});

const REFUSED = {
  "a reserved bit": ["c28000000000", 1002],
  "text": ["818000000000", 1002],
  "no mask": ["820141", 1002],
  "a bad close": ["888100000000ff", 1002],
  "a frame above 1 MiB": ["82ff000000000010000100000000", 1009],
} as const;
for (const [name, [hex, code]] of Object.entries(REFUSED)) {
  Deno.test(`ws: ${name} is answered with close code ${code}`, async () => {
    const { client, server } = await acceptedPair(decodeHex(hex));
    const failing = assertCode(
      code === 1009 ? "limit" : "malformed",
      () => server.read(new Uint8Array(10)),
    );
    assertEquals(
      await readAll(client),
      new Uint8Array([0x88, 2, code >> 8, code & 0xff]),
    );
    client.close();
    await failing;
    await server.closed;
  });
}

Deno.test("ws: pings are answered between data, but not kept while we cannot write", async () => {
  const { client, server } = await acceptedPair();
  const reading = assertCode("closed", () => server.read(new Uint8Array(10)));
  await client.write(decodeHex("898100000000" + "41"));
  assertEquals(await readExactly(client, 3), decodeHex("8a0141"));
  const full = assertCode("closed", async () => {
    for (;;) await server.write(new Uint8Array(65_536));
  });
  for (let i = 0; i < 10_000; i++) {
    await client.write(decodeHex("898100000000" + "42"));
  }
  server.close();
  await Promise.all([reading, full]);
  const pongs = (await readUntilBroken(client)).filter((opcode) =>
    opcode === 0x8a
  );
  assert(pongs.length < 10, `${pongs.length} pongs`);
});

Deno.test("ws: a connection that ends without a close frame was reset", async () => {
  const { client, server } = await acceptedPair(
    decodeHex("828100000000" + "41"),
  );
  await client.closeWrite();
  await readExactly(server, 1);
  await assertCode("reset", () => server.read(new Uint8Array(1)));
  client.close();
});

Deno.test("ws: a close code that means failure is a reset", async () => {
  const { client, server } = await acceptedPair(
    decodeHex("888200000000" + "03f3"), // 1011
  );
  await assertCode("reset", () => server.read(new Uint8Array(1)));
  assertEquals(await readExactly(client, 4), decodeHex("880203e8"));
  client.close();
});

const ANSWERS = {
  "404": ["HTTP/1.1 404 Not Found\r\n\r\n", "unreachable"],
  "a wrong key": [
    "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
    "malformed",
  ],
  "no HTTP": ["SSH-2.0-OpenSSH\r\n\r\n", "malformed"],
  "a head without end": [
    "HTTP/1.1 101 X\r\n" + "a: b\r\n".repeat(4000),
    "malformed",
  ],
  "nothing": ["", "reset"],
} as const;
for (const [name, [answer, code]] of Object.entries(ANSWERS)) {
  Deno.test(`clientWebSocket() refuses ${name} as an answer`, async () => {
    const { near, far } = await plainPair();
    await far.write(utf8(answer));
    await far.closeWrite();
    const random = (length: number) => new Uint8Array(length);
    const client = clientWebSocket(near, { host: "x", path: "/", random });
    if (name === "no HTTP" || name === "a head without end") {
      await assertRejects(() => client, RangeError); // a DecodeError
    } else await assertCode(code, () => client);
    await near.closed;
    far.close();
  });
}

Deno.test("clientWebSocket() stops with its signal", async () => {
  const { near, far } = await plainPair();
  const controller = new AbortController();
  const { signal } = controller;
  const random = (length: number) => new Uint8Array(length);
  const opening = clientWebSocket(near, {
    host: "x",
    path: "/",
    random,
    signal,
  });
  await far.read(new Uint8Array(1000));
  controller.abort(new Error("Enough"));
  await assertRejects(() => opening, Error, "Enough");
  await near.closed;
  far.close();
});

Deno.test("clientWebSocket() refuses a path that would forge a line", async () => {
  const { near, far } = await plainPair();
  const random = (length: number) => new Uint8Array(length);
  const path = "/ HTTP/1.1\r\nX: y";
  await assertRejects(
    () => clientWebSocket(near, { host: "x", path, random }),
    TypeError,
  );
  far.close();
});

Deno.test("isWebSocketUpgrade() wants every part of the request", () => {
  const text = new TextDecoder().decode(REQUEST);
  const isUpgrade = (changed: string) =>
    isWebSocketUpgrade(decodeRequestHead(utf8(changed))!.head);
  assertEquals(isUpgrade(text), true);
  for (
    const [from, to] of [
      ["GET", "POST"],
      ["Host: server.example.com\r\n", ""],
      ["Upgrade: websocket", "Upgrade: h2c"],
      ["keep-alive, Upgrade", "keep-alive"],
      ["Version: 13", "Version: 8"],
      ["bXBsZSBub25jZQ==", "bXBsZSBub25jZR=="],
      ["Host", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nHost"],
    ] as const
  ) {
    assertEquals(isUpgrade(text.replace(from, to)), false, to);
  }
});

Deno.test("listenWebSocket() answers 404 to other paths and requests, and counts them", async () => {
  await using listener = listenWebSocket("ws://127.0.0.1:0/here");
  const address = listener.address.replace("/here", "/there");
  await assertCode("unreachable", () => dialWebSocket(address));
  const client = await dialTcp(tcpOf(listener.address));
  await client.write(utf8("GET /here HTTP/1.1\r\nHost: x\r\n\r\n"));
  const answer = new TextDecoder().decode(await readAll(client));
  assert(answer.startsWith("HTTP/1.1 404 "));
  client.close();
  assertEquals(listener.refused, 2);
});

Deno.test("listenWebSocket() drops a handshake that takes 10 s, and serves others meanwhile", async () => {
  const clock = new VirtualClock();
  await using listener = listenWebSocket("ws://127.0.0.1:0/", { clock });
  const slow = await dialTcp(tcpOf(listener.address));
  await slow.write(utf8("GET / HTTP/1.1\r\n"));
  const [near, { value: far }] = await Promise.all([
    dialWebSocket(listener.address),
    listener[Symbol.asyncIterator]().next(),
  ]);
  assertEquals(clock.pendingTimers, 1);
  clock.advance(10_000);
  await slow.read(new Uint8Array(1)).catch(() => null);
  assertEquals(listener.refused, 1);
  await Promise.all([near, far, slow].map((end) => end[Symbol.asyncDispose]()));
});

Deno.test("listenWebSocket() lets the oldest of 256 handshakes give way", async () => {
  await using listener = listenWebSocket("ws://127.0.0.1:0/");
  const oldest = await dialTcp(tcpOf(listener.address));
  const others = [];
  for (let i = 0; i < 256; i++) {
    others.push(await dialTcp(tcpOf(listener.address)));
  }
  assertEquals(await oldest.read(new Uint8Array(1)), null);
  assertEquals(listener.refused, 1);
  for (const connection of [oldest, ...others]) connection.close();
});

Deno.test("ws: Deno's client talks to our server", async () => {
  await using listener = listenWebSocket("ws://127.0.0.1:0/");
  const serving = (async () => {
    for await (const far of listener) {
      await using server = far;
      await writeAll(server, await readExactly(server, 1_048_576));
      await readAll(server);
      return;
    }
  })();
  const client = new WebSocket(listener.address);
  client.binaryType = "arraybuffer";
  await event(client, "open");
  const sent = pseudoRandom(1_048_576, 1);
  client.send(sent);
  const received = new Uint8Array(sent.length);
  for (let at = 0; at < sent.length;) {
    const { data } = await event<MessageEvent<ArrayBuffer>>(client, "message");
    received.set(new Uint8Array(data), at);
    at += data.byteLength;
  }
  assertEquals(received.toBase64(), sent.toBase64());
  const { code, wasClean } = await event<CloseEvent>(client, "close");
  assertEquals([code, wasClean], [1000, true]);
  await serving;
});

Deno.test("ws: Deno's client sees why our server closes", async () => {
  await using listener = listenWebSocket("ws://127.0.0.1:0/");
  const iterator = listener[Symbol.asyncIterator]();
  for (
    const [message, wanted] of [
      ["text", 1002],
      [new Uint8Array(1_048_577), 1009],
      [undefined, 1001],
    ] as const
  ) {
    const client = new WebSocket(listener.address);
    const [{ value: server }] = await Promise.all([
      iterator.next(),
      event(client, "open"),
    ]);
    const closing = event<CloseEvent>(client, "close");
    if (message === undefined) server.close();
    else client.send(message);
    if (message) await readAll(server).catch(() => {});
    assertEquals((await closing).code, wanted);
    await server[Symbol.asyncDispose]();
  }
});

Deno.test("ws: our client talks to Deno's server", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.binaryType = "arraybuffer";
      socket.onmessage = ({ data }) => socket.send(data);
      return response;
    },
  );
  const address = `ws://127.0.0.1:${server.addr.port}/`;
  await using client = await dialWebSocket(address, {
    maxFrameBytes: 16_777_216,
  });
  const sent = pseudoRandom(3_000_000, 2);
  const [received] = await Promise.all([
    readExactly(client, sent.length),
    client.write(sent),
  ]);
  assertEquals(received.toBase64(), sent.toBase64());
  await client.closeWrite();
  assertEquals(await client.read(new Uint8Array(1)), null);
  await client.closed;
});

function tcpOf(address: string): string {
  return address.replace("ws:", "tcp:");
}

function event<E extends Event>(target: EventTarget, type: string): Promise<E> {
  return new Promise((resolve) => {
    target.addEventListener(type, (e) => resolve(e as E), { once: true });
  });
}

/** First bytes of the server's frames. */
async function readUntilBroken(connection: Connection): Promise<number[]> {
  const parts: Uint8Array[] = [];
  try {
    for (;;) {
      const buffer = new Uint8Array(65_536);
      const length = await connection.read(buffer);
      if (length === null) break;
      parts.push(buffer.subarray(0, length));
    }
  } catch {
    // The server closed.
  }
  const wire = concat(...parts);
  const opcodes: number[] = [];
  for (let at = 0; at < wire.length;) {
    opcodes.push(wire[at]!);
    const short = wire[at + 1]!;
    at += short === 127 ? 10 + 65_536 : 2 + short;
  }
  return opcodes;
}
