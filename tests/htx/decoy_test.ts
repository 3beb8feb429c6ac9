import { assert, assertEquals } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { type Bytes, concat, utf8 } from "../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import { memoryStore } from "../../src/core/storage/mod.ts";
import {
  type Connection,
  dialTcp,
  type Listener,
  listenTcp,
  MemoryNetwork,
  TransportError,
} from "../../src/core/transport/mod.ts";
import { findTicket } from "../../src/htx/carrier.ts";
import { Decoy } from "../../src/htx/decoy.ts";
import { decoySite, placeholderSite } from "../../src/htx/decoy_site.ts";
import { Gate } from "../../src/htx/gate.ts";
import { ReplayMemory } from "../../src/htx/replay.ts";
import { makeTicketKey, TicketKeyRing } from "../../src/htx/ticket_key_ring.ts";
import { TokenBuckets } from "../../src/htx/token_bucket.ts";

/** Reads as a server does until the gate can decide, and hands everybody to the decoy. */
async function receive(connection: Connection, gate: Gate, decoy: Decoy) {
  const buffer = new Uint8Array(4096);
  let received: Bytes = new Uint8Array(0);
  let found = findTicket(received, "__Host-sid");
  while (found === undefined) {
    const n = await connection.read(buffer);
    if (n === null) break;
    received = concat(received, buffer.subarray(0, n));
    found = findTicket(received, "__Host-sid");
  }
  const { remoteAddress } = connection;
  const visit = { remoteAddress, wallTimeMs: 0, nowMs: 0 };
  const payload = typeof found === "object" ? found.payload : found ?? "none";
  assertEquals(gate.admit(payload, visit).admitted, false);
  await decoy.serve(connection, received);
}

function makeGate(): Gate {
  return new Gate({
    crypto,
    keys: new TicketKeyRing([makeTicketKey(crypto, 0, Infinity)]),
    replay: new ReplayMemory({ store: memoryStore(), nowMs: 0 }),
    buckets: new TokenBuckets(),
  });
}

async function accept(
  listener: Listener,
  handle: (connection: Connection) => Promise<void>,
) {
  const running: Promise<void>[] = [];
  for await (const connection of listener) running.push(handle(connection));
  await Promise.all(running);
}

/** What comes back for `chunks`, until the server ends; dates are masked. */
async function probe(address: string, chunks: readonly Uint8Array[]) {
  await using connection = await dialTcp(address);
  const answer = readAll(connection);
  try {
    for (const chunk of chunks) await connection.write(chunk);
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
  }
  const bytes = await answer;
  const text = String.fromCharCode(...bytes);
  return text.replace(/date: [^\r]*/gi, "date: *");
}

async function readAll(connection: Connection): Promise<Bytes> {
  const buffer = new Uint8Array(65_536);
  let all: Bytes = new Uint8Array(0);
  try {
    for (;;) {
      const n = await connection.read(buffer);
      if (n === null) return all;
      all = concat(all, buffer.subarray(0, n));
    }
  } catch (error) {
    if (error instanceof TransportError) return all;
    throw error;
  }
}

function request(line: string, ...fields: string[]): string {
  const lines = [line, "Host: a", ...fields, "Connection: close", "", ""];
  return lines.join("\r\n");
}

const TICKET = "A".repeat(180);
const BIG = "x".repeat(9000);
const FORM = "Content-Type: application/x-www-form-urlencoded";
const PROBES: Record<string, readonly string[]> = {
  "GET": [request("GET / HTTP/1.1")],
  "GET with a query": [request("GET /style.css?v=1 HTTP/1.1")],
  "HEAD": [request("HEAD / HTTP/1.1")],
  "POST": [request("POST / HTTP/1.1", "Content-Length: 3") + "a=b"],
  "DELETE": [request("DELETE /robots.txt HTTP/1.1")],
  "not found": [request("GET /admin HTTP/1.1")],
  "bad escape": [request("GET /%zz HTTP/1.1")],
  "HTTP/1.0": ["GET / HTTP/1.0\r\n\r\n"],
  "no host": ["GET / HTTP/1.1\r\nConnection: close\r\n\r\n"],
  "pipelined": [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /favicon.svg HTTP/1.1\r\nHost: a\r\n\r\n" +
    request("GET /x HTTP/1.1"),
  ],
  "slow": [...request("GET / HTTP/1.1")],
  "malformed line": ["GET\r\n\r\n"],
  "malformed field": ["GET / HTTP/1.1\r\nno colon\r\n\r\n"],
  "malformed after a slow start": ["GE", "T / HT", "TP/9\r\n", "\r\n"],
  "huge head": [request("GET / HTTP/1.1", `X: ${BIG}`, `Y: ${BIG}`)],
  "garbage": ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(50)],
  "chunked": [
    request("POST / HTTP/1.1", "Transfer-Encoding: chunked") +
    "3\r\nabc\r\n0\r\n\r\n",
  ],
  "forged cookie": [request("GET / HTTP/1.1", `Cookie: __Host-sid=${TICKET}`)],
  "forged query": [request(`GET /?bn1=${TICKET} HTTP/1.1`)],
  "forged body": [
    request("POST / HTTP/1.1", FORM, "Content-Length: 184"),
    `bn1=${TICKET}`,
  ],
};

