import { assert, assertEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../src/core/bytes/mod.ts";
import { HtxError, type HtxErrorCode } from "../../src/htx/error.ts";
import { INITIAL_STREAM_WINDOW } from "../../src/htx/flow.ts";
import { FRAME_TYPE } from "../../src/htx/frame.ts";
import { parameters } from "../../src/htx/parameters.ts";
import { encodePing, encodeU32 } from "../../src/htx/payload.ts";
import { Sealer } from "../../src/htx/protection.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { MuxPair, pattern, readAll, testKeys } from "./_mux_pair.ts";

const FIXED = parameters({ maxStreamWindowBytes: INITIAL_STREAM_WINDOW });

Deno.test("Mux carries data both ways and ends streams by FIN", () => {
  const pair = new MuxPair();
  const { client, server } = pair;
  const stream = client.mux.open();
  client.mux.offer(stream, pattern(10_000));
  client.mux.finish(stream);
  pair.exchange();
  const [peer] = server.opened;
  assertEquals(peer!.id, 1);
  assertEquals(readAll(server, peer!), pattern(10_000));
  assert(peer!.peerFinished && !peer!.ended);
  server.mux.offer(peer!, pattern(5_000, 2));
  server.mux.finish(peer!);
  pair.exchange();
  assertEquals(readAll(client, stream), pattern(5_000, 2));
  assert(stream.ended && peer!.ended);
  assertEquals([client.mux.stats.streams, server.mux.stats.streams], [0, 0]);
});

Deno.test("Mux numbers client streams odd and server streams even (§5.4)", () => {
  const pair = new MuxPair();
  const ours = [pair.client.mux.open(), pair.client.mux.open()];
  const theirs = [pair.server.mux.open(), pair.server.mux.open()];
  pair.exchange();
  assertEquals(ours.map(({ id }) => id), [1, 3]);
  assertEquals(theirs.map(({ id }) => id), [2, 4]);
  assertEquals(pair.server.opened.map(({ id }) => id), [1, 3]);
  assertEquals(pair.client.opened.map(({ id }) => id), [2, 4]);
});

Deno.test("Mux stops at a window of 65,535 bytes and goes on at half of it (§5.4)", () => {
  const pair = new MuxPair({ local: FIXED, remote: FIXED });
  const { client, server } = pair;
  const stream = client.mux.open();
  client.mux.offer(stream, pattern(200_000));
  pair.exchange();
  const peer = server.opened[0]!;
  assertEquals(peer.received.length, 65_535);
  const read = (n: number) => server.mux.read(peer, new Uint8Array(n), 0);
  read(32_767);
  pair.exchange();
  assertEquals(peer.received.length, 65_535 - 32_767);
  read(1);
  pair.exchange();
  assertEquals(peer.received.length, 65_535);
  assertEquals(peer.receiveWindow.size, 65_535);
});

Deno.test("Mux grows windows only if both sides offered it", () => {
  const size = (client: typeof FIXED, server: typeof FIXED) => {
    const pair = new MuxPair(
      { local: client, remote: server },
      { local: server, remote: client },
    );
    const stream = pair.client.mux.open();
    for (let i = 0; i < 100; i++) {
      if (!stream.chunk) pair.client.mux.offer(stream, pattern(1 << 20));
      pair.exchange();
      readAll(pair.server, pair.server.opened[0]!, pair.nowMs);
    }
    return pair.server.opened[0]!.receiveWindow.size;
  };
  const tuned = parameters({ maxStreamWindowBytes: 2 ** 20 });
  assertEquals(size(tuned, tuned), 2 ** 20);
  assertEquals(size(FIXED, tuned), 65_535);
  assertEquals(size(tuned, FIXED), 65_535);
});

Deno.test("Mux bounds what all streams together hold", () => {
  const fixed = parameters({ maxSessionWindowBytes: 16 * 65_535 });
  const pair = new MuxPair({ local: fixed, remote: fixed });
  for (let i = 0; i < 40; i++) {
    pair.client.mux.offer(pair.client.mux.open(), pattern(65_535));
  }
  pair.exchange();
  const held = pair.server.opened.reduce((n, s) => n + s.received.length, 0);
  assertEquals(held, 16 * 65_535);
  for (let i = 0; i < 40; i++) {
    pair.server.opened.forEach((stream) => readAll(pair.server, stream));
    pair.exchange();
  }
  assertEquals(pair.server.mux.stats.bytesIn, 40 * 65_535);
});

for (const chunk of [20_000, 65_536, 300_000]) {
  Deno.test(`Mux shares the session by weight, ${chunk} bytes a write`, () => {
    const { client, server } = new MuxPair();
    const sent = [0, 0, 0];
    const streams = [4, 16, 64].map((weight) => client.mux.open(weight));
    const data = pattern(chunk);
    let batches = 0;
    while (batches++ < 1_000) {
      streams.forEach((stream) => {
        if (!stream.chunk) client.mux.offer(stream, data);
      });
      const before = streams.map((stream) => stream.pending);
      const batch = client.mux.poll(0);
      streams.forEach((stream, i) => {
        sent[i]! += batches > 100 ? before[i]! - stream.pending : 0;
      });
      if (batch) server.mux.feed(batch, 0);
      server.opened.forEach((stream) => readAll(server, stream));
      const credit = server.mux.poll(0);
      if (credit) client.mux.feed(credit, 0);
    }
    const [a, b, c] = sent as [number, number, number];
    assert(Math.abs(b / a - 4) < 0.8, `${b / a}`);
    assert(Math.abs(c / b - 4) < 0.8, `${c / b}`);
  });
}

Deno.test("Mux.reset() ends both sides, drops data and gives the credit back", () => {
  const pair = new MuxPair();
  const { client, server } = pair;
  const ended: (number | undefined)[] = [];
  const stream = client.mux.open();
  client.mux.offer(stream, pattern(30_000));
  pair.exchange();
  const peer = server.opened[0]!;
  peer.observer = {
    drained() {},
    finished() {},
    readable() {},
    ended: (c) => ended.push(c),
  };
  client.mux.reset(stream, 777, 0);
  server.mux.offer(peer, pattern(9));
  pair.exchange();
  assertEquals(ended, [777]);
  assertEquals(peer.received.length, 0);
  assertEquals([client.mux.stats.streams, server.mux.stats.streams], [0, 0]);
  for (let i = 0; i < 60; i++) {
    const next = client.mux.open();
    client.mux.offer(next, pattern(65_535));
    pair.exchange();
    client.mux.reset(next, 0, 0);
    pair.exchange();
  }
  assertEquals(server.mux.stats.bytesIn, 30_000 + 60 * 65_535);
});

Deno.test("Mux answers PING and reports the round trip", () => {
  const pair = new MuxPair();
  pair.client.mux.ping(0);
  pair.server.mux.feed(pair.batch(pair.client), 0);
  pair.client.mux.feed(pair.batch(pair.server), 42);
  assertEquals(pair.client.pongs, [42]);
  assertEquals(pair.client.mux.stats.rttMs, 42);
});

Deno.test("Mux.tick() fails when a PING stays unanswered", () => {
  const { client } = new MuxPair();
  client.mux.ping(0);
  assertEquals(client.mux.dueAtMs, 30_000);
  client.mux.tick(29_999);
  assertThrows(() => client.mux.tick(30_000), HtxError, "PING");
});

Deno.test("Mux.open() is refused beyond the peer's limit", () => {
  const few = parameters({ maxStreams: 16 });
  const pair = new MuxPair({ local: few, remote: few });
  for (let i = 0; i < 16; i++) pair.client.mux.open();
  assertEquals(pair.client.mux.canOpen, false);
  assertThrows(() => pair.client.mux.open(), HtxError);
  pair.exchange();
  pair.server.mux.reset(pair.server.opened[3]!, 1, 0);
  pair.exchange();
  assertEquals(pair.client.mux.canOpen, true);
});

Deno.test("Mux.close() ends the streams and tells the peer why", () => {
  const pair = new MuxPair();
  const stream = pair.client.mux.open();
  pair.exchange();
  pair.client.mux.close({ code: 12, reason: "enough" }, 0);
  pair.exchange();
  assertEquals(pair.server.closed, { code: 12, reason: "enough" });
  assertEquals(stream.resetCode, 12);
});

Deno.test("an idle Mux holds no large batch", () => {
  const pair = new MuxPair({ shaping: { pings: false } });
  const stream = pair.client.mux.open();
  pair.client.mux.offer(stream, pattern(60_000));
  const large = pair.client.mux.poll(0)!.buffer.byteLength;
  assert(large > 60_000);
  pair.client.mux.tick(1_300);
  assert(pair.client.mux.poll(1_300)!.buffer.byteLength < 16_384);
});

/** What a client that breaks the rules makes of a server. */
function attack(
  frames: (seal: (type: number, id: number, payload: number[]) => void) => void,
): void {
  const pair = new MuxPair();
  const sealer = new Sealer(nodeProvider, testKeys().client, 0);
  frames((type, id, payload) => {
    const out = new Uint8Array(payload.length + 64);
    const header = type === 0 || type === 4 ? (id < 64 ? 5 : 6) : 4;
    out.set(payload, header);
    const end = sealer.seal(
      type as typeof FRAME_TYPE.stream,
      id,
      payload.length,
      out,
      0,
    );
    pair.server.mux.feed(out.subarray(0, end), 0);
  });
}

for (
  const [name, code, frames] of [
    ["a stream id of the wrong side", "violation", [[0, 2, [0]]]],
    ["a gap in stream ids", "violation", [[0, 3, [0]]]],
    ["unknown stream flags", "malformed", [[0, 1, [3]]]],
    ["a STREAM frame without flags", "malformed", [[0, 1, []]]],
    ["data after FIN", "violation", [[0, 1, [1]], [0, 1, [0, 9]]]],
    ["credit for nobody's stream", "violation", [[4, 7, [0, 0, 0, 9]]]],
    ["credit of nothing", "violation", [[4, 0, [0, 0, 0, 0]]]],
    ["an answer to no PING", "violation", [
      [1, 0, [...encodePing({ answer: true, token: new Uint8Array(8) })]],
    ]],
    ["a KEY_UPDATE out of turn", "violation", [[3, 0, [...encodeU32(2)]]]],
  ] as [string, HtxErrorCode, [number, number, number[]][]][]
) {
  Deno.test(`Mux refuses ${name}`, () => {
    const error = assertThrows(
      () => attack((seal) => frames.forEach((frame) => seal(...frame))),
      HtxError,
    );
    assertEquals(error.code, code);
  });
}

Deno.test("Mux refuses malformed payloads", () => {
  for (const [type, payload] of [[1, [0]], [2, [0]], [3, [1]], [4, [1]]]) {
    assertThrows(
      () => attack((seal) => seal(type as number, 0, payload as number[])),
      DecodeError,
    );
  }
});

Deno.test("Mux refuses a RESET without a code", () => {
  for (const payload of [[2], [2, 0], [2, 0, 0, 0]]) {
    assertThrows(() => attack((seal) => seal(0, 1, payload)), DecodeError);
  }
});

Deno.test("Mux refuses data beyond the session's window, within those of the streams", () => {
  const full = [...new Uint8Array(65_536)];
  for (const [streams, refused] of [[256, false], [257, true]] as const) {
    const send = () =>
      attack((seal) => {
        for (let i = 0; i < streams; i++) {
          seal(FRAME_TYPE.stream, 2 * i + 1, full);
        }
      });
    if (refused) assertEquals(assertThrows(send, HtxError).code, "violation");
    else send();
  }
});

Deno.test("Mux gives credit for data of streams that are over", () => {
  const pair = new MuxPair();
  const { client, server } = pair;
  for (let i = 0; i < 600; i++) {
    const stream = client.mux.open();
    pair.exchange();
    client.mux.offer(stream, pattern(65_535));
    const late = pair.batch(client);
    server.mux.reset(server.opened.at(-1)!, 1, 0);
    server.mux.feed(late, 0);
    pair.exchange();
  }
  assertEquals(server.mux.stats.bytesIn, 600 * 65_535);
  assertEquals([client.mux.stats.streams, server.mux.stats.streams], [0, 0]);
});

Deno.test("a stream that is reset keeps its place until the peer can know", () => {
  const few = parameters({ maxStreams: 16 });
  const pair = new MuxPair({ local: few, remote: few });
  const streams = Array.from({ length: 16 }, () => pair.client.mux.open());
  pair.exchange();
  pair.client.mux.reset(streams[0]!, 1, 0);
  assertEquals(pair.client.mux.canOpen, false);
  const batch = pair.batch(pair.client);
  assertEquals(pair.client.mux.canOpen, true);
  pair.client.mux.open();
  pair.server.mux.feed(batch, 0);
  pair.exchange();
  assertEquals(pair.server.mux.stats.streams, 16);
});

Deno.test("Mux.reset() never fails, however little the peer reads", () => {
  const pair = new MuxPair();
  const ping = encodePing({ answer: false, token: new Uint8Array(8) });
  const sealer = new Sealer(nodeProvider, testKeys().client, 0);
  const out = new Uint8Array(64);
  const feed = (type: number, id: number, payload: Uint8Array) => {
    const header = type === FRAME_TYPE.ping ? 4 : id < 64 ? 5 : 6;
    out.set(payload, header);
    const end = sealer.seal(type as 0, id, payload.length, out, 0);
    pair.server.mux.feed(out.subarray(0, end), 0);
  };
  for (let i = 0; i < 4_096; i++) feed(FRAME_TYPE.ping, 0, ping);
  for (let i = 0; i < 1_024; i++) {
    feed(FRAME_TYPE.stream, 2 * i + 1, Uint8Array.of(0));
    pair.server.mux.reset(pair.server.opened.at(-1)!, 1, 0);
  }
  const more = assertThrows(
    () => feed(FRAME_TYPE.stream, 2_049, Uint8Array.of(0)),
    HtxError,
  );
  assertEquals(more.code, "limit");
});

Deno.test("fast streams that stop being read leave room for others", () => {
  const pair = new MuxPair();
  const { client, server } = pair;
  const greedy = Array.from({ length: 40 }, () => client.mux.open());
  for (let i = 0; i < 200; i++) {
    greedy.forEach((s) => s.chunk || client.mux.offer(s, pattern(1 << 20)));
    pair.exchange(1 << 20);
    server.opened.forEach((s) => readAll(server, s, pair.nowMs));
  }
  greedy.forEach((s) => s.chunk || client.mux.offer(s, pattern(1 << 23)));
  pair.exchange();
  const late = client.mux.open();
  client.mux.offer(late, pattern(65_535));
  pair.exchange();
  assertEquals(server.opened.at(-1)!.received.length, 65_535);
});

Deno.test("a CLOSE that does not decode is answered with ours", () => {
  const pair = new MuxPair();
  const sealer = new Sealer(nodeProvider, testKeys().client, 0);
  const out = new Uint8Array(64);
  out.set([0, 0, 0xff], 4);
  const end = sealer.seal(FRAME_TYPE.close, 0, 3, out, 0);
  assertThrows(
    () => pair.server.mux.feed(out.subarray(0, end), 0),
    DecodeError,
  );
  pair.server.mux.close({ code: 7, reason: "" }, 0);
  pair.client.mux.feed(pair.batch(pair.server), 0);
  assertEquals(pair.client.closed?.code, 7);
});

Deno.test("Mux refuses data beyond the stream's window", () => {
  const error = assertThrows(
    () =>
      attack((seal) => {
        const full = [...new Uint8Array(32_769)];
        seal(FRAME_TYPE.stream, 1, full);
        seal(FRAME_TYPE.stream, 1, full);
      }),
    HtxError,
    "window",
  );
  assertEquals(error.code, "violation");
});

Deno.test("Mux refuses more streams than it offered", () => {
  const error = assertThrows(
    () =>
      attack((seal) => {
        for (let id = 1; id < 4_000; id += 2) seal(FRAME_TYPE.stream, id, [0]);
      }),
    HtxError,
    "too many streams",
  );
  assertEquals(error.code, "limit");
});

Deno.test("Mux ends a session whose peer makes work and does not read", () => {
  const ping = [...encodePing({ answer: false, token: new Uint8Array(8) })];
  const error = assertThrows(
    () =>
      attack((seal) => {
        for (let i = 0; i < 5_000; i++) seal(FRAME_TYPE.ping, 0, ping);
      }),
    HtxError,
  );
  assertEquals(error.code, "limit");
});

Deno.test("Mux refuses replayed, reordered and dropped frames", () => {
  const frames = () => {
    const pair = new MuxPair();
    const stream = pair.client.mux.open();
    const batches = [0, 1, 2].map((i) => {
      pair.client.mux.offer(stream, pattern(100, i));
      return pair.batch(pair.client);
    });
    return { pair, batches };
  };
  for (const order of [[0, 0], [0, 2], [1], [0, 1, 0]]) {
    const { pair, batches } = frames();
    const last = order.pop()!;
    for (const i of order) pair.server.mux.feed(batches[i]!, 0);
    const error = assertThrows(
      () => pair.server.mux.feed(batches[last]!, 0),
      HtxError,
    );
    assertEquals(error.code, "unauthenticated");
  }
});

Deno.test("every changed byte and every cut of a batch is caught", () => {
  const make = () => {
    const pair = new MuxPair();
    pair.client.mux.offer(pair.client.mux.open(), pattern(40));
    pair.client.mux.ping(0);
    return { pair, batch: pair.batch(pair.client) };
  };
  const { batch } = make();
  for (let at = 0; at < batch.length; at++) {
    for (const flip of [0x01, 0x80]) {
      const { pair, batch } = make();
      batch[at]! ^= flip;
      try {
        const used = pair.server.mux.feed(batch, 0);
        assert(used < batch.length, `byte ${at}`);
      } catch (error) {
        assert(error instanceof HtxError || error instanceof DecodeError);
      }
    }
  }
  for (let cut = 0; cut < batch.length; cut++) {
    const { pair, batch } = make();
    const used = pair.server.mux.feed(batch.subarray(0, cut), 0);
    const rest = batch.subarray(used);
    assertEquals(pair.server.mux.feed(rest, 0), rest.length);
    assertEquals(pair.server.opened[0]!.received.length, 40);
  }
});
