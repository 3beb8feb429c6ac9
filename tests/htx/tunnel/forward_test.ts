import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import { concat, utf8 } from "../../../src/core/bytes/mod.ts";
import {
  MemoryNetwork,
  TransportError,
} from "../../../src/core/transport/mod.ts";
import { HtxError } from "../../../src/htx/error.ts";
import { AllowList } from "../../../src/htx/tunnel/allow_list.ts";
import type { ForwarderOptions } from "../../../src/htx/tunnel/forward.ts";
import { openTarget, type StreamOpener } from "../../../src/htx/tunnel/open.ts";
import {
  encodeOpenReply,
  encodeOpenRequest,
  parseTarget,
} from "../../../src/htx/tunnel/target.ts";
import { until, World } from "../_world.ts";
import { readAll, readExactly, text } from "./_pair.ts";
import { echo, FakeSession, forwarderTo, origin } from "./_tunnel.ts";

/** A server's end with one session, and an echo at 10.0.0.1:7. */
async function server(options: Partial<ForwarderOptions> = {}) {
  const network = new MemoryNetwork();
  const target = await origin(network, "10.0.0.1:7", echo);
  const session = new FakeSession();
  const forwarder = forwarderTo(network, options);
  const stop = new AbortController();
  const served = forwarder.serve(session.streams, { signal: stop.signal });
  return {
    session,
    forwarder,
    stop,
    open: (text: string, early?: Uint8Array) =>
      openTarget(session, parseTarget(text)!, early && { early }),
    async [Symbol.asyncDispose]() {
      session.close();
      await served;
      await target[Symbol.asyncDispose]();
    },
  };
}

Deno.test("Forwarder connects a name, data sent before the reply included", async () => {
  await using s = await server();
  const stream = await s.open("a.example:7", utf8("early "));
  await stream.write(utf8("late"));
  await stream.closeWrite();
  assertEquals(text(await readAll(stream)), "early late");
  assertEquals(await stream.reply(), "granted");
  stream.close();
});

Deno.test("Forwarder reads a request that comes byte by byte", async () => {
  await using s = await server();
  const stream = await s.session.open();
  const request = encodeOpenRequest({ host: "10.0.0.1", port: 7 });
  for (const byte of concat(request, utf8("hi"))) {
    await stream.write(Uint8Array.of(byte));
  }
  const reply = encodeOpenReply("granted");
  assertEquals(await readExactly(stream, 4), concat(reply, utf8("hi")));
  await stream.closeWrite();
  assertEquals(await stream.read(new Uint8Array(1)), null);
});

Deno.test("Forwarder dials the address it checked, and no other", async () => {
  const dialled: string[] = [];
  let lookups = 0;
  await using s = await server({
    allow: new AllowList(["*:*"]),
    resolve: () => Promise.resolve([["8.8.8.8", "127.0.0.1"][lookups++]!]),
    dial: (address) => {
      dialled.push(address);
      return Promise.reject(new TransportError("unreachable", "Nobody"));
    },
  });
  assertEquals(
    await (await s.open("rebind.test:80")).reply(),
    "host_unreachable",
  );
  assertEquals(await (await s.open("rebind.test:80")).reply(), "not_allowed");
  assertEquals(await (await s.open("127.0.0.1:80")).reply(), "not_allowed");
  assertEquals(
    await (await s.open("[2606:2800::1]:80")).reply(),
    "host_unreachable",
  );
  assertEquals(dialled, ["tcp://8.8.8.8:80", "tcp://[2606:2800::1]:80"]);
});

Deno.test("Forwarder does not even look up a name that no rule could admit", async () => {
  let lookups = 0;
  await using s = await server({
    allow: new AllowList(["a.example:443"]),
    resolve: () => Promise.resolve([`10.0.0.${++lookups}`]),
  });
  assertEquals(await (await s.open("b.example:443")).reply(), "not_allowed");
  assertEquals(await (await s.open("a.example:80")).reply(), "not_allowed");
  assertEquals(lookups, 0);
});

Deno.test("Forwarder tries the next address if one fails", async () => {
  await using s = await server({
    resolve: () => Promise.resolve(["10.0.0.9", "10.0.0.1"]),
  });
  const stream = await s.open("two.example:7");
  assertEquals(await stream.reply(), "granted");
  stream.close();
});

