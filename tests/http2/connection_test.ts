import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat } from "../../src/core/bytes/mod.ts";
import {
  FLAG,
  FRAME_TYPE,
  type HeaderField,
  Http2Connection,
  Http2Error,
  SETTING,
} from "../../src/http2/mod.ts";
import {
  block,
  exchange,
  frame,
  framesOf,
  GET,
  greetedClient,
  greetedServer,
} from "./_peer.ts";

const OK: HeaderField[] = [[":status", "200"]];

function pair(
  client: ConstructorParameters<typeof Http2Connection>[0]["settings"] = [],
  server: typeof client = [],
) {
  const ends = {
    client: new Http2Connection({ role: "client", settings: client }),
    server: new Http2Connection({ role: "server", settings: server }),
  };
  exchange(ends.client, ends.server);
  return ends;
}

Deno.test("two connections exchange a request, an answer and trailers", () => {
  const { client, server } = pair();
  const id = client.request([...GET.slice(1), [":method", "POST"]]);
  assertEquals(client.send(id, Uint8Array.of(1, 2, 3)), 3);
  assertEquals(client.send(id, new Uint8Array(0), { endStream: true }), 0);
  const asked = exchange(client, server).b;
  assertEquals(asked.map(({ type }) => type), ["headers", "data", "data"]);
  server.respond(id, [[":status", "103"]]);
  server.respond(id, OK);
  assertEquals(server.send(id, Uint8Array.of(4), { endStream: true }), 1);
  const answered = exchange(client, server).a;
  assertEquals(answered, [
    {
      type: "headers",
      streamId: 1,
      fields: [[":status", "103"]],
      endStream: false,
    },
    { type: "headers", streamId: 1, fields: OK, endStream: false },
    { type: "data", streamId: 1, data: Uint8Array.of(4), endStream: true },
  ]);
  assertEquals([client.openStreams, server.openStreams], [0, 0]);
  assertEquals(client.request(GET), 3);
});

Deno.test("peerGreeting is the peer's first SETTINGS, and what it adds to the connection's window", () => {
  const client = new Http2Connection({ role: "client" });
  const settings = [[4, 65_536], [0x7a7a, 9], [3, 128]] as const;
  const server = new Http2Connection({
    role: "server",
    settings,
    windowIncrement: 1_000,
  });
  assertEquals(client.peerGreeting, undefined);
  exchange(client, server);
  assertEquals(client.peerGreeting, { settings, windowUpdate: 1_000 });
  client.receive(frame("settings", 0, [0, 3, 0, 0, 0, 1]), 0);
  client.receive(frame("windowUpdate", 0, [0, 0, 0, 5]), 0);
  assertEquals(client.peerGreeting, { settings, windowUpdate: 1_005 });
});

Deno.test("Http2Connection takes bytes one by one", () => {
  const client = new Http2Connection({ role: "client" });
  client.request(GET, { endStream: true });
  const server = new Http2Connection({ role: "server" });
  const events = [...client.takeOutgoing()!].flatMap((byte) =>
    server.receive(Uint8Array.of(byte), 0)
  );
  assertEquals(events.map(({ type }) => type), ["settings", "headers"]);
});

Deno.test("Http2Connection sends its settings in order and obeys the peer's", () => {
  const settings = [[0x1234, 5], [SETTING.maxFrameSize, 20_000]] as const;
  const { client, server } = pair([], settings);
  const id = client.request(GET);
  client.send(id, new Uint8Array(30_000));
  const lengths = framesOf(client.takeOutgoing()).map((f) => f.payload.length);
  assertEquals(lengths.slice(1), [20_000, 10_000]);
  const first = framesOf(
    new Http2Connection({ role: "server", settings }).takeOutgoing(),
  );
  assertEquals([...first[0]!.payload], [
    ...[0x12, 0x34, 0, 0, 0, 5],
    ...[0, 5, 0, 0, 0x4e, 0x20],
  ]);
  assertEquals(server.openStreams, 0);
});

