import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { equal } from "../../src/core/bytes/mod.ts";
import type { Connection } from "../../src/core/transport/mod.ts";
import { HtxError } from "../../src/htx/error.ts";
import { REKEY_LIMITS } from "../../src/htx/protection.ts";
import { pattern } from "./_mux_pair.ts";
import { World } from "./_world.ts";

async function readToEnd(connection: Connection): Promise<Uint8Array> {
  const parts: number[] = [];
  const buffer = new Uint8Array(50_000);
  for (let n; (n = await connection.read(buffer)) !== null;) {
    for (let i = 0; i < n; i++) parts.push(buffer[i]!);
  }
  return Uint8Array.from(parts);
}

async function writeAll(to: Connection, bytes: Uint8Array): Promise<void> {
  await to.write(bytes);
  await to.closeWrite();
}

Deno.test("Session carries a request and its answer", async () => {
  await using world = await World.start();
  const { client, server } = await world.pair();
  const [stream, peer] = await Promise.all([
    client.open(),
    server[Symbol.asyncIterator]().next(),
  ]);
  const [request] = await Promise.all([
    readToEnd(peer.value),
    writeAll(stream, pattern(300_000)),
  ]);
  assert(equal(request, pattern(300_000)));
  const [answer] = await Promise.all([
    readToEnd(stream),
    writeAll(peer.value, pattern(200_000, 2)),
  ]);
  assert(equal(answer, pattern(200_000, 2)));
  await Promise.all([stream.closed, peer.value.closed]);
  assertEquals(client.stats.streams, 0);
});

Deno.test("Session streams are web streams too", async () => {
  await using world = await World.start();
  const { client, server } = await world.pair();
  const stream = await client.open();
  const echo = server[Symbol.asyncIterator]().next().then(({ value }) =>
    value.readable.pipeTo(value.writable)
  );
  const sent = new Blob([pattern(500_000).slice()]).stream();
  const [received] = await Promise.all([
    new Response(stream.readable).bytes(),
    sent.pipeTo(stream.writable),
    echo,
  ]);
  assert(equal(received, pattern(500_000)));
});

Deno.test("Session.close() lets open streams end, then tells the peer", async () => {
  await using world = await World.start();
  const { client, server } = await world.pair();
  const stream = await client.open();
  const { value: peer } = await server[Symbol.asyncIterator]().next();
  await stream.write(pattern(10));
  const closing = client.close({ reason: "done", drainMs: 60_000 });
  await assertRejects(() => client.open(), HtxError, "closing");
  await stream.closeWrite();
  assertEquals(await readToEnd(peer), pattern(10));
  const [answer] = await Promise.all([
    readToEnd(stream),
    writeAll(peer, pattern(70_000)),
  ]);
  assertEquals(answer.length, 70_000);
  assertEquals(await closing, { code: 0, reason: "done", error: undefined });
  assertEquals(await server.closed, {
    code: 0,
    reason: "done",
    error: undefined,
  });
});

Deno.test("Session.close() does not wait longer than drainMs", async () => {
  const clock = new VirtualClock();
  await using world = await World.start({ clock }, { clock });
  const { client, server } = await world.pair();
  const stream = await client.open();
  await server[Symbol.asyncIterator]().next();
  const closing = client.close({ drainMs: 5_000 });
  clock.advance(5_000);
  await closing;
  await assertRejects(() => stream.read(new Uint8Array(1)), HtxError);
});

Deno.test("a session that is closing refuses the peer's new streams", async () => {
  await using world = await World.start();
  const { client, server } = await world.pair();
  const kept = await server.open();
  await client[Symbol.asyncIterator]().next();
  const closing = client.close({ drainMs: 60_000 });
  const refused = await server.open();
  await assertRejects(() => refused.read(new Uint8Array(1)), HtxError, "9");
  kept.close();
  await closing;
});

Deno.test("what waits fails when the session ends", async () => {
  await using world = await World.start();
  const { client, server } = await world.pair();
  const stream = await client.open();
  const reading = assertRejects(
    () => stream.read(new Uint8Array(1)),
    HtxError,
  );
  const writing = assertRejects(
    () => stream.write(new Uint8Array(10_000_000)),
    HtxError,
  );
  await server.close({ code: 300 });
  const error = [await reading, await writing][0]!;
  assertEquals(error.code, "closed");
  assertEquals((await client.closed).code, 300);
  await assertRejects(() => client.open(), HtxError, "closed");
  await assertRejects(() => client.ping(), HtxError, "closed");
  assertEquals(await client[Symbol.asyncIterator]().next(), {
    done: true,
    value: undefined,
  });
});

