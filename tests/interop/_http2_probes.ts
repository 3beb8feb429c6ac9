import { concat, utf8 } from "../../src/core/bytes/mod.ts";
import {
  connectionPreface,
  encodeFrame,
  FLAG,
  FRAME_TYPE,
  type HeaderField,
  HpackEncoder,
} from "../../src/http2/mod.ts";

/** What is sent where HTTP/2 was agreed on, in pieces with a silence between two. */
export const HTTP2_PIECES: Record<string, readonly Uint8Array[]> = {
  "nothing": [],
  "a request": [greeting(), request(1)],
  "a request at once": [concat(greeting(), request(1))],
  "two requests": [concat(greeting(), request(1), request(3))],
  "not found": [concat(greeting(), request(1, [], "/missing"))],
  "a folder": [concat(greeting(), request(1, [], "/folder"))],
  "a form": [
    concat(greeting(), form(1), frame(FRAME_TYPE.data, 1, utf8("a=b"), 1)),
  ],
  "PING": [greeting(), frame(FRAME_TYPE.ping, 0, noise(8))],
  "PING and a request": [
    concat(greeting(), frame(FRAME_TYPE.ping, 0, noise(8)), request(1)),
  ],
  "half the preface": [connectionPreface().subarray(0, 10)],
  "another preface": [utf8("PRI * HTTP/3.0\r\n\r\nSM\r\n\r\n")],
  "HTTP/1.1": [utf8("GET / HTTP/1.1\r\nHost: tls.test\r\n\r\n")],
  "no SETTINGS": [concat(connectionPreface(), request(1))],
  "random bytes": [concat(connectionPreface(), noise(300))],
  "SETTINGS of 5 bytes": [
    concat(connectionPreface(), frame(FRAME_TYPE.settings, 0, noise(5))),
  ],
  "a bad setting": [
    concat(
      connectionPreface(),
      frame(FRAME_TYPE.settings, 0, Uint8Array.of(0, 2, 0, 0, 0, 9)),
    ),
  ],
  "PING of 7 bytes": [greeting(), frame(FRAME_TYPE.ping, 0, noise(7))],
  "an increment of 0": [
    greeting(),
    frame(FRAME_TYPE.windowUpdate, 0, new Uint8Array(4)),
  ],
  "a window too large": [
    greeting(),
    frame(FRAME_TYPE.windowUpdate, 0, Uint8Array.of(127, 255, 255, 255)),
  ],
  "DATA of no stream": [greeting(), frame(FRAME_TYPE.data, 0, noise(4))],
  "DATA of an idle stream": [greeting(), frame(FRAME_TYPE.data, 1, noise(4))],
  "RST_STREAM of an idle stream": [
    greeting(),
    frame(FRAME_TYPE.rstStream, 1, noise(4)),
  ],
  "PUSH_PROMISE": [greeting(), frame(FRAME_TYPE.pushPromise, 1, noise(8), 4)],
  "CONTINUATION first": [
    greeting(),
    frame(FRAME_TYPE.continuation, 1, noise(8), 4),
  ],
  "HEADERS and no CONTINUATION": [
    greeting(),
    concat(
      frame(FRAME_TYPE.headers, 1, new Uint8Array(0), 1),
      frame(FRAME_TYPE.ping, 0, noise(8)),
    ),
  ],
  "GOAWAY": [greeting(), frame(FRAME_TYPE.goAway, 0, new Uint8Array(8))],
  "an unknown frame": [greeting(), frame(0xab, 0, noise(20)), request(1)],
  "an even stream": [greeting(), request(2)],
  "a bad block": [
    greeting(),
    frame(FRAME_TYPE.headers, 1, Uint8Array.of(255, 255, 255), 5),
  ],
  "no path": [
    greeting(),
    headers(1, [[":method", "GET"], [":scheme", "https"]]),
  ],
  "a field in capitals": [greeting(), request(1, [["X-Caps", "1"]])],
  "Connection": [greeting(), request(1, [["connection", "close"]])],
  "no method known": [
    greeting(),
    headers(1, [
      [":method", "BREW"],
      [":authority", "tls.test"],
      [":scheme", "https"],
      [":path", "/"],
    ]),
  ],
  "a frame too large": [greeting(), Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 1)],
  "a short ticket": [greeting(), request(1, [["cookie", "__Host-sid=AA"]])],
  "a forged ticket": [
    greeting(),
    request(1, [["cookie", `__Host-sid=${"A".repeat(200)}`]]),
  ],
  "a forged ticket in the query": [
    greeting(),
    request(1, [], `/?bn1=${"A".repeat(200)}`),
  ],
};

/** Bytes that look random and are always the same. */
export function noise(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = state * 16_807 % 2_147_483_647;
    return state >> 8;
  });
}

/** Preface and empty SETTINGS. */
export function greeting(): Uint8Array {
  return concat(connectionPreface(), frame(FRAME_TYPE.settings, 0));
}

function request(
  streamId: number,
  more: readonly HeaderField[] = [],
  path = "/",
): Uint8Array {
  return headers(streamId, [
    [":method", "GET"],
    [":authority", "tls.test"],
    [":scheme", "https"],
    [":path", path],
    ...more,
  ]);
}

export function form(streamId: number): Uint8Array {
  return headers(
    streamId,
    [
      [":method", "POST"],
      [":authority", "tls.test"],
      [":scheme", "https"],
      [":path", "/"],
      ["content-type", "application/x-www-form-urlencoded"],
      ["content-length", "200"],
    ],
    FLAG.endHeaders,
  );
}

/** What a request in HTTP/1.1 is in HTTP/2, its body too. */
export function inHttp2(request: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(request);
  const [head, body] = text.split("\r\n\r\n") as [string, string];
  const [line, ...fields] = head.split("\r\n");
  const [method, path] = line!.split(" ") as [string, string];
  const pairs = fields.map((field): HeaderField => {
    const [name, value] = field.split(": ") as [string, string];
    return [name.toLowerCase(), value];
  });
  const block = headers(
    1,
    [
      [":method", method],
      [":authority", "tls.test"],
      [":scheme", "https"],
      [":path", path],
      ...pairs.filter(([name]) => name !== "host" && name !== "connection"),
    ],
    body ? FLAG.endHeaders : FLAG.endHeaders | FLAG.endStream,
  );
  if (!body) return block;
  return concat(block, frame(FRAME_TYPE.data, 1, utf8(body), FLAG.endStream));
}

function headers(
  streamId: number,
  fields: readonly HeaderField[],
  flags: number = FLAG.endHeaders | FLAG.endStream,
): Uint8Array {
  const block = new HpackEncoder({ indexing: () => "none" }).encode(fields);
  return frame(FRAME_TYPE.headers, streamId, block, flags);
}

function frame(
  type: number,
  streamId: number,
  payload: Uint8Array = new Uint8Array(0),
  flags = 0,
): Uint8Array {
  return encodeFrame({ type, flags, streamId, payload });
}