Deno.test("Http2Connection refuses settings and windows out of range", () => {
  const make = (options: Partial<{ id: number; increment: number }>) => () =>
    new Http2Connection({
      role: "client",
      settings: [[options.id ?? 9, 2 ** 31]],
      windowIncrement: options.increment ?? 0,
    });
  assertThrows(make({ id: SETTING.initialWindowSize }), RangeError);
  assertThrows(make({ increment: 2 ** 31 }), RangeError);
  assertThrows(make({ increment: -1 }), RangeError);
});

Deno.test("a header block beyond the frame limit goes on in CONTINUATION", () => {
  const { client, server } = pair();
  const long: HeaderField = ["x", "\u00ff".repeat(40_000)];
  client.request([...GET, long]);
  const bytes = client.takeOutgoing()!;
  const { headers, continuation } = FRAME_TYPE;
  assertEquals(framesOf(bytes).map(({ type }) => type), [
    headers,
    continuation,
    continuation,
  ]);
  const [event] = server.receive(bytes, 0);
  assert(event?.type === "headers");
  assertEquals(event.fields.at(-1), long);
});

Deno.test("a sender stops at the window of the stream, and of the connection", () => {
  const { client, server } = pair([], [[SETTING.initialWindowSize, 10]]);
  const id = client.request(GET);
  assertEquals(client.send(id, new Uint8Array(25)), 10);
  assertEquals(client.send(id, new Uint8Array(15), { endStream: true }), 0);
  exchange(client, server);
  server.consume(id, 10);
  exchange(client, server);
  assertEquals(client.send(id, new Uint8Array(15)), 10);

  const wide = pair([], [[SETTING.initialWindowSize, 1_000_000]]);
  const other = wide.client.request(GET);
  assertEquals(wide.client.send(other, new Uint8Array(100_000)), 65_535);
});

Deno.test("windowIncrement widens the connection's window", () => {
  const client = new Http2Connection({ role: "client" });
  const server = new Http2Connection({
    role: "server",
    settings: [[SETTING.initialWindowSize, 1_000_000]],
    windowIncrement: 100_000,
  });
  exchange(client, server);
  const id = client.request(GET);
  assertEquals(client.send(id, new Uint8Array(200_000)), 165_535);
  const { b } = exchange(client, server);
  assertEquals(b.filter(({ type }) => type === "failed"), []);
});

Deno.test("windows are granted again once half of them is consumed", () => {
  const server = greetedServer();
  server.receive(frame("headers", 1, block(GET), FLAG.endHeaders), 0);
  server.receive(frame("data", 1, new Uint8Array(16_384)), 0);
  server.receive(frame("data", 1, new Uint8Array(16_384)), 0);
  server.consume(1, 32_767);
  assertEquals(server.takeOutgoing(), undefined);
  server.consume(1, 1);
  const updates = framesOf(server.takeOutgoing());
  assertEquals(updates.map(({ streamId }) => streamId), [0, 1]);
  assertEquals([...updates[0]!.payload], [0, 0, 0x80, 0]);
});

Deno.test("widen() grants what a window lacks, of the stream and of the connection", () => {
  const server = greetedServer();
  server.receive(frame("headers", 1, block(GET), FLAG.endHeaders), 0);
  server.widen(1, 65_535);
  assertEquals(server.takeOutgoing(), undefined);
  server.widen(1, 65_540);
  const updates = framesOf(server.takeOutgoing());
  assertEquals(updates.map(({ streamId }) => streamId), [0, 1]);
  for (const { payload } of updates) assertEquals([...payload], [0, 0, 0, 5]);
  const sizes = [16_384, 16_384, 16_384, 16_384, 4];
  for (const size of sizes) {
    const [event] = server.receive(frame("data", 1, new Uint8Array(size)), 0);
    assertEquals(event?.type, "data");
  }
  const [event] = server.receive(frame("data", 1, [1]), 0);
  assertEquals(event?.type, "failed");
});

