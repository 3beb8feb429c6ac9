import { assertEquals, assertLess, assertRejects } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import { utf8 } from "../../../src/core/bytes/mod.ts";
import {
  type Connection,
  MemoryNetwork,
} from "../../../src/core/transport/mod.ts";
import { ContactError } from "../../../src/dtn/cla/contact_error.ts";
import type {
  Contact,
  ReceivedBundle,
} from "../../../src/dtn/cla/convergence_layer.ts";
import {
  HttpLayer,
  type HttpOptions,
} from "../../../src/dtn/http/http_layer.ts";
import { testConvergenceLayer } from "../../compliance/convergence_layer.ts";

const SMALL: HttpOptions = {
  maxBundleBytes: 2_000_000,
  sending: { maxCount: 1_000, maxBytes: 4_000_000 },
  receiving: { maxCount: 1_000, maxBytes: 1_000_000 },
};

testConvergenceLayer("http over memory", () => {
  const network = new MemoryNetwork();
  return {
    dialer: new HttpLayer({ ...SMALL, transport: network.transport("near") }),
    listener: new HttpLayer({ ...SMALL, transport: network.transport("far") }),
    listenAt: "memory://far",
    unreachable: "memory://nobody",
    isOneWay: true,
    acknowledges: true,
    holdsBack: true,
    maxBufferedBytes: 8_000_000,
  };
});

testConvergenceLayer("http over tcp", () => ({
  dialer: new HttpLayer(SMALL),
  listener: new HttpLayer(SMALL),
  listenAt: "tcp://127.0.0.1:0/a/path",
  unreachable: "tcp://127.0.0.1:1",
  isOneWay: true,
  acknowledges: true,
  holdsBack: true,
  maxBufferedBytes: 16 * 1_048_576,
}));

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const push = (body: string, ...fields: string[]) =>
  ["POST /push HTTP/1.1", `Content-Length: ${body.length}`, ...fields, "", body]
    .join("\r\n");

/** A layer that listens, and a raw connection to it. */
async function rawClient(options: HttpOptions = {}) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const layer = new HttpLayer({
    transport: network.transport("far"),
    clock,
    ...options,
  });
  const listener = await layer.listen("memory://far");
  const contacts = listener[Symbol.asyncIterator]();
  const dial = () => network.transport("raw").dial("memory://far");
  const raw = await dial();
  const contact = (await contacts.next()).value as Contact;
  return {
    clock,
    contact,
    raw,
    dial,
    next: async () => (await contacts.next()).value as Contact,
    received: contact.received[Symbol.asyncIterator](),
    say: (text: string) => raw.write(utf8(text)),
    async [Symbol.asyncDispose]() {
      contact.close();
      raw.close();
      await listener[Symbol.asyncDispose]();
    },
  };
}

