import { assert, assertEquals } from "@std/assert";
import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  connectionPreface,
  encodeFrame,
  FLAG,
  FRAME_TYPE,
  type HeaderField,
  HpackEncoder,
} from "../../src/http2/mod.ts";
import { type Carrier, CARRIERS } from "../../src/htx/carrier.ts";
import { Http2Opening } from "../../src/htx/http2_outer.ts";
import { Http2Search } from "../../src/htx/http2_search.ts";
import { profileOf } from "../../src/utls/mod.ts";
import { generator, mutate } from "./_mutation.ts";

const COOKIE = "__Host-sid";
const TICKET = nodeProvider.random(150);

Deno.test("Http2Search finds what a browser-like client sends, at every split", () => {
  for (const carrier of CARRIERS) {
    const bytes = opening(carrier);
    for (let at = 0; at <= bytes.length; at++) {
      const search = new Http2Search(COOKIE);
      const first = search.find(bytes.subarray(0, at), 0);
      const found = at < bytes.length ? search.find(bytes, 0) : first;
      if (at < bytes.length) assertEquals(first, undefined);
      assert(typeof found === "object");
      assertEquals(found.payload, TICKET);
      assertEquals(found.head.method, carrier === "body" ? "POST" : "GET");
      assertEquals(search.streamId, 1);
    }
  }
});

Deno.test("Http2Search keeps what comes behind the request", () => {
  const search = new Http2Search(COOKIE);
  const next = headers(3, get("/next"));
  search.find(concat(opening("cookie"), next), 0);
  assertEquals(search.rest.map(({ type }) => type), ["headers"]);
});

Deno.test("Http2Search wants the ticket in the first request, whole and well-formed", () => {
  const greeting = concat(connectionPreface(), frame(FRAME_TYPE.settings, 0));
  const ticket: HeaderField = ["cookie", `${COOKIE}=${"A".repeat(200)}`];
  for (
    const [what, bytes, expected] of [
      ["HTTP/1.1", new TextEncoder().encode("GET / HTTP/1.1\r\n"), "none"],
      ["no ticket", concat(greeting, headers(1, get("/"))), "none"],
      [
        "a ticket in the second request",
        concat(greeting, headers(1, get("/")), headers(3, get("/", ticket))),
        "none",
      ],
      [
        "two tickets",
        concat(greeting, headers(1, get("/", ticket, ticket))),
        "malformed",
      ],
      [
        "a short ticket",
        concat(greeting, headers(1, get("/?bn1=AAAA"))),
        "malformed",
      ],
      [
        "a GET that goes on",
        concat(greeting, headers(1, get("/", ticket), FLAG.endHeaders)),
        "none",
      ],
      [
        "a malformed request",
        concat(greeting, headers(1, [...get("/", ticket), ["X", "1"]])),
        "none",
      ],
      [
        "DATA of no stream",
        concat(greeting, frame(FRAME_TYPE.data, 1)),
        "none",
      ],
      ["GOAWAY", concat(greeting, frame(FRAME_TYPE.goAway, 0, 8)), "none"],
      ["a block without end", concat(greeting, frame(1, 1)), undefined],
      ["PRIORITY", concat(greeting, frame(FRAME_TYPE.priority, 1, 5)), "none"],
      ["an unknown frame", concat(greeting, frame(0xfe, 0)), "none"],
      [
        "the header of an unknown frame",
        concat(greeting, frame(0xfe, 0, 100).subarray(0, 9)),
        "none",
      ],
      [
        "CONTINUATION",
        concat(greeting, frame(1, 1), frame(FRAME_TYPE.continuation, 1)),
        "none",
      ],
      [
        "a form whose stream depends on itself",
        concat(greeting, form(1)),
        "none",
      ],
      ["a form", concat(greeting, form(0)), undefined],
      [
        "SETTINGS, PING and WINDOW_UPDATE",
        concat(
          greeting,
          frame(FRAME_TYPE.ping, 0, 8),
          WINDOW_UPDATE,
          frame(FRAME_TYPE.settings, 0),
        ),
        undefined,
      ],
      [
        "too many bytes",
        concat(greeting, ...Array(500).fill(frame(FRAME_TYPE.ping, 0, 8))),
        "none",
      ],
      ["nothing", new Uint8Array(0), undefined],
    ] as const
  ) {
    const search = new Http2Search(COOKIE);
    assertEquals(search.find(bytes, 0), expected, what);
  }
});

Deno.test("Http2Search survives 20,000 mutations of an opening", () => {
  const random = generator(7);
  const whole = CARRIERS.map(opening);
  const seen = new Set<unknown>();
  for (let run = 0; run < 20_000; run++) {
    const search = new Http2Search(COOKIE);
    const found = search.find(mutate(whole[run % 3]!, random), 0);
    seen.add(typeof found === "object" ? "found" : found);
  }
  assertEquals(seen.size, 4);
});

function opening(carrier: Carrier): Bytes {
  const odds = { cookie: 0, query: 0, body: 0, [carrier]: 10_000 };
  const { records } = new Http2Opening({ profile: profileOf("latest") }, {
    address: "tls://example.org:443",
    host: "example.org",
    path: "/",
    offer: {
      policy: { odds, minPaddingLength: 24, maxPaddingLength: 64 },
      keyId: new Uint8Array(8),
      publicKey: new Uint8Array(32),
      cookieName: COOKIE,
    },
    ticket: TICKET,
  }, nodeProvider);
  return concat(...records);
}

function get(path: string, ...fields: HeaderField[]): HeaderField[] {
  return [
    [":method", "GET"],
    [":authority", "example.org"],
    [":scheme", "https"],
    [":path", path],
    ...fields,
  ];
}

function headers(
  streamId: number,
  fields: readonly HeaderField[],
  flags: number = FLAG.endHeaders | FLAG.endStream,
): Uint8Array {
  const payload = new HpackEncoder({ indexing: () => "none" }).encode(fields);
  return encodeFrame({ type: FRAME_TYPE.headers, flags, streamId, payload });
}

function frame(type: number, streamId: number, length = 0): Uint8Array {
  const payload = new Uint8Array(length);
  return encodeFrame({ type, flags: 0, streamId, payload });
}

const WINDOW_UPDATE = encodeFrame({
  type: FRAME_TYPE.windowUpdate,
  flags: 0,
  streamId: 0,
  payload: Uint8Array.of(0, 0, 0, 1),
});

/** The head of a form, with its priority. */
function form(dependency: number): Uint8Array {
  const [, ...others] = get("/");
  const block = new HpackEncoder({ indexing: () => "none" }).encode([
    [":method", "POST"],
    ...others,
    ["content-type", "application/x-www-form-urlencoded"],
    ["content-length", "200"],
  ]);
  return encodeFrame({
    type: FRAME_TYPE.headers,
    flags: FLAG.endHeaders | FLAG.priority,
    streamId: 1,
    payload: concat(Uint8Array.of(0, 0, 0, dependency, 255), block),
  });
}
