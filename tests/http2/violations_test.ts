import { assertEquals } from "@std/assert";
import { concat, decodeHex } from "../../src/core/bytes/mod.ts";
import {
  connectionPreface,
  type ErrorCodeName,
  errorCodeName,
  FLAG,
  FRAME_TYPE,
  type HeaderField,
  Http2Connection,
} from "../../src/http2/mod.ts";
import {
  block,
  frame,
  framesOf,
  GET,
  greetedClient,
  greetedServer,
} from "./_peer.ts";

const END_HEADERS = FLAG.endHeaders;
const REQUEST = FLAG.endHeaders | FLAG.endStream;

function request(
  streamId = 1,
  fields: readonly HeaderField[] = GET,
  flags: number = END_HEADERS,
): Uint8Array {
  return frame("headers", streamId, block(fields), flags);
}

const OK = frame("headers", 1, block([[":status", "200"]]), END_HEADERS);

/** What a client sends behind its greeting, the stream and the code by which the server answers; stream 0 is a GOAWAY. */
const TO_SERVER: [string, Uint8Array[], number, ErrorCodeName][] = [
  // §4.2
  [
    "a frame beyond the limit",
    [
      frame("ping", 0, new Uint8Array(16_385)),
    ],
    0,
    "frameSizeError",
  ],
  // §4.3
  [
    "a block that does not decode",
    [
      frame("headers", 1, [0xff, 0xff], REQUEST),
    ],
    0,
    "compressionError",
  ],
  [
    "a frame inside a block",
    [
      request(1, GET, FLAG.endStream),
      frame("ping", 0, new Uint8Array(8)),
    ],
    0,
    "protocolError",
  ],
  [
    "an unknown frame inside a block",
    [
      request(1, GET, FLAG.endStream),
      frame(0xee, 0),
    ],
    0,
    "protocolError",
  ],
  [
    "HEADERS inside a block",
    [
      request(1, GET, FLAG.endStream),
      request(3),
    ],
    0,
    "protocolError",
  ],
  [
    "CONTINUATION of another stream",
    [
      request(1, GET, FLAG.endStream),
      frame("continuation", 3, [], END_HEADERS),
    ],
    0,
    "protocolError",
  ],
  // §5.1
  ["DATA on an idle stream", [frame("data", 1, [1])], 0, "protocolError"],
  [
    "RST_STREAM on an idle stream",
    [frame("rstStream", 1, [0, 0, 0, 8])],
    0,
    "protocolError",
  ],
  [
    "WINDOW_UPDATE on an idle stream",
    [
      frame("windowUpdate", 1, [0, 0, 0, 1]),
    ],
    0,
    "protocolError",
  ],
  [
    "CONTINUATION on an idle stream",
    [frame("continuation", 1, [], END_HEADERS)],
    0,
    "protocolError",
  ],
  [
    "DATA on a half-closed stream",
    [
      request(1, GET, REQUEST),
      frame("data", 1, [1]),
    ],
    1,
    "streamClosed",
  ],
  [
    "HEADERS on a half-closed stream",
    [
      request(1, GET, REQUEST),
      request(1, GET, REQUEST),
    ],
    1,
    "streamClosed",
  ],
  [
    "DATA behind RST_STREAM",
    [
      request(1),
      frame("rstStream", 1, [0, 0, 0, 8]),
      frame("data", 1, [1]),
    ],
    1,
    "streamClosed",
  ],
  [
    "HEADERS behind RST_STREAM",
    [
      request(1),
      frame("rstStream", 1, [0, 0, 0, 8]),
      request(1),
    ],
    1,
    "streamClosed",
  ],
  // §5.1.1
  ["a stream with an even number", [request(2)], 0, "protocolError"],
  [
    "a stream below an earlier one",
    [request(5), request(3)],
    0,
    "streamClosed",
  ],
  // §5.1.2
  [
    "a stream too many",
    [request(1), request(3), request(5)],
    5,
    "refusedStream",
  ],
  // §6.1
  ["DATA of no stream", [frame("data", 0, [1])], 0, "protocolError"],
  [
    "padding longer than DATA",
    [
      request(1),
      frame("data", 1, [2, 0], FLAG.padded),
    ],
    0,
    "protocolError",
  ],
  [
    "padded DATA without a length",
    [
      request(1),
      frame("data", 1, [], FLAG.padded),
    ],
    0,
    "frameSizeError",
  ],
  // §6.2
  ["HEADERS of no stream", [request(0)], 0, "protocolError"],
  [
    "padding longer than HEADERS",
    [
      frame("headers", 1, [9, 0x82], REQUEST | FLAG.padded),
    ],
    0,
    "protocolError",
  ],
  [
    "HEADERS shorter than their priority",
    [
      frame("headers", 1, [0, 0, 0, 0], REQUEST | FLAG.priority),
    ],
    0,
    "frameSizeError",
  ],
  // §6.3
  [
    "PRIORITY of no stream",
    [frame("priority", 0, [0, 0, 0, 0, 0])],
    0,
    "protocolError",
  ],
  [
    "PRIORITY of 4 bytes",
    [frame("priority", 1, [0, 0, 0, 0])],
    0,
    "frameSizeError",
  ],
  // §6.4
  [
    "RST_STREAM of no stream",
    [frame("rstStream", 0, [0, 0, 0, 8])],
    0,
    "protocolError",
  ],
  [
    "RST_STREAM of 3 bytes",
    [
      request(1),
      frame("rstStream", 1, [0, 0, 8]),
    ],
    0,
    "frameSizeError",
  ],
  // §6.5
  ["SETTINGS of a stream", [frame("settings", 1)], 0, "protocolError"],
  [
    "SETTINGS of 5 bytes",
    [
      frame("settings", 0, new Uint8Array(5)),
    ],
    0,
    "frameSizeError",
  ],
  [
    "SETTINGS ACK with a payload",
    [
      frame("settings", 0, new Uint8Array(6), FLAG.ack),
    ],
    0,
    "frameSizeError",
  ],
  [
    "SETTINGS ACK of no SETTINGS",
    [
      frame("settings", 0, [], FLAG.ack),
    ],
    0,
    "protocolError",
  ],
  [
    "65 settings",
    [
      frame("settings", 0, new Uint8Array(6 * 65)),
    ],
    0,
    "enhanceYourCalm",
  ],
  [
    "ENABLE_PUSH of 2",
    [
      frame("settings", 0, decodeHex("000200000002")),
    ],
    0,
    "protocolError",
  ],
  [
    "INITIAL_WINDOW_SIZE of 2^31",
    [
      frame("settings", 0, decodeHex("000480000000")),
    ],
    0,
    "flowControlError",
  ],
  [
    "MAX_FRAME_SIZE of 16,383",
    [
      frame("settings", 0, decodeHex("000500003fff")),
    ],
    0,
    "protocolError",
  ],
  [
    "MAX_FRAME_SIZE of 2^24",
    [
      frame("settings", 0, decodeHex("000501000000")),
    ],
    0,
    "protocolError",
  ],
  // §6.6
  [
    "PUSH_PROMISE",
    [
      request(1),
      frame("pushPromise", 1, [0, 0, 0, 2], END_HEADERS),
    ],
    0,
    "protocolError",
  ],
  // §6.7
  [
    "PING of a stream",
    [frame("ping", 1, new Uint8Array(8))],
    0,
    "protocolError",
  ],
  [
    "PING of 6 bytes",
    [
      frame("ping", 0, new Uint8Array(6)),
    ],
    0,
    "frameSizeError",
  ],
  // §6.8
  [
    "GOAWAY of a stream",
    [frame("goAway", 1, new Uint8Array(8))],
    0,
    "protocolError",
  ],
  [
    "GOAWAY of 7 bytes",
    [
      frame("goAway", 0, new Uint8Array(7)),
    ],
    0,
    "frameSizeError",
  ],
  // §6.9
  [
    "WINDOW_UPDATE by 0",
    [
      frame("windowUpdate", 0, [0, 0, 0, 0]),
    ],
    0,
    "protocolError",
  ],
  [
    "WINDOW_UPDATE of a stream by 0",
    [
      request(1),
      frame("windowUpdate", 1, [0, 0, 0, 0]),
    ],
    1,
    "protocolError",
  ],
  [
    "WINDOW_UPDATE of 3 bytes",
    [
      frame("windowUpdate", 0, [0, 0, 1]),
    ],
    0,
    "frameSizeError",
  ],
  [
    "WINDOW_UPDATE beyond 2^31 - 1",
    [
      frame("windowUpdate", 0, [0x7f, 0xff, 0xff, 0xff]),
    ],
    0,
    "flowControlError",
  ],
  [
    "WINDOW_UPDATE of a stream beyond 2^31 - 1",
    [
      request(1),
      frame("windowUpdate", 1, [0x7f, 0xff, 0xff, 0xff]),
    ],
    1,
    "flowControlError",
  ],
  [
    "INITIAL_WINDOW_SIZE that makes a window too large",
    [
      request(1),
      frame("windowUpdate", 1, [0x7f, 0xff, 0, 0]),
      frame("settings", 0, decodeHex("00047fffffff")),
    ],
    0,
    "flowControlError",
  ],
  // §6.10
  [
    "CONTINUATION behind a whole block",
    [
      request(1),
      frame("continuation", 1, [], END_HEADERS),
    ],
    0,
    "protocolError",
  ],
  [
    "17 CONTINUATION frames",
    [
      request(1, GET, 0),
      ...Array.from({ length: 17 }, () => frame("continuation", 1)),
    ],
    0,
    "enhanceYourCalm",
  ],
  // §8.1
  ["trailers that do not end", [request(1), request(1)], 1, "protocolError"],
  [
    "trailers with a pseudo-field",
    [
      request(1),
      request(1, GET, REQUEST),
    ],
    1,
    "protocolError",
  ],
  [
    "content longer than announced",
    [
      request(1, [...GET, ["content-length", "1"]]),
      frame("data", 1, [1, 2]),
    ],
    1,
    "protocolError",
  ],
  [
    "content shorter than announced",
    [
      request(1, [...GET, ["content-length", "3"]]),
      frame("data", 1, [1, 2], FLAG.endStream),
    ],
    1,
    "protocolError",
  ],
  [
    "no content where some is announced",
    [
      request(1, [...GET, ["content-length", "3"]], REQUEST),
    ],
    1,
    "protocolError",
  ],
  // §8.2, §8.3; more of them in message_fields_test.ts
  [
    "a field of the connection",
    [
      request(1, [...GET, ["connection", "close"]], REQUEST),
    ],
    1,
    "protocolError",
  ],
];