Deno.test("frames are read however they are cut", () => {
  const bytes = concat(
    frame("headers", 1, block(GET), FLAG.endHeaders),
    frame("data", 1, new Uint8Array(300).fill(1)),
    frame("data", 1, []),
    frame("data", 1, new Uint8Array(200).fill(2), FLAG.endStream),
  );
  for (const size of [1, 8, 9, 10, 100, 309, 310, 1_000]) {
    const server = greetedServer();
    const lengths: number[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      for (const event of server.receive(bytes.slice(at, at + size), 0)) {
        if (event.type === "data") lengths.push(event.data.length);
        if (event.type === "data" && event.endStream) lengths.push(-1);
      }
    }
    assertEquals(lengths, [300, 0, 200, -1]);
  }
});

Deno.test("a long frame of an unknown type is skipped as it comes", () => {
  const settings = [[SETTING.maxFrameSize, 16_777_215]] as const;
  const server = greetedServer({ settings });
  const ping = frame("ping", 0, new Uint8Array(8));
  const bytes = concat(frame(0xfe, 7, new Uint8Array(16_777_215)), ping, ping);
  const startMs = performance.now();
  for (let at = 0; at < bytes.length; at += 4_096) {
    assertEquals(server.receive(bytes.subarray(at, at + 4_096), 0), []);
  }
  const passedMs = performance.now() - startMs;
  assert(passedMs < 5_000, `${passedMs} ms`); // a fiftieth of it, unless each of 4,096 reads copies what came before
  const types = framesOf(server.takeOutgoing()).map(({ type }) => type);
  assertEquals(types, [FRAME_TYPE.ping, FRAME_TYPE.ping]);
});

Deno.test("a frame of a known type has at most 65,536 bytes, whatever our settings say", () => {
  const settings = [[SETTING.maxFrameSize, 16_777_215]] as const;
  const windowIncrement = 1_000_000;
  for (const length of [65_535, 65_537]) {
    const server = greetedServer({ settings, windowIncrement });
    const opened = frame("headers", 1, block(GET), FLAG.endHeaders);
    const data = frame("data", 1, new Uint8Array(length));
    const [, event] = server.receive(concat(opened, data.subarray(0, 9)), 0);
    if (length < 65_536) {
      assertEquals(event, undefined);
      assertEquals(server.receive(data.subarray(9), 0)[0]?.type, "data");
    } else {
      assert(event?.type === "failed");
      assertEquals(event.error.code, "frameSizeError");
    }
  }
});

Deno.test("padding and content of streams that were reset are granted again by themselves", () => {
  const server = greetedServer();
  server.receive(frame("headers", 1, block(GET), FLAG.endHeaders), 0);
  server.reset(1);
  const padded = concat(Uint8Array.of(255), new Uint8Array(16_383));
  for (let i = 0; i < 3; i++) {
    assertEquals(server.receive(frame("data", 1, padded, FLAG.padded), 0), []);
  }
  const [reset, update] = framesOf(server.takeOutgoing());
  assertEquals(reset?.type, FRAME_TYPE.rstStream);
  assertEquals(update?.type, FRAME_TYPE.windowUpdate);
  assertEquals(update?.streamId, 0);
});

Deno.test("a data event lacks the padding", () => {
  const server = greetedServer();
  server.receive(frame("headers", 1, block(GET), FLAG.endHeaders), 0);
  const [event] = server.receive(
    frame("data", 1, [2, 7, 8, 9, 0, 0], FLAG.padded | FLAG.endStream),
    0,
  );
  assert(event?.type === "data");
  assertEquals([...event.data], [7, 8, 9]);
});

