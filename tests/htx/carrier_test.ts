import { navigationFields, profileOf } from "../../src/utls/mod.ts";
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import {
  concat,
  decodeHex,
  encodeBase64Url,
  utf8,
} from "../../src/core/bytes/mod.ts";
import { encodeRequestHead } from "../../src/core/transport/mod.ts";
import {
  type Carrier,
  CARRIERS,
  findTicket,
  makeTicketRequest,
  MAX_TICKET_HEAD_LENGTH,
  type TicketRequest,
} from "../../src/htx/carrier.ts";
import vectors from "../vectors/betanet/betanet-1.1.json" with { type: "json" };

const PAYLOAD = decodeHex(vectors.ticket.payload);
const TEXT = vectors.ticket.base64url;
const COOKIE = "__Host-sid";

function request(carrier: Carrier, path = "/"): Uint8Array {
  const { head, body } = makeTicketRequest({
    carrier,
    payload: PAYLOAD,
    host: "example.org",
    path,
    cookieName: COOKIE,
  });
  return concat(encodeRequestHead(head), body);
}

function get(target: string, ...fields: string[]): Uint8Array {
  const lines = [`GET ${target} HTTP/1.1`, "Host: a", ...fields, "", ""];
  return utf8(lines.join("\r\n"));
}

function post(body: string, ...fields: string[]): Uint8Array {
  const lines = [
    "POST / HTTP/1.1",
    "Host: a",
    `Content-Length: ${body.length}`,
    ...fields,
    "",
    body,
  ];
  return utf8(lines.join("\r\n"));
}

const FORM = "Content-Type: application/x-www-form-urlencoded";

Deno.test("findTicket() finds what makeTicketRequest() put in, at every split", () => {
  for (const carrier of CARRIERS) {
    const bytes = request(carrier, "/a?b=c");
    for (let n = 0; n < bytes.length; n++) {
      const found = findTicket(bytes.subarray(0, n), COOKIE);
      assertEquals(found, undefined, `${carrier} after ${n} bytes`);
    }
    const inner = utf8("inner handshake");
    const found = findTicket(concat(bytes, inner), COOKIE) as TicketRequest;
    assertEquals(found.payload, PAYLOAD, carrier);
    assertEquals(found.length, bytes.length, carrier);
  }
});

Deno.test("makeTicketRequest() writes the three carriers of §5.2", () => {
  const text = (carrier: Carrier, path?: string) =>
    new TextDecoder().decode(request(carrier, path));
  assert(text("cookie").includes(`\r\nCookie: ${COOKIE}=${TEXT}\r\n`));
  assert(text("cookie").startsWith("GET / HTTP/1.1\r\nHost: example.org\r\n"));
  assert(text("query").startsWith(`GET /?bn1=${TEXT} HTTP/1.1\r\n`));
  assert(text("query", "/x?y=1").startsWith(`GET /x?y=1&bn1=${TEXT} HTTP`));
  assert(text("body").startsWith("POST / HTTP/1.1\r\n"));
  assert(text("body").endsWith(`\r\n\r\nbn1=${TEXT}`));
  assert(text("body").includes(`Content-Length: ${TEXT.length + 4}\r\n`));
});

Deno.test("makeTicketRequest() sends the header fields of the profile's browser, whichever carrier", () => {
  for (const version of [106, 119, 131, "latest"] as const) {
    const profile = profileOf(version);
    const target = { authority: "", path: "/" };
    const own = new Map(navigationFields(profile, target));
    for (const carrier of CARRIERS) {
      const { head } = makeTicketRequest({
        carrier,
        payload: PAYLOAD,
        host: "example.org",
        cookieName: COOKIE,
        profile,
      });
      const sent = new Map(
        head.fields.map(([name, value]) => [name.toLowerCase(), value]),
      );
      for (
        const name of [
          ...["sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform"],
          ...["user-agent", "accept", "accept-encoding", "accept-language"],
        ]
      ) assertEquals(sent.get(name), own.get(name), `${version} ${name}`);
      assertEquals(sent.has("priority"), false);
    }
  }
});

Deno.test("makeTicketRequest() puts WebSocket fields in place of its own", () => {
  const { head, body } = makeTicketRequest({
    carrier: "cookie",
    payload: PAYLOAD,
    host: "example.org",
    cookieName: COOKIE,
    upgrade: [["Sec-WebSocket-Key", "k"], ["Origin", "https://other"]],
  });
  assertEquals(body.length, 0);
  assertEquals(head.fields.map(([name]) => name), [
    "Host",
    "Connection",
    "Pragma",
    "Cache-Control",
    "User-Agent",
    "Upgrade",
    "Origin",
    "Sec-WebSocket-Version",
    "Accept-Encoding",
    "Accept-Language",
    "Sec-WebSocket-Key",
    "Cookie",
  ]);
  assertEquals(head.fields[6], ["Origin", "https://other"]);
});

Deno.test("makeTicketRequest() refuses text that would break out of its place", () => {
  const good = {
    carrier: "cookie",
    payload: PAYLOAD,
    host: "a",
    cookieName: COOKIE,
  } as const;
  for (
    const bad of [
      { host: "a\r\nX: y" },
      { host: "a/b" },
      { path: "b" },
      { path: "/a b" },
      { path: "/a#b" },
      { path: "/a\r\n" },
      { cookieName: "a=b" },
      { cookieName: "" },
      { carrier: "body", upgrade: [] },
    ] as const
  ) {
    assertThrows(() => makeTicketRequest({ ...good, ...bad }), TypeError);
  }
});