/** As {@link TO_SERVER}, from a server whose client has opened stream 1. */
const TO_CLIENT: typeof TO_SERVER = [
  [
    "a stream of its own",
    [
      frame("headers", 2, block([[":status", "200"]]), END_HEADERS),
    ],
    0,
    "protocolError",
  ],
  [
    "an answer nobody asked for",
    [
      frame("headers", 3, block([[":status", "200"]]), END_HEADERS),
    ],
    0,
    "protocolError",
  ],
  [
    "PUSH_PROMISE",
    [
      frame("pushPromise", 1, [0, 0, 0, 2, 0x88], END_HEADERS),
    ],
    0,
    "protocolError",
  ],
  [
    "ENABLE_PUSH of 1",
    [
      frame("settings", 0, decodeHex("000200000001")),
    ],
    0,
    "protocolError",
  ],
  ["DATA in front of HEADERS", [frame("data", 1, [1])], 1, "protocolError"],
  ["a request", [request(1)], 1, "protocolError"],
  [
    "no status",
    [
      frame("headers", 1, block([["x", "1"]]), END_HEADERS),
    ],
    1,
    "protocolError",
  ],
  [
    "status 101",
    [
      frame("headers", 1, block([[":status", "101"]]), END_HEADERS),
    ],
    1,
    "protocolError",
  ],
  [
    "status 2000",
    [
      frame("headers", 1, block([[":status", "2000"]]), END_HEADERS),
    ],
    1,
    "protocolError",
  ],
  [
    "100 that ends",
    [
      frame("headers", 1, block([[":status", "100"]]), REQUEST),
    ],
    1,
    "protocolError",
  ],
  [
    "content beyond the window",
    [
      OK,
      ...Array.from(
        { length: 4 },
        () => frame("data", 1, new Uint8Array(16_384)),
      ),
    ],
    0,
    "flowControlError",
  ],
];