/** A contact of a layer to a server that the test plays. */
async function rawServer(options: HttpOptions = {}) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const listener = await network.transport("raw").listen("memory://raw");
  const connections = listener[Symbol.asyncIterator]();
  const layer = new HttpLayer({
    transport: network.transport("near"),
    clock,
    ...options,
  });
  const contact = await layer.dial("memory://raw/prefix");
  const raw = (await connections.next()).value as Connection;
  return {
    clock,
    contact,
    raw,
    say: (text: string) => raw.write(utf8(text)),
    async [Symbol.asyncDispose]() {
      contact.close();
      raw.close();
      await listener[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a bundle is pushed as the body of POST /push, below the path of the address", async () => {
  await using pair = await rawServer();
  const request = "POST /prefix/push HTTP/1.1\r\nHost: raw\r\n" +
    "Content-Type: application/cbor\r\nContent-Length: 5\r\n\r\nhello";
  const sending = pair.contact.send(utf8("hello"));
  assertEquals(await textOf(pair.raw, request.length), request);
  await pair.say(
    "HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\nReceived 5 bytes",
  );
  assertEquals(await sending, { kind: "acknowledged" });
});

Deno.test("the status says whether a bundle is acknowledged or why it is refused", async () => {
  await using pair = await rawServer();
  for (
    const [status, outcome] of [
      [200, { kind: "acknowledged" }],
      [202, { kind: "refused", reason: "unknown" }],
      [400, { kind: "refused", reason: "notAcceptable" }],
      [413, { kind: "refused", reason: "notAcceptable" }],
      [429, { kind: "refused", reason: "noResources" }],
      [503, { kind: "refused", reason: "noResources" }],
      [507, { kind: "refused", reason: "noResources" }],
      [500, { kind: "refused", reason: "unknown" }],
      [404, { kind: "refused", reason: "unknown" }],
    ] as const
  ) {
    const sending = pair.contact.send(utf8("x"));
    assertEquals((await textOf(pair.raw, 93)).slice(-5), "\r\n\r\nx");
    await pair.say(
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 ${status} \r\nContent-Length: 2\r\n\r\nno`,
    );
    assertEquals(await sending, outcome, `${status}`);
  }
  assertEquals(pair.contact.counts.sent, 1);
  assertEquals(pair.contact.counts.refusedByPeer, 8);
});

Deno.test("an answer whose end nobody can tell, or that ends the connection, is the last", async () => {
  for (
    const head of [
      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "\r\nuntil the end",
      "Content-Length: 99999\r\n\r\n",
      "Content-Length: 0\r\nConnection: close\r\n\r\n",
    ]
  ) {
    await using pair = await rawServer();
    const first = pair.contact.send(utf8("1"));
    const second = assertRejects(
      () => pair.contact.send(utf8("2")),
      ContactError,
    );
    await pair.say(`HTTP/1.1 200 OK\r\n${head}`);
    assertEquals(await first, { kind: "acknowledged" });
    assertEquals((await second).code, "disconnected", head);
    await pair.contact.closed;
  }
});

Deno.test("what is no HTTP, or answers nothing, is a violation", async () => {
  for (const text of ["SSH-2.0-x\r\n\r\n", OK]) {
    await using pair = await rawServer();
    await pair.say(text);
    await pair.contact.closed;
    const error = await assertRejects(
      () => pair.contact.send(utf8("x")),
      ContactError,
    );
    assertEquals(error.code, "violation", text);
  }
});

Deno.test("a peer that neither reads nor answers is left after a minute of it", async () => {
  for (const size of [1, 1_000_000]) {
    await using pair = await rawServer({ stallTimeoutMs: 60_000 });
    const failure = assertRejects(
      () => pair.contact.send(new Uint8Array(size)),
      ContactError,
    );
    await pair.clock.run(60_000);
    assertEquals((await failure).code, "timeout");
    await pair.contact.closed;
  }
});

Deno.test("a peer that ends makes the outcome of what is under way unknown", async () => {
  await using pair = await rawServer();
  const failure = assertRejects(
    () => pair.contact.send(utf8("x")),
    ContactError,
  );
  await pair.raw.closeWrite();
  assertEquals((await failure).code, "disconnected");
});

Deno.test("requests come whole however they are cut, and answers in their order", async () => {
  await using pair = await rawClient();
  const requests = push("one") + push("two") + push("") +
    "POST http://far/push?x HTTP/1.1\r\ncontent-length: 3\r\n\r\nend";
  for (const byte of utf8(requests)) await pair.raw.write(Uint8Array.of(byte));
  const received: ReceivedBundle[] = [];
  for (let i = 0; i < 4; i++) received.push((await pair.received.next()).value);
  assertEquals(
    received.map(({ bytes }) => new TextDecoder().decode(bytes)),
    ["one", "two", "", "end"],
  );
  received[3]!.accept();
  received[2]!.refuse("noResources");
  received[1]!.refuse("notAcceptable");
  received[0]!.accept();
  const answers = OK +
    "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" +
    "HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 0\r\n\r\n" + OK;
  assertEquals(await textOf(pair.raw, answers.length), answers);
});

Deno.test("a peer that asks first is told to continue, and one that wants to end is let go", async () => {
  await using pair = await rawClient();
  const [head, body] = push(
    "hello",
    "Expect: 100-continue",
    "Connection: close",
  ).split(/(?<=\r\n\r\n)/);
  await pair.say(head!);
  const go = "HTTP/1.1 100 Continue\r\n\r\n";
  assertEquals(await textOf(pair.raw, go.length), go);
  await pair.say(body!);
  (await pair.received.next()).value.accept();
  const answer =
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  assertEquals(await textOf(pair.raw), answer);
  await pair.raw.closeWrite();
  await pair.contact.closed;
});

Deno.test("what is no push is answered with its status, and ends the connection", async () => {
  for (
    const [request, status] of [
      ["GET /push HTTP/1.1\r\n\r\n", 405],
      ["POST /insert HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 404],
      ["POST /push HTTP/1.1\r\n\r\n", 411],
      [push("x", "Content-Length: 1"), 411],
      [push("x", "Transfer-Encoding: chunked"), 411],
      [push("x", "Origin: https://example.org"), 403],
      ["POST /push HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400],
      ["POST /push HTTP/1.1\r\nContent-Length: 2000001\r\n\r\n", 413],
      ["nonsense\r\n\r\n", 400],
      [`POST /push HTTP/1.1\r\nX: ${"x".repeat(17_000)}`, 400],
    ] as const
  ) {
    await using pair = await rawClient(SMALL);
    await pair.say(request + push("not looked at"));
    const text = await textOf(pair.raw);
    assertEquals(text.split(" ")[1], `${status}`, request.slice(0, 80));
    assertEquals(text.match(/HTTP/g)?.length, 1);
    assertEquals(pair.contact.counts.received, 0);
    assertEquals(pair.contact.counts.refusedByLayer, 1);
    await pair.raw.closeWrite();
    await pair.contact.closed;
  }
});

Deno.test("a bundle without room is let go and answered with 503, and the next is taken", async () => {
  await using pair = await rawClient({ maxHeldBytes: 10_000 });
  const writing = pair.say(push("x".repeat(1_000_000)) + push("small"));
  const refused =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
  assertEquals(await textOf(pair.raw, refused.length), refused);
  await writing;
  const { value } = await pair.received.next();
  assertEquals(value.bytes, utf8("small"));
  value.accept();
  assertEquals(await textOf(pair.raw, OK.length), OK);
  assertEquals(pair.contact.counts.refusedByLayer, 1);
});

Deno.test("bundles that nobody decides about free their room when the contact ends", async () => {
  await using pair = await rawClient({ maxHeldBytes: 10_000 });
  await pair.say(push("x".repeat(8_000)));
  await pair.received.next();
  pair.contact.close();
  await pair.contact.closed;
  const again = await pair.dial();
  const contact = await pair.next();
  await again.write(utf8(push("y".repeat(8_000))));
  const { value } = await contact.received[Symbol.asyncIterator]().next();
  assertEquals(value.bytes.length, 8_000);
  again.close();
  await contact.closed;
});

Deno.test("a peer that asks and never reads the answers is read no further", async () => {
  await using pair = await rawClient({
    receiving: { maxCount: 10, maxBytes: 1_000_000 },
    maxHeldBytes: 0,
  });
  const one = utf8(push("x".repeat(10)).repeat(100));
  let written = 0;
  const writing = (async () => {
    for (; written < 100_000; written++) await pair.raw.write(one);
  })().catch(() => {});
  for (let before = -1; before < written;) {
    before = written;
    await pair.clock.run(0);
  }
  assertLess(written, 20_000);
  await pair.clock.run(60_000);
  await pair.contact.closed;
  await writing;
});

Deno.test("a silent peer is left after the idle time, but not while it waits for the node", async () => {
  await using pair = await rawClient({ idleTimeoutMs: 1_000 });
  await pair.say(push("hello"));
  const { value } = await pair.received.next();
  await pair.clock.run(5_000);
  value.accept();
  assertEquals(await textOf(pair.raw, OK.length), OK);
  await pair.clock.run(1_000);
  await pair.contact.closed;
});

Deno.test("a listener sends nothing, and end() answers what waits for the node", async () => {
  await using pair = await rawClient();
  const error = await assertRejects(() => pair.contact.send(utf8("x")));
  assertEquals((error as ContactError).code, "tooLarge");
  await pair.say(push("hello"));
  const { value } = await pair.received.next();
  const ending = pair.contact.end();
  await pair.say(push("too late"));
  value.accept();
  assertEquals(await textOf(pair.raw), OK);
  await pair.clock.run(2_000);
  await ending;
  assertEquals(pair.contact.counts.received, 1);
});

Deno.test("a peer that stops in a request is left after a minute of it, one between two later", async () => {
  await using pair = await rawClient();
  await pair.say(push("12345").slice(0, -1));
  await pair.clock.run(60_000);
  await pair.contact.closed;
  await using other = await rawClient();
  await other.clock.run(60_000);
  await other.say(push("12345"));
  assertEquals((await other.received.next()).value.bytes, utf8("12345"));
});

Deno.test("connections beyond the bound are closed", async () => {
  await using pair = await rawClient({ maxContacts: 1 });
  const waiting = pair.next();
  const second = await pair.dial();
  await assertRejects(async () => {
    if (await second.read(new Uint8Array(1)) === null) throw new Error("end");
  });
  pair.raw.close();
  await pair.contact.closed;
  const third = await pair.dial();
  const contact = await waiting;
  third.close();
  await contact.closed;
});

/** The next `length` bytes, or all to the end, as text. */
async function textOf(connection: Connection, length?: number) {
  const buffer = new Uint8Array(length ?? 100_000);
  let at = 0;
  while (at < buffer.length) {
    const count = await connection.read(buffer.subarray(at));
    if (count === null) break;
    at += count;
  }
  return new TextDecoder().decode(buffer.subarray(0, at));
}