Deno.test("a connection that breaks ends the session with an error", async () => {
  await using world = await World.start();
  const { client, server } = await world.pair({
    dial: async () => {
      const connection = await world.connect();
      setTimeout(() => connection.close());
      return connection;
    },
  }).catch((error) => ({ client: error, server: undefined }));
  if (server) {
    const { error } = await server.closed;
    assertEquals(error?.code, "closed");
  } else assert(client instanceof Error);
});

Deno.test("Session.open() waits for the peer's limit and can be cancelled", async () => {
  await using world = await World.start({ parameters: { maxStreams: 16 } });
  const { client, server } = await world.pair();
  const streams = [];
  for (let i = 0; i < 16; i++) streams.push(await client.open());
  const { value: first } = await server[Symbol.asyncIterator]().next();
  const abort = new AbortController();
  const cancelled = client.open({ signal: abort.signal });
  const next = client.open();
  abort.abort(new Error("changed my mind"));
  await assertRejects(() => cancelled, Error, "changed my mind");
  first.close();
  assertEquals((await next).id, 33);
});

Deno.test("Session.ping() measures the round trip", async () => {
  const clock = new VirtualClock();
  const world = await World.start({ clock }, { clock, latencyMs: 20 });
  const { client } = await drive(clock, world.pair());
  const rttMs = await drive(clock, client.ping());
  assert(rttMs >= 40 && rttMs <= 45, `${rttMs}`);
  await drive(clock, Promise.all([client.close(), world.server.close()]));
  await drive(clock, world[Symbol.asyncDispose]());
});

/** Lets virtual time pass, a millisecond a turn, until `promise` settles. */
async function drive<T>(clock: VirtualClock, promise: Promise<T>): Promise<T> {
  let settled = false;
  void promise.catch(() => {}).then(() => settled = true);
  while (!settled) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1);
  }
  return await promise;
}

Deno.test("streams that the peer resets before they are taken leave no trace", async () => {
  await using world = await World.start({ parameters: { maxStreams: 16 } });
  const { client, server } = await world.pair();
  for (let i = 0; i < 500; i++) (await client.open()).close();
  const kept = await client.open();
  await client.ping();
  const { value } = await server[Symbol.asyncIterator]().next();
  assertEquals(value.id, kept.id);
  assertEquals(server.stats.streams, 1);
});

Deno.test("what a peer wrote before it left can still be taken, up to the limit of streams", async () => {
  await using world = await World.start({ parameters: { maxStreams: 16 } });
  const { client, server } = await world.pair();
  for (let i = 0; i < 40; i++) {
    const stream = await client.open();
    await writeAll(stream, pattern(100, i)).catch(() => {});
    stream.close();
  }
  await client.ping();
  const accepted = server[Symbol.asyncIterator]();
  for (let i = 0; i < 16; i++) {
    const { value } = await accepted.next();
    assertEquals(await readToEnd(value), pattern(100, i));
  }
  const kept = await client.open();
  assertEquals((await accepted.next()).value.id, kept.id);
});

Deno.test("what arrived up to a FIN can be read however the session ends", async () => {
  for (const how of ["close", "break", "dispose"] as const) {
    await using world = await World.start();
    let raw: Connection | undefined;
    const { client, server } = await world.pair({
      dial: async () => raw = await world.connect(),
    });
    await writeAll(await client.open(), pattern(5_000));
    await client.ping();
    if (how === "break") raw!.close();
    else if (how === "close") await client.close();
    else await client[Symbol.asyncDispose]();
    await server.closed;
    const stream = await server.accept();
    assertEquals(await readToEnd(stream!), pattern(5_000));
    await assertRejects(() => stream!.write(new Uint8Array(1)), HtxError);
    assertEquals(await server.accept(), undefined);
  }
});

Deno.test("what was cut short never looks like an end", async () => {
  await using world = await World.start();
  const { client, server } = await world.pair();
  const stream = await client.open();
  await stream.write(pattern(5_000));
  const peer = (await server.accept())!;
  await peer.read(new Uint8Array(1_000));
  await client.close();
  await server.closed;
  await assertRejects(() => readToEnd(peer), HtxError, "closed");
});