Deno.test("findTicket() finds a cookie among others", () => {
  const bytes = get("/", `cookie: a=b;${COOKIE}=${TEXT}; c=d`);
  assertEquals((findTicket(bytes, COOKIE) as TicketRequest).payload, PAYLOAD);
  assertEquals(findTicket(bytes, "other"), "none");
});

Deno.test("findTicket() accepts one carrier only", () => {
  const cookie = `Cookie: ${COOKIE}=${TEXT}`;
  for (
    const bytes of [
      get(`/?bn1=${TEXT}`, cookie),
      get(`/?bn1=${TEXT}&bn1=${TEXT}`),
      get("/", cookie, cookie),
      get("/", `${cookie}; ${COOKIE}=${TEXT}`),
      get("/", `${cookie}; ${COOKIE}=`),
      post(`bn1=${TEXT}`, FORM, cookie),
    ]
  ) {
    assertEquals(findTicket(bytes, COOKIE), "malformed");
  }
});

Deno.test("findTicket() takes bad base64url and impossible sizes for malformed", () => {
  const bad = [
    "",
    "x",
    TEXT.slice(0, -1),
    `${TEXT}=`,
    `${TEXT.slice(0, -1)}+`,
    `${TEXT.slice(0, -1)}%`,
    `"${TEXT}"`,
    encodeBase64Url(new Uint8Array(128)),
    encodeBase64Url(new Uint8Array(170)),
    "A".repeat(7000),
  ];
  for (const text of bad) {
    const cookie = get("/", `Cookie: ${COOKIE}=${text}`);
    assertEquals(findTicket(cookie, COOKIE), "malformed");
    const query = get(`/?bn1=${text}`);
    assertEquals(findTicket(query, COOKIE), "malformed");
  }
});

/** Requests without a ticket, known for that by their last byte at the latest. */
const ORDINARY = [
  get("/"),
  get("/?q=bn1", "Cookie: theme=dark"),
  get(`/?xbn1=${TEXT}`),
  get(`/${TEXT}`),
  utf8("HEAD "),
  utf8("POSX"),
  utf8("\r\n"),
  utf8("get / "),
  Uint8Array.of(0x16, 0x03, 0x01),
  utf8("GET / HTTP/2\r\n"),
  utf8("GET / HTTP/1.1\r\nbad field\r\n"),
  utf8("GET / HTTP/1.1\nHost: a\n"),
  utf8(`GET / HTTP/1.1\r\nX: ${"a".repeat(MAX_TICKET_HEAD_LENGTH)}`),
  get("/", `X: ${"a".repeat(MAX_TICKET_HEAD_LENGTH)}`),
];

Deno.test("findTicket() gives ordinary requests away as soon as they are known", () => {
  for (const bytes of ORDINARY) assertEquals(findTicket(bytes, COOKIE), "none");
});

Deno.test("findTicket() says the same whether it is told what was searched or not", () => {
  const texts = ["GET / HTTP/1.1\r\nA: b\nC: d\r\n", "GET / HTTP/1.1\r\n\n"];
  const requests = [...ORDINARY, ...CARRIERS.map((c) => request(c))];
  for (const bytes of [...requests, ...texts.map(utf8)]) {
    for (const step of [1, 2, 7]) {
      let found;
      for (let n = 0; found === undefined && n < bytes.length;) {
        const searched = n;
        n = Math.min(n + step, bytes.length);
        found = findTicket(bytes.subarray(0, n), COOKIE, searched);
        assertEquals(found, findTicket(bytes.subarray(0, n), COOKIE), `${n}`);
      }
      assert(found);
    }
  }
});

Deno.test("findTicket() takes little time for a head that comes byte by byte", () => {
  const start = performance.now();
  for (const filling of ["\r", "a:\r\n"]) {
    const text = "GET / HTTP/1.1\r\nA:\r\n" + filling.repeat(8192);
    const bytes = utf8(text).subarray(0, MAX_TICKET_HEAD_LENGTH);
    for (let n = 1; n <= bytes.length; n++) {
      assertEquals(findTicket(bytes.subarray(0, n), COOKIE, n - 1), undefined);
    }
  }
  assertLess(performance.now() - start, 1_000);
});

Deno.test("findTicket() waits only for bodies that can be a ticket", () => {
  const body = `bn1=${TEXT}`;
  const head = post(body, FORM).length - body.length;
  assertEquals(
    findTicket(post(body, FORM).subarray(0, head), COOKIE),
    undefined,
  );
  const none = [
    post(body),
    post(body, "Content-Type: text/plain"),
    post(body, FORM, "Transfer-Encoding: chunked"),
    post(body, FORM, "Expect: 100-continue"),
    post(body, FORM, `Content-Length: ${body.length}`),
    post(`bn1=${"A".repeat(227)}`, FORM),
    post("b".repeat(900), FORM),
    post(`bn2=${TEXT}`, FORM),
    post(`bn1=${TEXT.slice(0, -1)}&`, FORM),
    post(`bn1=${TEXT}`, FORM).subarray(0, head - 1 + 2).fill(0x7a, head),
  ];
  for (const [i, bytes] of none.entries()) {
    assertEquals(findTicket(bytes, COOKIE), "none", `case ${i}`);
  }
});
