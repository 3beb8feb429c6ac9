import { assert, assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { utf8 } from "../../src/core/bytes/mod.ts";
import type { Connection, Datagrams } from "../../src/core/transport/mod.ts";
import { overlay, World } from "./_world.ts";

const HELLO = utf8("hello");

Deno.test("both ends of a session send datagrams of up to 24 bytes less than the carrier's, sealed", async () => {
  const onWire: Uint8Array[] = [];
  await using world = await World.start();
  const { client, server } = await world.pair({
    dial: async () => tapped(await world.connect(), onWire),
  });
  const [ours, theirs] = [client.datagrams!, server.datagrams!];
  assertEquals(ours.maxSize, 1_176);
  await ours.send(HELLO);
  assertEquals(await theirs.receive(), HELLO);
  const largest = new Uint8Array(1_176).fill(1);
  await theirs.send(largest);
  assertEquals(await ours.receive(), largest);
  await assertRejects(() => ours.send(new Uint8Array(1_177)), RangeError);
  assertEquals(onWire.map(({ length }) => length), [29]);
  assert(!new TextDecoder("latin1").decode(onWire[0]).includes("hello"));
  assertEquals([ours.stats.sent, ours.stats.bytesOut], [1, 5]);
  assertEquals([ours.stats.received, ours.stats.bytesIn], [1, 1_176]);
});

Deno.test("a datagram that comes twice is given once, and counted", async () => {
  await using world = await World.start({}, { duplication: 1 });
  const { client, server } = await world.pair();
  for (const each of ["a", "b"]) await client.datagrams!.send(utf8(each));
  assertEquals(await server.datagrams!.receive(), utf8("a"));
  assertEquals(await server.datagrams!.receive(), utf8("b"));
  const waiting = server.datagrams!.receive();
  await client.ping();
  assertEquals(server.datagrams!.stats.faults.seen, 2);
  await client.close();
  assertEquals(await waiting, null);
});

Deno.test("a datagram that is not the peer's ends the session", async () => {
  await using world = await World.start();
  let raw: Datagrams | undefined;
  const { client, server } = await world.pair({
    dial: async () => {
      const connection = await world.connect();
      raw = connection.datagrams;
      return connection;
    },
  });
  const waiting = server.datagrams!.receive();
  await raw!.send(new Uint8Array(24));
  assertEquals(await waiting, null);
  assertEquals((await server.closed).error?.code, "unauthenticated");
  await client.closed;
});

Deno.test("after an hour under one key datagrams cross under the next", async () => {
  const clock = new VirtualClock(0);
  await using world = await World.start({
    shaping: { pings: false, idlePadding: false },
  }, { clock });
  const { client, server } = await world.pair({
    shaping: { pings: false, idlePadding: false },
  });
  for (let hour = 0; hour < 3; hour++) {
    await client.datagrams!.send(HELLO);
    assertEquals(await server.datagrams!.receive(), HELLO);
    clock.advance(3_600_000);
  }
  const closing = client.close();
  await clock.run(10_000);
  await closing;
});

Deno.test("once the session is over nothing is sent or received", async () => {
  await using world = await World.start();
  const { client, server } = await world.pair();
  const { datagrams } = client;
  const waiting = datagrams!.receive();
  const cancelled = assertRejects(() =>
    datagrams!.receive(AbortSignal.abort(new Error("enough")))
  );
  await cancelled;
  await Promise.all([client.close(), server.closed]);
  assertEquals(await waiting, null);
  assertEquals(await datagrams!.receive(), null);
  await datagrams!.send(HELLO);
  assertEquals(datagrams!.stats.sent, 0);
});

/** `connection`, whose datagrams that are sent are written down. */
function tapped(connection: Connection, sent: Uint8Array[]): Connection {
  const datagrams = connection.datagrams!;
  return overlay(connection, {
    datagrams: overlay(datagrams, {
      send: (message) => {
        sent.push(message);
        return datagrams.send(message);
      },
    }),
  });
}