Deno.test("a smaller INITIAL_WINDOW_SIZE makes a window negative", () => {
  const client = greetedClient();
  assertEquals(client.send(1, new Uint8Array(60_000)), 60_000);
  client.receive(frame("settings", 0, [0, 4, 0, 0, 0x75, 0x30]), 0);
  assertEquals(client.send(1, new Uint8Array(10)), 0);
  client.receive(frame("windowUpdate", 1, [0, 0, 0x75, 0x31]), 0);
  assertEquals(client.send(1, new Uint8Array(10)), 1);
});

Deno.test("our INITIAL_WINDOW_SIZE binds the peer once it has acknowledged", () => {
  const settings = [[SETTING.initialWindowSize, 100]] as const;
  const server = new Http2Connection({ role: "server", settings });
  const client = new Http2Connection({ role: "client" });
  client.request(GET);
  client.send(1, new Uint8Array(60_000));
  const events = server.receive(client.takeOutgoing()!, 0);
  assertEquals(events.some(({ type }) => type === "failed"), false);
  server.receive(frame("settings", 0, [], FLAG.ack), 0);
  const [event] = server.receive(frame("data", 1, [1]), 0);
  assertEquals(event?.type, "reset");
});

Deno.test("PING is answered, and an answer to ours told", () => {
  const { client, server } = pair();
  const data = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  client.ping(data);
  assertEquals(exchange(client, server).a, [{ type: "pong", data }]);
  assertThrows(() => client.ping(new Uint8Array(7)), RangeError);
});

Deno.test("GOAWAY of a server resets the streams it has not dealt with", () => {
  const client = greetedClient();
  client.request(GET);
  const events = client.receive(
    frame("goAway", 0, [0, 0, 0, 1, 0, 0, 0, 0]),
    0,
  );
  assertEquals(events, [
    { type: "goAway", lastStreamId: 1, code: "noError" },
    { type: "reset", streamId: 3, code: "refusedStream" },
  ]);
  assertThrows(() => client.request(GET), Http2Error, "no more streams");
});

Deno.test("a server that goes away drops new streams and keeps those it has", () => {
  const { client, server } = pair();
  client.request(GET);
  exchange(client, server);
  server.goAway();
  const late = server.receive(
    concat(
      frame("headers", 3, block(GET), FLAG.endHeaders),
      frame("data", 3, [1]),
      frame("data", 1, [1]),
    ),
    0,
  );
  assertEquals(late.map((e) => "streamId" in e && e.streamId), [1]);
});

Deno.test("request() keeps to MAX_CONCURRENT_STREAMS", () => {
  const { client } = pair([], [[SETTING.maxConcurrentStreams, 1]]);
  client.request(GET);
  assertThrows(() => client.request(GET), Http2Error, "no more streams");
});

Deno.test("prioritize() sends a frame that the peer ignores", () => {
  const { client, server } = pair();
  client.prioritize(3, { exclusive: true, dependency: 1, weight: 201 });
  const bytes = client.takeOutgoing()!;
  assertEquals([...framesOf(bytes)[0]!.payload], [0x80, 0, 0, 1, 200]);
  assertEquals(server.receive(bytes, 0), []);
});

Deno.test("unknown frames, flags and settings are ignored", () => {
  const server = greetedServer();
  const events = server.receive(
    concat(
      frame(0xfe, 7, [1, 2, 3], 0xff),
      frame("ping", 0, new Uint8Array(8), 0xfe),
      frame("settings", 0, [0xaa, 0xaa, 1, 2, 3, 4]),
    ),
    0,
  );
  assertEquals(events.map(({ type }) => type), ["settings"]);
});

Deno.test("frames to no purpose are limited, and allowed again with time", () => {
  const pings = (count: number) =>
    concat(
      ...Array.from(
        { length: count },
        () => frame("ping", 0, new Uint8Array(8)),
      ),
    );
  const server = greetedServer();
  assertEquals(server.receive(pings(990), 0), []);
  assertEquals(server.receive(pings(990), 60_000), []);
  const [event] = server.receive(pings(990), 61_000);
  assert(event?.type === "failed");
  assertEquals(event.error.code, "enhanceYourCalm");
});

