import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { concat, DecodeError, utf8 } from "../../src/core/bytes/mod.ts";
import {
  decodeRequestHead,
  decodeResponseHead,
  encodeRequestHead,
  encodeResponseHead,
  fieldValue,
  HTTP_HEAD_LIMIT,
} from "../../src/core/transport/mod.ts";

const HEAD = "GET /a?b HTTP/1.1\r\nHost: x\r\nA:\t b c \t\r\nEmpty:\r\n\r\n";

Deno.test("decodeRequestHead() reads a head and leaves what follows", () => {
  const { head, length } = decodeRequestHead(utf8(HEAD + "body"))!;
  assertEquals(head, {
    method: "GET",
    target: "/a?b",
    fields: [["Host", "x"], ["A", "b c"], ["Empty", ""]],
  });
  assertEquals(length, HEAD.length);
});

Deno.test("decodeRequestHead() wants more of every part of a head", () => {
  for (let length = 0; length < HEAD.length; length++) {
    assertEquals(decodeRequestHead(utf8(HEAD.slice(0, length))), undefined);
  }
});

Deno.test("decodeResponseHead() reads a head with and without a reason", () => {
  const head = (line: string) =>
    decodeResponseHead(utf8(line + "\r\n\r\n"))!.head;
  assertEquals(head("HTTP/1.1 101 Switching Protocols"), {
    status: 101,
    reason: "Switching Protocols",
    fields: [],
  });
  assertEquals(head("HTTP/1.0 599").reason, "");
});

Deno.test("the decoders refuse what RFC 9112 forbids", () => {
  const lines = [
    "GET  / HTTP/1.1",
    "GET / HTTP/2.0",
    "GET / HTTP/1.1 ",
    "GET /\x7f HTTP/1.1",
    "G(T / HTTP/1.1",
    " GET / HTTP/1.1",
    "",
    "GET / HTTP/1.1\r\nNo colon",
    "GET / HTTP/1.1\r\nName : space",
    "GET / HTTP/1.1\r\n folded: line",
    "GET / HTTP/1.1\r\nA: b\r\n folded",
    "GET / HTTP/1.1\r\nA: b\nC: d",
    "GET / HTTP/1.1\r\nA: b\rC: d",
    "GET / HTTP/1.1\r\nA: b\0c",
    "GET / HTTP/1.1\r\n: no name",
  ];
  for (const line of lines) {
    assertThrows(() => decodeRequestHead(utf8(line + "\r\n\r\n")), DecodeError);
  }
  for (const line of ["HTTP/1.1 99 x", "HTTP/1.1 600 x", "HTTP/1.1 200 \x01"]) {
    assertThrows(
      () => decodeResponseHead(utf8(line + "\r\n\r\n")),
      DecodeError,
    );
  }
});

Deno.test("the decoders refuse a head above the limit, whole or not", () => {
  const start = "GET / HTTP/1.1\r\nA: ";
  const pad = "x".repeat(HTTP_HEAD_LIMIT - start.length - 4);
  const whole = utf8(start + pad + "\r\n\r\n");
  assertEquals(decodeRequestHead(whole)!.length, HTTP_HEAD_LIMIT);
  const longer = utf8(start + pad + "x\r\n\r\n");
  assertThrows(() => decodeRequestHead(longer), DecodeError);
  assertEquals(decodeRequestHead(whole.subarray(0, -1)), undefined);
  const endless = new Uint8Array(HTTP_HEAD_LIMIT).fill(0x61);
  assertThrows(() => decodeRequestHead(endless), DecodeError);
});

Deno.test("decodeRequestHead() takes linear time on white space", () => {
  const spaces = new Uint8Array(HTTP_HEAD_LIMIT - 40).fill(0x20);
  const head = concat(utf8("GET / HTTP/1.1\r\nA:"), spaces, utf8("\0\r\n\r\n"));
  const start = performance.now();
  for (let i = 0; i < 20; i++) {
    assertThrows(() => decodeRequestHead(head), DecodeError);
  }
  assertLess(performance.now() - start, 500);
});

Deno.test("decodeRequestHead() takes little time for line ends that come one by one", () => {
  const returns = new Uint8Array(HTTP_HEAD_LIMIT - 1).fill(0x0d);
  const start = performance.now();
  for (let n = 1; n <= returns.length; n++) {
    assertEquals(decodeRequestHead(returns.subarray(0, n)), undefined);
  }
  assertLess(performance.now() - start, 1_000);
});

Deno.test("bytes above 0x7f survive a round trip", () => {
  const head = {
    status: 200,
    reason: "\xe9",
    fields: [["A", "\xa0\xff"]],
  } as const;
  const bytes = encodeResponseHead(head);
  assert(bytes.includes(0xff));
  assertEquals(decodeResponseHead(bytes)!.head, head);
});

Deno.test("the encoders refuse what would not decode", () => {
  const request = { method: "GET", target: "/", fields: [] };
  const response = { status: 200, reason: "OK", fields: [] };
  for (
    const change of [
      { method: "GET /\r\n" },
      { target: "/ HTTP/1.1\r\nA: b\r\n" },
      { target: "" },
      { fields: [["A", "b\r\nC: d"]] as const },
      { fields: [["A\r\nB", "c"]] as const },
      { fields: [["A", "\u0100"]] as const },
    ]
  ) {
    assertThrows(() => encodeRequestHead({ ...request, ...change }), TypeError);
  }
  for (const change of [{ status: 99 }, { reason: "OK\r\nA: b" }]) {
    assertThrows(
      () => encodeResponseHead({ ...response, ...change }),
      TypeError,
    );
  }
});

Deno.test("fieldValue() finds a field in any case, unless it is repeated", () => {
  const fields = [["Host", "x"], ["A", "1"], ["a", "2"]] as const;
  assertEquals(fieldValue(fields, "HOST"), "x");
  assertEquals(fieldValue(fields, "a"), undefined);
  assertEquals(fieldValue(fields, "b"), undefined);
});