Deno.test("Http2Connection answers violations as RFC 9113 asks", async (t) => {
  for (const [what, frames, streamId, code] of TO_SERVER) {
    await t.step(`server, ${what}`, () => {
      const server = greetedServer({ settings: [[3, 2]] });
      assertEquals(answer(server, frames), { streamId, code });
    });
  }
  for (const [what, frames, streamId, code] of TO_CLIENT) {
    await t.step(`client, ${what}`, () => {
      assertEquals(answer(greetedClient(), frames), { streamId, code });
    });
  }
});

Deno.test("Http2Connection wants the preface, and SETTINGS first", () => {
  for (
    const bytes of [
      new TextEncoder().encode("GET / HTTP/1.1\r\n"),
      concat(connectionPreface(), frame("ping", 0, new Uint8Array(8))),
      concat(connectionPreface(), frame("settings", 0, [], FLAG.ack)),
    ]
  ) {
    const server = new Http2Connection({ role: "server" });
    assertEquals(answer(server, [bytes]), {
      streamId: 0,
      code: "protocolError",
    });
  }
});

Deno.test("a connection error ends everything, a stream error one stream", () => {
  const server = greetedServer();
  const bad = frame("data", 1, [1], FLAG.endStream);
  const events = server.receive(
    concat(request(1, GET, REQUEST), bad, request(3)),
    0,
  );
  assertEquals(events.map(({ type }) => type), ["headers", "reset", "headers"]);
  assertEquals(server.receive(frame("data", 0), 0).at(-1)?.type, "failed");
  assertEquals(server.receive(request(5), 0), []);
});

function answer(connection: Http2Connection, frames: Uint8Array[]) {
  connection.takeOutgoing();
  connection.receive(concat(...frames), 0);
  const said = framesOf(connection.takeOutgoing()).filter(({ type }) =>
    type === FRAME_TYPE.rstStream || type === FRAME_TYPE.goAway
  );
  const last = said.at(-1);
  const view = new DataView(last?.payload.slice().buffer ?? new ArrayBuffer(8));
  const at = last?.type === FRAME_TYPE.goAway ? 4 : 0;
  return {
    streamId: last?.streamId,
    code: errorCodeName(view.getUint32(at)),
  };
}
