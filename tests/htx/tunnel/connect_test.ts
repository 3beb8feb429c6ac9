import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { DecodeError, utf8 } from "../../../src/core/bytes/mod.ts";
import { BodyFrame } from "../../../src/htx/tunnel/body_frame.ts";
import {
  decodeProxyRequest,
  encodeConnectGranted,
  encodeProxyError,
} from "../../../src/htx/tunnel/connect.ts";
import { formatTarget } from "../../../src/htx/tunnel/target.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const request = (line: string, ...fields: string[]) =>
  utf8([line, ...fields, "", ""].join("\r\n"));
const connect = (target: string, ...fields: string[]) =>
  request(`CONNECT ${target} HTTP/1.1`, "Host: x", ...fields);
const get = (url: string, ...fields: string[]) =>
  request(`GET ${url} HTTP/1.1`, "Host: x", ...fields);

/** `target | head | body` of a plain request. */
function forwarded(bytes: Uint8Array) {
  const decoded = decodeProxyRequest(bytes);
  if (decoded?.kind !== "http") throw new TypeError("Want a plain request");
  assertEquals(decoded.length, bytes.length);
  return {
    target: formatTarget(decoded.target),
    lines: text(decoded.head).split("\r\n").slice(0, -2),
    body: decoded.body,
  };
}

Deno.test("decodeProxyRequest() reads CONNECT authorities strictly", () => {
  for (
    const [authority, want] of [
      ["example.com:443", "example.com:443"],
      ["EXAMPLE.com:443", "example.com:443"],
      ["127.0.0.1:80", "127.0.0.1:80"],
      ["[2001:DB8::1]:443", "[2001:db8::1]:443"],
    ] as const
  ) {
    const bytes = connect(authority);
    const decoded = decodeProxyRequest(bytes);
    assertEquals(
      decoded?.kind === "connect" && formatTarget(decoded.target),
      want,
    );
    assertEquals(decoded?.length, bytes.length);
    for (let n = 0; n < bytes.length; n++) {
      assertEquals(decodeProxyRequest(bytes.subarray(0, n)), undefined);
    }
  }
  for (
    const authority of [
      "example.com",
      "example.com:",
      "example.com:0",
      "example.com:65536",
      "2001:db8::1:443",
      "[::1]",
      "[::1",
      "[example.com]:80",
      "http://example.com:80/",
      "user@example.com:80",
      "example.com:80/",
      "127.1:80",
      "*",
      "/",
    ]
  ) {
    assertThrows(() => decodeProxyRequest(connect(authority)), DecodeError);
  }
});

Deno.test("decodeProxyRequest() rewrites absolute form to origin form", () => {
  for (
    const [url, target, line, host] of [
      [
        "http://Example.com/a?b=c",
        "example.com:80",
        "GET /a?b=c HTTP/1.1",
        "example.com",
      ],
      ["http://example.com", "example.com:80", "GET / HTTP/1.1", "example.com"],
      [
        "http://example.com?q",
        "example.com:80",
        "GET /?q HTTP/1.1",
        "example.com",
      ],
      [
        "HTTP://example.com:8080//x",
        "example.com:8080",
        "GET //x HTTP/1.1",
        "example.com:8080",
      ],
      ["http://[::1]:8080/", "[::1]:8080", "GET / HTTP/1.1", "[::1]:8080"],
    ] as const
  ) {
    assertEquals(forwarded(get(url)), {
      target,
      lines: [line, `Host: ${host}`, "Connection: close"],
      body: 0,
    });
  }
  assertEquals(
    forwarded(request("OPTIONS http://a.example HTTP/1.1", "Host: a")).lines[0],
    "OPTIONS * HTTP/1.1",
  );
  for (
    const url of [
      "/",
      "*",
      "https://example.com/",
      "http://",
      "http:///x",
      "http://u:p@example.com/",
      "http://example.com/#f",
      "http://example.com:0/",
      "http://exa mple.com/",
      "http://0x7f.1/",
      "ftp://example.com/",
    ]
  ) assertThrows(() => decodeProxyRequest(get(url)), DecodeError);
});

Deno.test("decodeProxyRequest() drops hop-by-hop fields and those Connection names, never the framing", () => {
  const { lines, body } = forwarded(request(
    "POST http://a.example/ HTTP/1.1",
    "Host: evil.example",
    "Connection: keep-alive, X-Hop, Content-Length, host",
    "Keep-Alive: 5",
    "Proxy-Connection: keep-alive",
    "Proxy-Authorization: Basic eDp5",
    "TE: trailers",
    "Upgrade: h2c",
    "X-Hop: 1",
    "X-End: 2",
    "Content-Length: 3",
  ));
  assertEquals(lines, [
    "POST / HTTP/1.1",
    "Host: a.example",
    "X-End: 2",
    "Content-Length: 3",
    "Connection: close",
  ]);
  assertEquals(body, 3);
});

