import { assert, assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { type Bytes, concat, equal, utf8 } from "../../src/core/bytes/mod.ts";
import { generateX25519, nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  type Connection,
  decodeResponseHead,
  dial,
  readHead,
  serveHttp,
  TransportError,
} from "../../src/core/transport/mod.ts";
import { CARRIERS } from "../../src/htx/carrier.ts";
import { decoySite, placeholderSite } from "../../src/htx/decoy_site.ts";
import { Decoy } from "../../src/htx/decoy.ts";
import { HtxError } from "../../src/htx/error.ts";
import { CLOSE_CODE } from "../../src/htx/payload.ts";
import { pattern } from "./_mux_pair.ts";
import { readAll } from "./_prober.ts";
import { tap } from "./_tap.ts";
import { ticketRequest } from "./_ticket_request.ts";
import { DECOY_ANSWER, until, World } from "./_world.ts";

const HOUR_MS = 3_600_000;

/** Checks that `chunks`, sent on a connection of their own, reach the decoy's origin unchanged and its answer comes back. */
async function assertDecoy(
  world: World,
  ...chunks: readonly Uint8Array[]
): Promise<void> {
  await using connection = await world.connect();
  const answer = readAll(connection);
  for (const chunk of chunks) await connection.write(chunk);
  await connection.closeWrite();
  assertEquals(new TextDecoder().decode(await answer), DECOY_ANSWER);
  assert(equal((await world.lastAtOrigin())!, concat(...chunks)));
}

async function assertRefused(dialing: Promise<unknown>): Promise<void> {
  assertEquals((await assertRejects(() => dialing, HtxError)).code, "refused");
}

for (const carrier of CARRIERS) {
  for (const scheme of ["tcp", "ws"]) {
    if (carrier === "body" && scheme === "ws") continue;
    Deno.test(`HtxServer admits a ticket in the ${carrier} over ${scheme}`, async () => {
      await using world = await World.start();
      const odds = { cookie: 0, query: 0, body: 0, [carrier]: 10_000 };
      const sent: Bytes[] = [];
      const { client, server } = await world.pair({
        address: `${scheme}://server:443`,
        offer: { ...world.offer, policy: { ...world.offer.policy, odds } },
        dial: async () =>
          tap(await world.connect(), (bytes) => sent.push(bytes)),
      });
      const request = new TextDecoder().decode(concat(...sent));
      const marks = { cookie: "\r\nCookie: ", query: "GET /?", body: "POST " };
      assertEquals(
        CARRIERS.filter((name) => request.includes(marks[name])),
        [carrier],
      );
      assertEquals(request.includes("Upgrade: websocket"), scheme === "ws");
      const stream = await client.open();
      const { value: peer } = await server[Symbol.asyncIterator]().next();
      await Promise.all([
        stream.write(pattern(100_000)).then(() => stream.closeWrite()),
        readAll(peer).then((bytes) => assertEquals(bytes, pattern(100_000))),
      ]);
      assertEquals(world.gate.counts.admitted, 1);
      assertEquals(world.server.counts.established, 1);
      assertEquals(world.originSaw, []);
    });
  }
}

Deno.test("HtxServer admits with the fields of the built-in site, but no length", async () => {
  await using site = serveHttp(decoySite(placeholderSite(new Uint8Array(8))), {
    hostname: "127.0.0.1",
    port: 0,
  });
  const clock = new VirtualClock();
  await using world = await World.start({ clock }, { clock });
  const request = ticketRequest(world.offer, clock.wallTime());
  const visits = [
    dial(site.address.replace("http:", "tcp:")),
    world.connect(),
  ];
  const [shown, admitted] = await Promise.all(visits.map(async (visit) => {
    await using connection = await visit;
    await connection.write(request);
    const { head } = await readHead(connection, decodeResponseHead);
    assertEquals(head.status, 200);
    return head.fields;
  }));
  const names = shown!.map(([name]) => name);
  assertEquals(names, ["content-type", "content-length", "date"]);
  assertEquals(admitted, [
    ["content-type", "application/octet-stream"],
    ["date", new Date(clock.wallTime()).toUTCString()],
  ]);
});

Deno.test("HtxServer learns the client's static key", async () => {
  await using world = await World.start();
  const staticKeyPair = generateX25519(nodeProvider);
  const { client, server } = await world.pair({ staticKeyPair });
  assertEquals(server.remoteStaticKey, staticKeyPair.publicKey);
  assertEquals(client.remoteStaticKey, world.staticKeyPair.publicKey);
});

Deno.test("HtxServer gives the decoy every byte of whoever has no ticket", async () => {
  await using world = await World.start();
  const requests = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123456789",
    "GET / HTTP/1.1\r\nHost: a\r\nCook",
    "GET\r\n\r\n",
    "GET / HTTP/9\r\nno colon\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "x".repeat(20_000),
    `GET / HTTP/1.1\r\nX: ${"y".repeat(9_000)}\r\n\r\n`,
    `GET /?bn1=${"A".repeat(180)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    "",
  ].map((text) => Uint8Array.from(text, (c) => c.charCodeAt(0)));
  for (const request of requests) await assertDecoy(world, request);
  await assertDecoy(world, ...[...requests[0]!].map((b) => Uint8Array.of(b)));
  assertEquals(world.decoy.counts.served, requests.length + 1);
  assertEquals(world.server.counts.established, 0);
});

Deno.test("HtxServer gives the decoy a ticket it does not take", async () => {
  const clock = new VirtualClock();
  await using world = await World.start({ clock }, { clock });
  const stranger = await World.start({ clock }, { clock });
  const now = clock.wallTime();
  for (const carrier of CARRIERS) {
    const used = ticketRequest(world.offer, now, { carrier });
    await using first = await world.connect();
    await first.write(used);
    await first.read(new Uint8Array(17));
    await assertDecoy(world, used);
    for (const hours of [-2, 2]) {
      const wallTimeMs = now + hours * HOUR_MS;
      await assertDecoy(
        world,
        ticketRequest(world.offer, wallTimeMs, { carrier }),
      );
    }
    await assertDecoy(world, ticketRequest(stranger.offer, now, { carrier }));
    await assertDecoy(
      world,
      ticketRequest(world.offer, now, { carrier, damage: 1 }),
    );
  }
  const { admitted, replayed, unknown_key, forged } = world.gate.counts;
  assertEquals([admitted, replayed, unknown_key, forged], [3, 3, 3, 9]);
  await stranger[Symbol.asyncDispose]();
});

Deno.test("HtxServer takes tickets from clocks up to an hour off, and no others", async () => {
  const clock = new VirtualClock();
  await using world = await World.start({ clock }, { clock });
  const dial = (hours: number) =>
    world.dial({
      clock: new VirtualClock(clock.wallTime() + hours * HOUR_MS),
    });
  for (const hours of [-1, 0, 1]) await dial(hours);
  for (const hours of [-2, 2]) await assertRefused(dial(hours));
  assertEquals(world.server.counts.established, 3);
  const closing = world.server.close();
  await clock.run(5_000);
  await closing;
});

Deno.test("HtxServer gives the decoy half a head once it took too long, and all that follows", async () => {
  const clock = new VirtualClock();
  await using world = await World.start({ clock }, { clock });
  await using connection = await world.connect();
  const [start, rest] = ["GET / HTTP/1.1\r\nHo", "st: a\r\n\r\n"];
  await connection.write(utf8(start));
  await clock.run(9_999);
  assertEquals(world.originSaw, []);
  await clock.run(1);
  await until(() => world.originSaw[0]?.length === start.length);
  await connection.write(utf8(rest));
  await connection.closeWrite();
  assertEquals(await readAll(connection), utf8(DECOY_ANSWER));
  assertEquals(await world.lastAtOrigin(), utf8(start + rest));
  assertEquals(world.server.counts.incomplete, 1);
});

Deno.test("HtxServer gives the decoy a ticket that took too long", async () => {
  const clock = new VirtualClock();
  const options = { clock, requestTimeoutMs: 500 };
  await using world = await World.start(options, { clock });
  await using connection = await world.connect();
  const request = ticketRequest(world.offer, world.clock.wallTime());
  await connection.write(request.subarray(0, -1));
  await clock.run(500);
  await connection.write(request.subarray(-1));
  await connection.closeWrite();
  assertEquals(await readAll(connection), utf8(DECOY_ANSWER));
  assertEquals(await world.lastAtOrigin(), request);
  assertEquals(world.gate.counts.admitted, 0);
});

Deno.test("HtxServer counts a connection that breaks before its request is whole", async () => {
  await using world = await World.start();
  const connection = await world.connect();
  await connection.write(utf8("GET / HT"));
  connection.close();
  await using session = await world.dial();
  assertEquals(session.stats.streams, 0);
  assertEquals(world.server.counts.incomplete, 1);
});

Deno.test("HtxServer leaves no timer of visitors who are gone", async () => {
  const clock = new VirtualClock();
  await using world = await World.start({ clock }, { clock });
  const before = clock.pendingTimers;
  for (let i = 1; i <= 5; i++) {
    await assertDecoy(world, utf8("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    const connection = await world.connect();
    await connection.write(utf8("GET / HT"));
    connection.close();
    await until(() => world.server.counts.incomplete === i);
  }
  await until(() => world.decoy.active === 0);
  assertEquals(clock.pendingTimers, before);
});

Deno.test("HtxServer closes sessions of clients that are not in its list", async () => {
  const [friend, stranger] = [
    generateX25519(nodeProvider),
    generateX25519(nodeProvider),
  ];
  await using world = await World.start({
    clients: [generateX25519(nodeProvider).publicKey, friend.publicKey],
  });
  for (const staticKeyPair of [stranger, undefined]) {
    const session = await world.dial(staticKeyPair && { staticKeyPair });
    assertEquals((await session.closed).code, CLOSE_CODE.policyRejected);
  }
  assertEquals(world.server.sessions.size, 0);
  const { client, server } = await world.pair({ staticKeyPair: friend });
  assertEquals(server.remoteStaticKey, friend.publicKey);
  assert(await client.ping() >= 0);
  const { clientRefused, established } = world.server.counts;
  assertEquals([clientRefused, established], [2, 1]);
});

Deno.test("HtxServer shows the decoy beyond maxSessions, and takes clients again when one has left", async () => {
  await using world = await World.start({
    maxSessions: 2,
    maxSessionsPerNetwork: 2,
  });
  const { client } = await world.pair();
  await world.pair();
  await assertRefused(world.dial());
  assertEquals(world.server.counts.full, 1);
  await client.close();
  const { client: next } = await world.pair();
  assert(await next.ping() >= 0);
  assertEquals(world.server.sessions.size, 2);
});

Deno.test("HtxServer counts handshakes that run towards maxSessions", async () => {
  await using world = await World.start({
    maxSessions: 2,
    maxSessionsPerNetwork: 2,
  });
  await world.pair();
  await using waiting = await world.connect();
  await waiting.write(ticketRequest(world.offer, world.clock.wallTime()));
  await waiting.read(new Uint8Array(17));
  await assertRefused(world.dial());
  assertEquals(world.server.counts.full, 1);
});

Deno.test("HtxServer leaves places to other networks when one has its share of sessions", async () => {
  await using world = await World.start({ maxSessions: 8 });
  const dial = (from: string) =>
    world.dial({ dial: () => world.connect(from) });
  const first = await dial("10.0.0.1");
  await dial("10.0.0.2");
  await assertRefused(dial("10.0.0.3"));
  assertEquals(world.server.counts.full, 1);
  assert(await (await dial("10.0.1.1")).ping() >= 0);
  await first.close();
  assert(await (await dial("10.0.0.3")).ping() >= 0);
  assertEquals(world.server.sessions.size, 3);
});

Deno.test("HtxServer gives places of failed handshakes and refused clients back", async () => {
  await using world = await World.start({ maxSessions: 1, clients: [] });
  for (let i = 0; i < 3; i++) {
    await using connection = await world.connect();
    const request = ticketRequest(world.offer, world.clock.wallTime());
    await connection.write(concat(request, Uint8Array.of(0x07)));
    await readAll(connection);
    const session = await world.dial();
    assertEquals((await session.closed).code, CLOSE_CODE.policyRejected);
    await until(() => world.server.counts.clientRefused === i + 1);
  }
  assertEquals(world.server.counts.handshakeRejected, 3);
  assertEquals(world.server.counts.full, 0);
});

Deno.test("HtxServer takes a ticket while silent connections have every place, and the oldest goes to the decoy", async () => {
  const options = { maxPending: 2, maxPendingPerNetwork: 2 };
  await using world = await World.start(options);
  const [oldest, later] = [await world.connect(), await world.connect()];
  await oldest.write(utf8("GET / HT"));
  await until(() => world.server.counts.connections === 2);
  const { client } = await world.pair();
  assert(await client.ping() >= 0);
  assertEquals(world.server.counts.incomplete, 1);
  assertEquals(world.gate.counts.none, 1);
  await oldest.write(utf8("TP/1.1\r\n\r\n"));
  await oldest.closeWrite();
  assertEquals(await readAll(oldest), utf8(DECOY_ANSWER));
  assertEquals(await world.lastAtOrigin(), utf8("GET / HTTP/1.1\r\n\r\n"));
  for (const connection of [oldest, later]) connection.close();
});

Deno.test("HtxServer lets no network take the waiting places of others", async () => {
  await using world = await World.start({ maxPending: 16 });
  const slow = await world.connect("10.0.9.9");
  const request = ticketRequest(world.offer, world.clock.wallTime());
  await slow.write(request.subarray(0, -1));
  const silent: Connection[] = [];
  for (let i = 0; i < 40; i++) silent.push(await world.connect(`10.0.0.${i}`));
  await until(() => world.server.counts.incomplete === 38);
  await slow.write(request.subarray(-1));
  await slow.read(new Uint8Array(17));
  assertEquals(world.gate.counts.admitted, 1);
  for (const connection of [slow, ...silent]) connection.close();
});

Deno.test("HtxServer and dialHtx() refuse parameters out of range at once", async () => {
  await using world = await World.start();
  const bad = { parameters: { maxStreams: 3 } };
  await assertRejects(() => World.start(bad), RangeError, "maxStreams");
  let dials = 0;
  const dial = () => (dials++, world.connect());
  await assertRejects(() => world.dial({ ...bad, dial }), RangeError);
  assertEquals(dials, 0);
});

Deno.test("HtxServer cuts a client that stops in the handshake", async () => {
  const clock = new VirtualClock();
  await using world = await World.start({ clock }, { clock });
  const starts = [[], [0x02], [0x02, 0x04, 0xe0, ...new Uint8Array(700)]];
  for (const start of starts) {
    await using connection = await world.connect();
    await connection.write(ticketRequest(world.offer, world.clock.wallTime()));
    await connection.write(Uint8Array.from(start));
    let ended = false;
    const answer = readAll(connection).then((bytes) => {
      ended = true;
      return new TextDecoder().decode(bytes);
    });
    await clock.run(9_999);
    assertEquals(ended, false);
    await clock.run(1);
    assertEquals((await answer).startsWith("HTTP/1.1 200 OK\r\n"), true);
  }
  assertEquals(world.server.counts.handshakeBroken, 3);
  assertEquals(world.originSaw, []);
});

Deno.test("HtxServer cuts a client that goes on slowly in the handshake", async () => {
  const clock = new VirtualClock();
  const options = { clock, handshakeTimeoutMs: 3_000 };
  await using world = await World.start(options, { clock });
  await using connection = await world.connect();
  await connection.write(ticketRequest(world.offer, world.clock.wallTime()));
  const slowly = async () => {
    for (const byte of [0x02, 0x04, 0xe0, ...new Uint8Array(1_000)]) {
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 100));
      await connection.write(Uint8Array.of(byte));
    }
  };
  const cut = assertRejects(slowly, TransportError);
  await clock.run(3_200);
  await cut;
  assertEquals(world.server.counts.handshakeBroken, 1);
});

Deno.test("HtxServer counts a handshake of garbage as rejected", async () => {
  await using world = await World.start();
  const garbage = [[0x07], [0x02, 0xff, 0xff], [0x02, 0, 0]];
  for (const bytes of garbage) {
    await using connection = await world.connect();
    const first = concat(
      ticketRequest(world.offer, world.clock.wallTime()),
      Uint8Array.from(bytes),
    );
    await connection.write(first);
    await readAll(connection);
  }
  assertEquals(world.server.counts.handshakeRejected, garbage.length);
  assertEquals(world.server.counts.connections, garbage.length);
});

Deno.test("HtxServer.close() lets streams end first and takes nobody new", async () => {
  await using world = await World.start();
  const { client, server } = await world.pair();
  const stream = await client.open();
  const { value: peer } = await server[Symbol.asyncIterator]().next();
  const closing = world.server.close({ drainMs: 60_000, reason: "restart" });
  await assertRejects(() => world.connect(), TransportError, "Cannot reach");
  await Promise.all([
    stream.write(pattern(70_000)).then(() => stream.closeWrite()),
    peer.closeWrite(),
    readAll(peer).then((bytes) => assertEquals(bytes, pattern(70_000))),
  ]);
  await closing;
  assertEquals(await client.closed, {
    code: CLOSE_CODE.ok,
    reason: "restart",
    error: undefined,
  });
  assertEquals(world.server.sessions.size, 0);
  for await (const _ of world.server) throw new Error("Server is closed");
});

Deno.test("HtxServer.close() lets go of silent, decoyed and half-open connections", async () => {
  const clock = new VirtualClock();
  await using world = await World.start({ clock }, { clock });
  const open: Connection[] = [];
  for (let i = 0; i < 3; i++) open.push(await world.connect());
  await open[1]!.write(utf8("GET / HTTP/1.1\r\n\r\n"));
  await open[2]!.write(ticketRequest(world.offer, world.clock.wallTime()));
  await open[2]!.read(new Uint8Array(1_000));
  await world.server.close();
  await Promise.all(open.map(readAll));
  for (const connection of open) connection.close();
});

Deno.test("HtxServer.close() gives up a decoy that does not answer", async () => {
  const clock = new VirtualClock();
  let dialled = false;
  const decoy = new Decoy({
    clock,
    dial: ({ signal }) =>
      new Promise((_, reject) => {
        dialled = true;
        signal!.addEventListener("abort", () => reject(signal!.reason));
      }),
  });
  await using world = await World.start({ clock, decoy }, { clock });
  await using connection = await world.connect();
  await connection.write(utf8("GET / HTTP/1.1\r\n\r\n"));
  await until(() => dialled);
  await world.server.close();
  assertEquals(decoy.counts.unreachable, 1);
});

Deno.test("HtxServer tells how long handshakes took and sums up the sessions that ended", async () => {
  const tookMs: number[] = [];
  await using world = await World.start({
    onHandshake: (ms) => tookMs.push(ms),
  });
  for (let i = 1; i <= 2; i++) {
    const { client, server } = await world.pair();
    await using stream = await client.open();
    await stream.write(pattern(1_000));
    const { value: peer } = await server[Symbol.asyncIterator]().next();
    await peer.read(new Uint8Array(1_000));
    await client.close();
    await server.closed;
    assertEquals(world.server.sessions.size, 0);
    assertEquals(world.server.totals.bytesIn, i * 1_000);
  }
  assertEquals(tookMs.length, 2);
  assert(tookMs.every((ms) => ms >= 0 && ms < 10_000));
});

Deno.test("HtxServer stays up under 500 connections of garbage at once", async () => {
  await using world = await World.start({ maxPendingPerNetwork: 600 });
  const connections: Connection[] = [];
  while (connections.length < 500) {
    connections.push(await world.connect());
    await until(() => world.server.counts.connections === connections.length);
  }
  const probe = async (connection: Connection, i: number) => {
    await using _ = connection;
    const answer = readAll(connection);
    const bytes = pattern(1 + i * 7 % 3_000, i);
    for (let at = 0; at < bytes.length; at += 700) {
      await connection.write(bytes.subarray(at, at + 700));
    }
    await connection.closeWrite();
    assertEquals((await answer).length, DECOY_ANSWER.length);
  };
  const { client } = await world.pair();
  // Listeners in memory queue 128 connections at most, the origin's too.
  for (let at = 0; at < 500; at += 100) {
    await Promise.all(connections.slice(at, at + 100).map(probe));
    assert(await client.ping() >= 0);
  }
  assertEquals(world.decoy.counts.served, 500);
  assertEquals(world.server.counts.connections, 501);
  assertEquals(world.server.counts.established, 1);
});

Deno.test("HtxServer stays bounded when nobody takes its sessions", async () => {
  await using world = await World.start({
    maxSessions: 4,
    maxSessionsPerNetwork: 4,
  });
  const codes: number[] = [];
  for (let i = 0; i < 20; i++) {
    const session = await world.dial();
    const closed = i < 4 ? session.close() : session.closed;
    codes.push((await closed).code);
  }
  assertEquals(codes, [
    ...Array(4).fill(CLOSE_CODE.ok),
    ...Array(16).fill(CLOSE_CODE.limitExceeded),
  ]);
  await until(() => world.server.sessions.size === 0);
  const left = [];
  const taking = (async () => {
    for await (const session of world.server) left.push(session);
  })();
  await world.server.close();
  await taking;
  assertEquals(left.length, 4);
});

Deno.test("HtxServer.stop() ends the iteration and takes no more, and sessions live on", async () => {
  await using world = await World.start();
  const { client, server } = await world.pair();
  const waiting = await world.dial();
  world.server.stop();
  let left = 0;
  for await (const each of world.server) left += each.isOpen ? 1 : 0;
  assertEquals(left, 1);
  await assertRejects(() => world.dial(), TransportError);
  assert(client.isOpen && server.isOpen && waiting.isOpen);
  await client.ping();
});