Deno.test("reads and ends fail after our own close, and ends after a reset", async () => {
  await using world = await World.start();
  const { client, server } = await world.pair();
  const stream = await client.open();
  await stream.write(pattern(10));
  const peer = (await server.accept())!;
  await writeAll(peer, pattern(10));
  await client.ping();
  stream.close();
  await assertRejects(() => stream.read(new Uint8Array(1)), HtxError, "reset");
  await assertRejects(() => stream.closeWrite(), HtxError, "reset");
  await assertRejects(() => stream.write(pattern(1)), HtxError, "reset");
});

Deno.test("a stream can be closed and another opened at once, at the limit", async () => {
  await using world = await World.start({ parameters: { maxStreams: 16 } });
  const { client, server } = await world.pair();
  const streams = [];
  for (let i = 0; i < 16; i++) streams.push(await client.open());
  for (let i = 0; i < 200; i++) {
    streams.shift()!.close();
    streams.push(await client.open());
  }
  await client.ping();
  assertEquals(server.stats.streams, 16);
});

Deno.test("a wait that is cancelled takes no turn from the others", async () => {
  await using world = await World.start({ parameters: { maxStreams: 16 } });
  const { client, server } = await world.pair();
  const streams = [];
  for (let i = 0; i < 16; i++) streams.push(await client.open());
  const abort = new AbortController();
  const cancelled = client.open({ signal: abort.signal });
  const next = client.open();
  abort.abort(new Error("changed my mind"));
  streams[0]!.close();
  await assertRejects(() => cancelled, Error, "changed my mind");
  assertEquals((await next).id, 33);
  const asking = new AbortController();
  const accepting = (async () => {
    for (let i = 0; i < 16; i++) await server.accept();
    return await server.accept({ signal: asking.signal });
  })();
  await client.ping();
  asking.abort(new Error("no more"));
  await assertRejects(() => accepting, Error, "no more");
  streams[1]!.close();
  const last = await client.open();
  assertEquals((await server.accept())?.id, last.id);
  await assertRejects(
    () => client.ping({ signal: AbortSignal.abort(new Error("late")) }),
    Error,
    "late",
  );
});

Deno.test("Session and Stream refuse codes that do not fit", async () => {
  await using world = await World.start();
  const { client } = await world.pair();
  const stream = await client.open();
  for (const code of [-1, 65_536, 1.5]) {
    assertThrows(() => stream.reset(code), RangeError, "0..65535");
    await assertRejects(() => client.close({ code }), RangeError, "0..65535");
  }
  assert(client.isOpen);
});

Deno.test("Session.open() refuses a weight that is out of range", async () => {
  await using world = await World.start();
  const { client } = await world.pair();
  for (const weight of [0, 257, NaN]) {
    await assertRejects(() => client.open({ weight }), RangeError, "1..256");
  }
});

Deno.test("a reader that stops holds up only its own stream", async () => {
  await using world = await World.start();
  const { client, server } = await world.pair();
  const stalled = await client.open();
  const live = await client.open();
  const accepted = server[Symbol.asyncIterator]();
  await accepted.next();
  const { value: peer } = await accepted.next();
  let stuck = true;
  const writing = stalled.write(new Uint8Array(50_000_000)).then(
    () => stuck = false,
    () => {},
  );
  const [received] = await Promise.all([
    readToEnd(peer),
    writeAll(live, pattern(400_000)),
  ]);
  assert(equal(received, pattern(400_000)));
  assert(stuck);
  assert(server.stats.bytesIn < 400_000 + 16 * 65_535 + 1);
  stalled.close();
  await writing;
});

Deno.test("data in flight both ways survives rekeys over a connection", async () => {
  const rekey = { ...REKEY_LIMITS, frames: 8 };
  await using world = await World.start({ rekey });
  const { client, server } = await world.pair({ rekey });
  const stream = await client.open();
  const { value: peer } = await server[Symbol.asyncIterator]().next();
  const send = async (to: Connection, seed: number) => {
    for (let i = 0; i < 300; i++) await to.write(pattern(2_000, seed + i));
    await to.closeWrite();
  };
  const want = (seed: number) =>
    Uint8Array.from(
      Array.from({ length: 300 }, (_, i) => [...pattern(2_000, seed + i)])
        .flat(),
    );
  const [up, down] = await Promise.all([
    readToEnd(peer),
    readToEnd(stream),
    send(stream, 1),
    send(peer, 1_000),
  ]);
  assert(equal(up, want(1)) && equal(down, want(1_000)));
  assert(client.stats.rekeysOut >= 35 && server.stats.rekeysOut >= 35);
});