Deno.test("Decoy shows a prober byte for byte what the bare origin shows", async (t) => {
  const site = decoySite(placeholderSite(crypto.random(8)));
  await using origin = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    site,
  );
  const bare = `tcp://127.0.0.1:${origin.addr.port}`;
  const decoy = new Decoy({ dial: (options) => dialTcp(bare, options) });
  const gate = makeGate();
  const listener = listenTcp("tcp://127.0.0.1:0");
  const serving = accept(listener, (c) => receive(c, gate, decoy));
  for (const [name, texts] of Object.entries(PROBES)) {
    await t.step(name, async () => {
      const chunks = texts.map((text) =>
        Uint8Array.from(text, (c) => c.charCodeAt(0))
      );
      const seen = await probe(listener.address, chunks);
      assertEquals(seen, await probe(bare, chunks));
      if (name !== "huge head") assert(seen.startsWith("HTTP/1."), seen);
    });
  }
  listener.close();
  await serving;
  assertEquals(decoy.counts.served, Object.keys(PROBES).length);
  assertEquals(gate.counts.forged + gate.counts.malformed, 3);
});

async function setUp(options: Partial<ConstructorParameters<typeof Decoy>[0]>) {
  const network = new MemoryNetwork();
  const origin = await network.transport("origin").listen("memory://origin");
  const front = await network.transport("front").listen("memory://front");
  const front_ = network.transport("front");
  const decoy = new Decoy({
    dial: (dialOptions) => front_.dial("memory://origin", dialOptions),
    ...options,
  });
  const visit = async () => {
    const visitor = await network.transport("visitor").dial("memory://front");
    const { value } = await front[Symbol.asyncIterator]().next();
    return { visitor, served: decoy.serve(value!, utf8("early ")) };
  };
  const accepted = async () => {
    const { value } = await origin[Symbol.asyncIterator]().next();
    return value!;
  };
  return { network, origin, decoy, visit, accepted };
}

Deno.test("Decoy passes any bytes both ways, those already received first", async () => {
  const { decoy, visit, accepted } = await setUp({});
  const { visitor, served } = await visit();
  const origin = await accepted();
  const up = crypto.random(300_000);
  const down = crypto.random(300_000);
  const seen = readAll(origin);
  const answer = readAll(visitor);
  await Promise.all([visitor.write(up), origin.write(down)]);
  await visitor.closeWrite();
  assertEquals(await seen, concat(utf8("early "), up));
  await origin.closeWrite();
  assertEquals(await answer, down);
  await served;
  assertEquals(decoy.active, 0);
});

Deno.test("Decoy closes visitors beyond its limit, and the rest when the origin is gone", async () => {
  const { network, decoy, visit, accepted } = await setUp({
    maxConnections: 2,
  });
  const first = await visit();
  const second = await visit();
  const third = await visit();
  assertEquals(await readAll(third.visitor), new Uint8Array(0));
  await third.served;
  assertEquals(decoy.active, 2);
  assertEquals(decoy.counts, { served: 2, refused: 1, unreachable: 0 });
  (await accepted()).close();
  await first.served;
  const fourth = await visit();
  assertEquals(decoy.active, 2);
  network.kill("origin");
  await Promise.all([second.served, fourth.served]);
  const fifth = await visit();
  assertEquals(await readAll(fifth.visitor), new Uint8Array(0));
  await fifth.served;
  assertEquals(decoy.counts, { served: 3, refused: 1, unreachable: 1 });
  assertEquals(decoy.active, 0);
});

Deno.test("Decoy ends idle connections, and busy ones in the end", async () => {
  const clock = new VirtualClock();
  const { visit, accepted } = await setUp({
    clock,
    idleTimeoutMs: 1_000,
    totalTimeoutMs: 10_000,
  });
  const idle = await visit();
  await (await accepted()).read(new Uint8Array(10));
  clock.advance(999);
  let ended = false;
  void idle.served.then(() => ended = true);
  await tick();
  assertEquals(ended, false);
  clock.advance(1_001);
  await idle.served;

  const busy = await visit();
  const origin = await accepted();
  await origin.read(new Uint8Array(10));
  const startedAt = clock.now();
  let done = false;
  void busy.served.then(() => done = true);
  while (!done && clock.now() - startedAt < 20_000) {
    try {
      await busy.visitor.write(utf8("x"));
      await origin.read(new Uint8Array(10));
    } catch (error) {
      assert(error instanceof TransportError);
    }
    clock.advance(500);
    await tick();
  }
  await busy.served;
  assertEquals(clock.now() - startedAt, 10_000);
});

Deno.test("Decoy gives up on an origin that does not answer the dial", async () => {
  const clock = new VirtualClock();
  const { decoy, visit } = await setUp({
    clock,
    idleTimeoutMs: 1_000,
    dial: ({ signal }) =>
      new Promise((_, reject) => {
        signal!.onabort = () => reject(signal!.reason);
      }),
  });
  const { visitor, served } = await visit();
  await tick();
  clock.advance(1_000);
  await served;
  assertEquals(await readAll(visitor), new Uint8Array(0));
  assertEquals(decoy.counts.unreachable, 1);
});

Deno.test("Decoy stops when its signal fires", async () => {
  const network = new MemoryNetwork();
  await using origin = await network.transport("o").listen("memory://o");
  await using front = await network.transport("f").listen("memory://f");
  const decoy = new Decoy({
    dial: (options) => network.transport("f").dial("memory://o", options),
  });
  await using visitor = await network.transport("v").dial("memory://f");
  const { value } = await front[Symbol.asyncIterator]().next();
  const controller = new AbortController();
  const served = decoy.serve(value!, utf8("x"), controller);
  await origin[Symbol.asyncIterator]().next();
  controller.abort();
  await served;
  assertEquals(await readAll(visitor), new Uint8Array(0));
});

/** Lets everything run that waits for nothing but its turn. */
async function tick(): Promise<void> {
  for (let i = 0; i < 100; i++) await Promise.resolve();
}