Deno.test("decodeProxyRequest() refuses every ambiguous framing", () => {
  const chunked = "Transfer-Encoding: chunked";
  assertEquals(forwarded(get("http://a/", chunked)).body, "chunked");
  for (
    const fields of [
      ["Content-Length: 1", chunked],
      [chunked, "Content-Length: 1"],
      ["Content-Length: 1", "Content-Length: 1"],
      ["Content-Length: 1", "Content-Length: 2"],
      ["Content-Length: 1, 1"],
      ["Content-Length: +1"],
      ["Content-Length: -1"],
      ["Content-Length: 0x1"],
      ["Content-Length: 1 " + "1"],
      ["Content-Length:"],
      ["Content-Length: 9999999999999999"],
      ["Content-Length : 1"],
      [chunked, chunked],
      ["Transfer-Encoding: chunked, chunked"],
      ["Transfer-Encoding: gzip, chunked"],
      ["Transfer-Encoding: identity"],
      ["Transfer-Encoding: xchunked"],
      ["Transfer-Encoding : chunked"],
      ["Transfer-Encoding:\x0bchunked"],
      ["X: 1", " Transfer-Encoding: chunked"], // obs-fold
      ["X: 1\nTransfer-Encoding: chunked"], // bare LF
      ["X: 1\rTransfer-Encoding: chunked"], // bare CR
      ["X: a\0b"],
      ["Host: y"],
    ]
  ) {
    assertThrows(
      () => decodeProxyRequest(get("http://a/", ...fields)),
      DecodeError,
      "",
      fields.join(" | "),
    );
  }
  assertThrows(
    () => decodeProxyRequest(request("GET http://a/ HTTP/1.1")),
    DecodeError,
    "Host",
  );
  assertThrows(
    () => decodeProxyRequest(request("GET http://a/ HTTP/1.0", chunked)),
    DecodeError,
  );
  for (const field of [chunked, "Content-Length: 1"]) {
    assertThrows(() => decodeProxyRequest(connect("a:1", field)), DecodeError);
  }
  assertThrows(
    () =>
      decodeProxyRequest(utf8("GET http://a/ HTTP/1.1\nHost: a\n\n\r\n\r\n")),
    DecodeError,
  );
});

Deno.test("decodeProxyRequest() refuses an endless head", () => {
  const endless = utf8("GET http://a/ HTTP/1.1\r\nX: " + "a".repeat(16_384));
  assertThrows(() => decodeProxyRequest(endless), DecodeError);
});

Deno.test("decodeProxyRequest() wants the credentials if there are some", () => {
  const credentials = { username: "me", password: "p:ä" };
  const kind = (...fields: string[]) =>
    decodeProxyRequest(connect("a:1", ...fields), credentials)?.kind;
  const token = utf8("me:p:ä").toBase64();
  assertEquals(kind(`Proxy-Authorization: Basic ${token}`), "connect");
  assertEquals(kind(`proxy-authorization: basic  ${token}`), "connect");
  assertEquals(kind(), "unauthorized");
  assertEquals(kind(`Authorization: Basic ${token}`), "unauthorized");
  assertEquals(kind("Proxy-Authorization: Basic bWU6eA=="), "unauthorized");
  assertEquals(kind(`Proxy-Authorization: Bearer ${token}`), "unauthorized");
  assertEquals(
    kind(...Array(2).fill(`Proxy-Authorization: Basic ${token}`)),
    "unauthorized",
  );
});

Deno.test("encodeProxyError() frames its small body", () => {
  const [head, body] = text(encodeProxyError(403, "not allowed")).split(
    "\r\n\r\n",
  );
  assertStringIncludes(head!, "HTTP/1.1 403 Forbidden\r\n");
  assertStringIncludes(head!, `Content-Length: ${body!.length}\r\n`);
  assertStringIncludes(head!, "Connection: close");
  assertStringIncludes(
    text(encodeProxyError(407, "x")),
    "Proxy-Authenticate: Basic",
  );
  assertEquals(
    text(encodeConnectGranted()),
    "HTTP/1.1 200 Connection established\r\n\r\n",
  );
});

/** How many bytes of `body` a frame takes, fed `step` at a time, and whether it is done. */
function take(body: string, step: number) {
  const bytes = utf8(body);
  const frame = new BodyFrame("chunked");
  let taken = 0;
  for (let at = 0; at < bytes.length; at += step) {
    taken += frame.take(bytes.subarray(at, at + step));
  }
  return { taken, done: frame.done };
}

Deno.test("BodyFrame finds the end of a chunked body in pieces of any size", () => {
  for (
    const body of [
      "0\r\n\r\n",
      "3\r\nabc\r\n0\r\n\r\n",
      '00a;x="y"\r\n0123456789\r\nB\r\n01234567890\r\n000\r\n\r\n',
    ]
  ) {
    for (let step = 1; step <= body.length + 9; step++) {
      assertEquals(take(body + "GET / HTTP/1.1\r\n", step), {
        taken: body.length,
        done: true,
      });
    }
    for (let n = 0; n < body.length; n++) {
      assertEquals(take(body.slice(0, n), 1), { taken: n, done: false });
    }
  }
});

Deno.test("BodyFrame refuses malformed chunks, trailers and long lines", () => {
  for (
    const body of [
      "\r\n",
      "g\r\n",
      "-1\r\n",
      "0x1\r\n",
      " 1\r\n",
      "1 \r\n",
      "1\n",
      "1\rX",
      "1;a\n\r\n",
      "1;a\0\r\n",
      ";a\r\n",
      "1\r\nabc",
      "1\r\na\n",
      "0\r\nX: y\r\n\r\n",
      "0\r\n\n",
      "fffffffffff\r\n",
      "00000000001\r\n",
      `1;${"a".repeat(300)}\r\n`,
    ]
  ) assertThrows(() => take(body, 1), DecodeError, "", JSON.stringify(body));
});

Deno.test("BodyFrame counts a body of known length", () => {
  const frame = new BodyFrame(5);
  assertEquals(frame.take(utf8("abc")), 3);
  assertEquals(frame.done, false);
  assertEquals(frame.take(utf8("defg")), 2);
  assertEquals(frame.done, true);
  assertEquals(new BodyFrame(0).done, true);
});

Deno.test("decodeProxyRequest() passes on field bytes above 0x7f unchanged", () => {
  const decoded = decodeProxyRequest(get("http://a/", "X: \u00e9\u00ff"));
  const want = "X: \u00e9\u00ff\r\n";
  assertEquals(
    decoded?.kind === "http" && text(decoded.head).includes(want),
    true,
  );
});
