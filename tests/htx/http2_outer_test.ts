import { assert, assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { concat } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { createLogger } from "../../src/core/log/mod.ts";
import {
  type Connection,
  MemoryNetwork,
  TransportError,
} from "../../src/core/transport/mod.ts";
import {
  decodeFrame,
  encodeFrame,
  type Frame,
  FRAME_HEADER_LENGTH,
  FRAME_TYPE,
  type HeaderField,
  Http2Connection,
  PREFACE_LENGTH,
} from "../../src/http2/mod.ts";
import { type Carrier, CARRIERS } from "../../src/htx/carrier.ts";
import { HtxError } from "../../src/htx/error.ts";
import { Http2Opening, http2Outer } from "../../src/htx/http2_outer.ts";
import { drawsPriority } from "../../src/htx/shaping.ts";
import { makeTicket } from "../../src/htx/ticket.ts";
import { profileOf } from "../../src/utls/mod.ts";
import { readAll } from "./_prober.ts";
import { agreeingOnHttp2, overlay, World } from "./_world.ts";

const profile = profileOf("latest");
const GREETING = {
  settings: [[3, 128], [4, 65_536], [5, 16_777_215]],
  windowUpdate: 2_147_418_112,
} as const;

Deno.test("a session runs over HTTP/2, whichever carrier the ticket takes", async () => {
  for (const carrier of CARRIERS) {
    for (const options of [{}, { http2Greeting: GREETING }]) {
      await using world = await World.start(
        options,
        {},
        undefined,
        agreeingOnHttp2,
      );
      const { client, server } = await world.pair({
        outer: http2Outer({ profile, clock: world.clock }),
        offer: only(world, carrier),
      });
      const stream = await client.open();
      await stream.write(new TextEncoder().encode("up"));
      for await (const arrived of server) {
        assertEquals(await text(arrived), "up");
        await arrived.write(new TextEncoder().encode("down"));
        break;
      }
      assertEquals(await text(stream), "down");
      await client.close();
      assertEquals(world.server.counts.established, 1);
    }
  }
});

Deno.test("a session moves megabytes both ways over HTTP/2", async () => {
  await using world = await World.start({}, {}, undefined, agreeingOnHttp2);
  const { client, server } = await world.pair({
    outer: http2Outer({ profile, clock: world.clock }),
  });
  const bytes = nodeProvider.random(65_536);
  const digest = async (
    stream: { readable: ReadableStream<Uint8Array> },
  ): Promise<[number, boolean]> => {
    let length = 0;
    let same = true;
    for await (const part of stream.readable) {
      for (let i = 0; i < part.length; i++) {
        same &&= part[i] === bytes[length + i & 0xffff];
      }
      length += part.length;
    }
    return [length, same];
  };
  const pour = async (stream: {
    write(bytes: Uint8Array): Promise<void>;
    closeWrite(): Promise<void>;
  }) => {
    for (let i = 0; i < 64; i++) await stream.write(bytes);
    await stream.closeWrite();
  };
  const up = await client.open();
  const accepted = (async () => {
    for await (const stream of server) return stream;
  })();
  const sending = pour(up);
  const down = (await accepted)!;
  const [a, b] = await Promise.all([
    digest(up),
    digest(down),
    sending,
    pour(down),
  ]);
  assertEquals([a, b], [[4_194_304, true], [4_194_304, true]]);
  await client.close();
});

Deno.test("whoever has no ticket gets the origin over HTTP/2, unread and unchanged", async () => {
  await using world = await World.start({}, {}, undefined, agreeingOnHttp2);
  const good = opening(world, world.offer);
  const stale = { ...world.offer, keyId: new Uint8Array(8) };
  for (
    const bytes of [
      opening(world, stale),
      good.with(30, 0xff),
      concat(good.subarray(0, 60), new Uint8Array(200)),
      new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"),
    ]
  ) {
    await using connection = await world.connect();
    await connection.write(bytes);
    await connection.closeWrite();
    const answer = await readAll(connection);
    assert(new TextDecoder().decode(answer).startsWith("HTTP/1.1 404"));
    assertEquals(await world.lastAtOrigin(), bytes);
  }
});

Deno.test("a replayed opening gets the origin", async () => {
  await using world = await World.start({}, {}, undefined, agreeingOnHttp2);
  const bytes = opening(world, world.offer);
  for (const admitted of [true, false]) {
    await using connection = await world.connect();
    await connection.write(bytes);
    const buffer = new Uint8Array(4_096);
    await connection.read(buffer);
    const isHttp2 = buffer[3] === FRAME_TYPE.settings;
    assertEquals(isHttp2, admitted);
    connection.close();
  }
  assertEquals(world.gate.counts.replayed, 1);
});

Deno.test("http2Outer() says `refused` if the answer is not a session", async () => {
  await using world = await World.start({}, {}, undefined, agreeingOnHttp2);
  const error = await assertRejects(() =>
    world.dial({
      outer: http2Outer({ profile, clock: world.clock }),
      dial: () => answering([[":status", "404"]]),
    })
  );
  assert(error instanceof HtxError && error.code === "refused");
});

Deno.test("a server that takes no request breaks a dial that waits to start", async () => {
  for (const settings of [[], [[3, 0]]] as const) {
    await using world = await World.start();
    const network = new MemoryNetwork();
    const listener = await network.transport("s").listen("memory://s");
    const { promise: start, resolve } = Promise.withResolvers<void>();
    const dialling = assertRejects(
      () =>
        world.dial({
          outer: http2Outer({ profile }),
          start,
          dial: () => network.transport("c").dial("memory://s"),
        }),
      TransportError,
      "Server takes no request",
    );
    for await (const connection of listener) {
      const http2 = new Http2Connection({ role: "server", settings });
      if (settings.length === 0) http2.goAway();
      await connection.write(http2.takeOutgoing()!);
      const buffer = new Uint8Array(1_024);
      const length = await connection.read(buffer);
      assert(framesOf(buffer.subarray(PREFACE_LENGTH, length!)).length > 1);
      await connection.read(buffer); // its acknowledgement
      resolve();
      assertEquals((await dialling).code, "reset");
      connection.close();
      listener.close();
    }
  }
});

Deno.test("a visitor who leaves with the ticket is no fault of the server", async () => {
  const logged: string[] = [];
  const log = createLogger({ sink: ({ event }) => logged.push(event) });
  for (const resets of [true, false]) {
    await using world = await World.start(
      { log },
      {},
      undefined,
      agreeingOnHttp2,
    );
    const reset = encodeFrame({
      type: FRAME_TYPE.rstStream,
      flags: 0,
      streamId: 1,
      payload: new Uint8Array(4),
    });
    await using connection = await world.connect();
    await connection.write(concat(
      opening(world, only(world, "cookie")),
      resets ? reset : new Uint8Array(9).fill(0xff),
    ));
    await readAll(connection);
    assertEquals(world.gate.counts.admitted, 1);
  }
  assert(!logged.includes("htx.connection_fault"), logged.join());
  assertEquals(
    logged.filter((event) => event === "htx.handshake_failed").length,
    2,
  );
});

Deno.test("http2Greeting is said before the visitor says anything", async () => {
  const options = { http2Greeting: GREETING };
  await using world = await World.start(
    options,
    {},
    undefined,
    agreeingOnHttp2,
  );
  await using connection = await world.connect();
  const buffer = new Uint8Array(256);
  const length = await connection.read(buffer);
  const [settings, update] = framesOf(buffer.subarray(0, length!));
  assertEquals([...settings!.payload.subarray(0, 6)], [0, 3, 0, 0, 0, 128]);
  assertEquals([...update!.payload], [0x7f, 0xff, 0, 0]);
});

Deno.test("PING and SETTINGS are acknowledged before there is a request, if there is a greeting", async () => {
  for (const http2Greeting of [GREETING, undefined]) {
    await using world = await World.start(
      { ...(http2Greeting && { http2Greeting }), requestTimeoutMs: 50 },
      {},
      undefined,
      agreeingOnHttp2,
    );
    await using connection = await world.connect();
    const client = new Http2Connection({ role: "client" });
    client.ping(new Uint8Array(8));
    await connection.write(client.takeOutgoing()!);
    const buffer = new Uint8Array(1_024);
    let length = 0;
    const enough = http2Greeting ? 27 + 13 + 9 + 17 : 1;
    while (length < enough) {
      length += (await connection.read(buffer.subarray(length)))!;
    }
    const isHttp2 = buffer[3] === FRAME_TYPE.settings;
    assertEquals(isHttp2, http2Greeting !== undefined);
    if (!isHttp2) continue; // the decoy's answer
    const { settings, windowUpdate, ping } = FRAME_TYPE;
    const types = framesOf(buffer.subarray(0, length)).map(({ type }) => type);
    assertEquals(types, [settings, windowUpdate, settings, ping]);
  }
});

Deno.test("a visitor who takes no bytes is closed after the time for a request", async () => {
  const clock = new VirtualClock();
  const stuck = { write: () => new Promise<void>(() => {}) };
  await using world = await World.start(
    { http2Greeting: GREETING },
    { clock },
    undefined,
    (listener) =>
      overlay(agreeingOnHttp2(listener), {
        async *[Symbol.asyncIterator]() {
          for await (const each of agreeingOnHttp2(listener)) {
            yield overlay(each, stuck);
          }
        },
      }),
  );
  await using connection = await world.connect();
  const reading = readAll(connection);
  await clock.run(11_000);
  assertEquals(await reading, new Uint8Array(0));
  assertEquals(world.server.counts.incomplete, 1);
});

Deno.test("http2Outer() sends what the profile's browser does, and PINGs at random times", async () => {
  const clock = new VirtualClock();
  const seen: Uint8Array[] = [];
  const connection = await answering(
    [[":status", "200"], ["content-type", "application/octet-stream"]],
    seen,
  );
  await using world = await World.start(
    {},
    { clock },
    undefined,
    agreeingOnHttp2,
  );
  const { offer } = world;
  const ticket = makeTicket(nodeProvider, {
    ticketPublicKey: offer.publicKey,
    keyId: offer.keyId,
    wallTimeMs: 0,
  });
  const admission = await http2Outer({ profile, clock })(connection, {
    address: "tls://example.org:443",
    host: "example.org:443",
    path: "/",
    offer: only(world, "cookie"),
    ticket,
  }, nodeProvider);
  await clock.run(3_600_000);
  const frames = framesOf(concat(...seen).subarray(PREFACE_LENGTH));
  const { settings, windowUpdate, headers, ping } = FRAME_TYPE;
  assertEquals(frames.slice(0, 3).map(({ type }) => type), [
    settings,
    windowUpdate,
    headers,
  ]);
  assertEquals(
    frames.filter(({ type }) => type === headers).map((f) => [
      f.streamId,
      f.flags & 1,
    ]),
    [[1, 1], [3, 0]],
  );
  const pings = frames.filter(({ type }) => type === ping).length;
  assert(pings > 3_600 / 66 && pings < 3_600 / 9, `${pings} PINGs`);
  admission.connection.close();
  await admission.connection.closed;
});

Deno.test("drawsPriority() is so for 0.5 to 3 % of connections", () => {
  let drawn = 0;
  for (let i = 0; i < 40_000; i++) drawn += Number(drawsPriority(nodeProvider));
  assert(drawn > 580 && drawn < 820, `${drawn} of 40,000`); // 700 ± 26
});

/** The bytes with which a client that has `offer` begins. */
function opening(world: World, offer: World["offer"]): Uint8Array {
  const ticket = makeTicket(nodeProvider, {
    ticketPublicKey: offer.publicKey,
    keyId: offer.keyId,
    wallTimeMs: world.clock.wallTime(),
  });
  const { records } = new Http2Opening({ profile }, {
    address: "tls://example.org:443",
    host: "example.org",
    path: "/",
    offer,
    ticket,
  }, nodeProvider);
  return concat(...records);
}

/** The world's offer, for one carrier only. */
function only(world: World, carrier: Carrier): World["offer"] {
  const odds = { cookie: 0, query: 0, body: 0, [carrier]: 10_000 };
  return { ...world.offer, policy: { ...world.offer.policy, odds } };
}

/** A connection to a server that answers the first request with `fields` and goes on reading; `seen` gets what it read. */
async function answering(
  fields: readonly HeaderField[],
  seen: Uint8Array[] = [],
): Promise<Connection> {
  const network = new MemoryNetwork();
  const listener = await network.transport("s").listen("memory://s");
  const serve = async (connection: Connection) => {
    const http2 = new Http2Connection({ role: "server" });
    const buffer = new Uint8Array(16_384);
    for (;;) {
      const length = await connection.read(buffer);
      if (length === null) return connection.close();
      seen.push(buffer.slice(0, length));
      for (const event of http2.receive(buffer.subarray(0, length), 0)) {
        if (event.type === "headers" && event.streamId === 1) {
          http2.respond(1, fields);
        }
      }
      const bytes = http2.takeOutgoing();
      if (bytes) await connection.write(bytes);
    }
  };
  const accept = async () => {
    for await (const connection of listener) {
      listener.close();
      await serve(connection).catch(() => connection.close());
    }
  };
  void accept();
  return await network.transport("c").dial("memory://s");
}

function framesOf(bytes: Uint8Array): Frame[] {
  const frames: Frame[] = [];
  for (let left = bytes;;) {
    const frame = decodeFrame(left);
    if (!frame) return frames;
    frames.push(frame);
    left = left.subarray(FRAME_HEADER_LENGTH + frame.payload.length);
  }
}

async function text(
  stream: { read(buffer: Uint8Array): Promise<number | null> },
): Promise<string> {
  const buffer = new Uint8Array(64);
  const length = await stream.read(buffer);
  return new TextDecoder().decode(buffer.subarray(0, length ?? 0));
}