Deno.test("Forwarder answers why it could not connect and counts it", async () => {
  const failure = (cause: Error) =>
    new TransportError("unreachable", "Cannot reach it", { cause });
  const failures: Record<string, Error> = {
    "tcp://10.0.0.1:1": failure(new Deno.errors.ConnectionRefused()),
    "tcp://10.0.0.1:2": failure(new Deno.errors.NetworkUnreachable()),
    "tcp://10.0.0.1:3": failure(new Deno.errors.TimedOut()),
    "tcp://10.0.0.1:4": new TransportError("unreachable", "Cannot reach it"),
  };
  await using s = await server({
    dial: (address) => Promise.reject(failures[address]),
  });
  const replies = [];
  for (
    const target of [
      "10.0.0.1:1",
      "10.0.0.1:2",
      "10.0.0.1:3",
      "10.0.0.1:4",
      "no.such.name:5",
      "192.168.0.1:6",
    ]
  ) {
    replies.push(await (await s.open(target)).reply());
  }
  assertEquals(replies, [
    "refused",
    "network_unreachable",
    "timeout",
    "host_unreachable",
    "host_unreachable",
    "not_allowed",
  ]);
  const { refused, accepted } = s.forwarder.stats();
  assertEquals(accepted, 6);
  assertEquals(refused, {
    slow: 0,
    ended: 0,
    malformed: 0,
    failed: 0,
    not_allowed: 1,
    network_unreachable: 1,
    host_unreachable: 2,
    refused: 1,
    timeout: 1,
    limit: 0,
  });
});

Deno.test("TargetStream reads fail with the refusal", async () => {
  await using s = await server();
  const stream = await s.open("192.168.0.1:7");
  const error = await assertRejects(
    () => stream.read(new Uint8Array(1)),
    HtxError,
    "not_allowed",
  );
  assertEquals(error.code, "refused");
  assertEquals(stream.refusal, "not_allowed");
});

Deno.test("Forwarder gives up a connection and a lookup that take too long", async () => {
  const clock = new VirtualClock();
  const forever = (signal?: AbortSignal) =>
    new Promise<never>((_, reject) =>
      signal?.addEventListener("abort", () => reject(signal.reason))
    );
  await using s = await server({
    clock,
    connectTimeoutMs: 5000,
    dial: (_, options) => forever(options?.signal),
    resolve: (name) =>
      name === "slow.example"
        ? forever()
        : Promise.resolve(["10.0.0.1", "10.0.0.2"]),
  });
  const replies = Promise.all(
    ["slow.example:1", "dead.example:1", "10.0.0.1:1"].map(async (target) =>
      (await s.open(target)).reply()
    ),
  );
  await clock.run(5000);
  assertEquals(await replies, ["timeout", "timeout", "timeout"]);
  assertEquals(s.forwarder.stats().refused.timeout, 3);
  await clock.run(2000); // the last words
});

Deno.test("Forwarder cuts a stream that trickles its request, at the deadline", async () => {
  const clock = new VirtualClock();
  await using s = await server({ clock, requestTimeoutMs: 1000 });
  const stream = await s.session.open();
  for (let i = 0; i < 4; i++) {
    await stream.write(Uint8Array.of([1, 3, 100, 97][i]!));
    await clock.run(249);
  }
  assertEquals(s.forwarder.stats().active, 1);
  await clock.run(4);
  assertEquals(s.forwarder.stats().active, 0);
  assertEquals(s.forwarder.stats().refused.slow, 1);
  await assertRejects(() => stream.read(new Uint8Array(1)));
});

Deno.test("Forwarder cuts a stream that does not take the reply", async () => {
  const clock = new VirtualClock();
  await using s = await server({ clock });
  const stream = await s.session.openWith(1);
  await stream.write(encodeOpenRequest({ host: "10.0.0.1", port: 7 }));
  await clock.run(9999);
  assertEquals(s.forwarder.stats().active, 1);
  await clock.run(1);
  assertEquals(s.forwarder.stats().active, 0);
  assertEquals(s.forwarder.stats().refused.ended, 1);
});

Deno.test("Forwarder drops malformed requests and streams that end early without an answer", async () => {
  await using s = await server();
  const malformed = await s.session.open();
  await malformed.write(utf8("GET / HTTP/1.1\r\n\r\n"));
  await assertRejects(() => malformed.read(new Uint8Array(1)));
  const early = await s.session.open();
  await early.write(Uint8Array.of(1, 1));
  await early.closeWrite();
  await assertRejects(() => early.read(new Uint8Array(1)));
  const { refused } = s.forwarder.stats();
  assertEquals([refused.malformed, refused.ended], [1, 1]);
});