Deno.test("short DATA is limited, unless it is what a window left", () => {
  const windowIncrement = 1_000_000;
  for (
    const [lengths, fails] of [
      [[15], true],
      [[16], false],
      [[1, 16], false],
      [[1, 1, 16], true],
    ] as const
  ) {
    const settings = [[SETTING.initialWindowSize, 1_000_000]] as const;
    const server = greetedServer({ settings, windowIncrement });
    server.receive(frame("headers", 1, block(GET), FLAG.endHeaders), 0);
    const round = lengths.map((n) => frame("data", 1, new Uint8Array(n)));
    const types = new Set<string>();
    for (let i = 0; i < 1_200; i++) {
      for (const { type } of server.receive(concat(...round), 0)) {
        types.add(type);
      }
    }
    assertEquals(types.has("failed"), fails, `${lengths}`);
  }
});

Deno.test("requests that are refused are limited, and so are HEADERS that are dropped, and 1xx", () => {
  const refusing = greetedServer();
  const leaving = greetedServer();
  leaving.goAway();
  const client = greetedClient();
  let [id, rounds] = [1, 0];
  const alive = new Set([refusing, leaving, client]);
  for (; alive.size > 0 && rounds < 1_100; rounds++, id += 2) {
    const get = frame("headers", id, block(GET), FLAG.endHeaders);
    const early = frame(
      "headers",
      1,
      block([[":status", "103"]]),
      FLAG.endHeaders,
    );
    for (const each of alive) {
      for (const event of each.receive(each === client ? early : get, 0)) {
        if (event.type === "failed") alive.delete(each);
        if (event.type !== "headers") continue;
        if (each === refusing) each.reset(event.streamId, "refusedStream");
      }
    }
  }
  assertEquals([alive.size, rounds > 900], [0, true]);
});

Deno.test("rapid reset ends the connection", () => {
  const server = greetedServer();
  const types = new Set<string>();
  for (let id = 1; id < 4_000; id += 2) {
    const opened = frame("headers", id, block(GET), FLAG.endHeaders);
    const reset = frame("rstStream", id, [0, 0, 0, 8]);
    for (const { type } of server.receive(concat(opened, reset), 0)) {
      types.add(type);
    }
    assert(server.openStreams <= 1);
  }
  assertEquals([...types], ["headers", "reset", "failed"]);
});

Deno.test("HEAD and 304 announce content they do not have", () => {
  for (const [method, status] of [["HEAD", "200"], ["GET", "304"]] as const) {
    const { client, server } = pair();
    client.request([[":method", method], ...GET.slice(1)], { endStream: true });
    exchange(client, server);
    server.respond(1, [[":status", status], ["content-length", "9"]], {
      endStream: true,
    });
    assertEquals(exchange(client, server).a.map((e) => e.type), ["headers"]);
  }
});

Deno.test("sending on a stream that has ended is refused", () => {
  const { client, server } = pair();
  client.request(GET, { endStream: true });
  const send = () => client.send(1, Uint8Array.of(1));
  assertThrows(send, Http2Error, "Stream has ended");
  assertThrows(() => server.respond(1, OK), Http2Error, "Stream has ended");
  assertThrows(() => server.request(GET), TypeError);
});

Deno.test("malformed fields are refused before they are sent", () => {
  const { client } = pair();
  assertThrows(() => client.request([["X", "1"]]), Http2Error, "forbidden");
  assertEquals(client.takeOutgoing(), undefined);
  assertEquals(client.request(GET), 1);
});

Deno.test("maxDataBytes bounds DATA frames", () => {
  const client = greetedClient();
  client.send(1, new Uint8Array(2_500), { maxDataBytes: 1_000 });
  const lengths = framesOf(client.takeOutgoing()).map((f) => f.payload.length);
  assertEquals(lengths, [1_000, 1_000, 500]);
});