Deno.test("Forwarder answers beyond its limit, over all sessions, and recovers", async () => {
  await using s = await server({ maxConnections: 2 });
  const held = [await s.open("10.0.0.1:7"), await s.open("10.0.0.1:7")];
  for (const stream of held) assertEquals(await stream.reply(), "granted");
  const other = new FakeSession();
  const served = s.forwarder.serve(other.streams);
  const refused = await openTarget(other, { host: "10.0.0.1", port: 7 });
  assertEquals(await refused.reply(), "limit");
  for (const stream of held) {
    await stream.closeWrite();
    assertEquals(await readAll(stream), new Uint8Array());
  }
  const again = await openTarget(other, { host: "10.0.0.1", port: 7 });
  assertEquals(await again.reply(), "granted");
  again.close();
  other.close();
  await served;
  assertEquals(s.forwarder.stats().refused.limit, 1);
  assertEquals(s.forwarder.stats().active, 0);
});

Deno.test("Forwarder gives up a lookup and a connection whose client has left", async () => {
  await using world = await World.start();
  const { client, server } = await world.pair();
  const aborted: string[] = [];
  const untilAborted = (what: string, signal: AbortSignal) =>
    new Promise<never>((_, reject) =>
      signal.addEventListener("abort", () => {
        aborted.push(what);
        reject(signal.reason);
      })
    );
  let begun = 0;
  const forwarder = forwarderTo(world.network, {
    maxConnections: 2,
    resolve: (name, { signal }) => {
      begun++;
      return name === "slow.example"
        ? untilAborted("lookup", signal)
        : Promise.resolve(["10.0.0.1", "10.0.0.2"]);
    },
    dial: (_, options) => untilAborted("dial", options!.signal!),
  });
  const served = forwarder.serve(server);
  for (let round = 1; round <= 5; round++) {
    const hosts = ["slow.example", "dead.example"];
    const streams = await Promise.all(
      hosts.map((host) => openTarget(client, { host, port: 7 })),
    );
    await until(() => begun === 2 * round);
    assertEquals(forwarder.stats().active, 2);
    for (const stream of streams) stream.close();
    await until(() => forwarder.stats().active === 0);
  }
  assertEquals(aborted.sort(), [
    ...Array(5).fill("dial"),
    ...Array(5).fill("lookup"),
  ]);
  const { refused } = forwarder.stats();
  assertEquals([refused.ended, refused.limit, refused.failed], [10, 0, 0]);
  await client.close();
  await served;
});

Deno.test("Forwarder leaves places to other sessions when one takes too many", async () => {
  await using world = await World.start();
  const target = await origin(world.network, "10.0.0.1:7", echo);
  const { client, server } = await world.pair();
  const limits = { maxConnections: 100, maxPerSession: 2 };
  const forwarder = forwarderTo(world.network, limits);
  const served = [forwarder.serve(server)];
  const open = (opener: StreamOpener) =>
    openTarget(opener, { host: "10.0.0.1", port: 7 });
  const held = [await open(client), await open(client)];
  for (const stream of held) assertEquals(await stream.reply(), "granted");
  const refused = [await open(client), await open(client)];
  await assertRejects(() => open(client).then((stream) => stream.reply()));
  for (const stream of refused) assertEquals(await stream.reply(), "limit");
  assertEquals(forwarder.stats().refused.limit, 2);

  const other = await world.pair();
  served.push(forwarder.serve(other.server));
  assertEquals(await (await open(other.client)).reply(), "granted");
  for (const stream of [...held, ...refused]) stream.close();
  await until(() => forwarder.stats().active === 1);
  assertEquals(await (await open(client)).reply(), "granted");
  for (const session of [client, other.client]) await session.close();
  await Promise.all(served);
  await target[Symbol.asyncDispose]();
});

Deno.test("Forwarder refuses limits that are no positive integers", () => {
  for (const limit of [0, -1, 1.5, NaN]) {
    for (const name of ["maxConnections", "maxPerSession"]) {
      const make = () => forwarderTo(new MemoryNetwork(), { [name]: limit });
      assertThrows(make, RangeError);
    }
  }
});

Deno.test("Forwarder cuts what it holds when the signal fires", async () => {
  await using s = await server();
  const stream = await s.open("10.0.0.1:7", utf8("x"));
  await readExactly(stream, 1);
  s.stop.abort();
  await assertRejects(() => stream.read(new Uint8Array(1)));
  s.session.close();
});
