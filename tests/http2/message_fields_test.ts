import { assert, assertEquals, assertThrows } from "@std/assert";
import { type HeaderField, Http2Error } from "../../src/http2/mod.ts";
import { checkFields } from "../../src/http2/message_fields.ts";
import { GET } from "./_peer.ts";

/** Requests that RFC 9113 §8.2 and §8.3 call malformed. */
const MALFORMED: [what: string, fields: readonly HeaderField[]][] = [
  ["a name in upper case", [...GET, ["X-a", "1"]]],
  ["a name with a blank", [...GET, ["x a", "1"]]],
  ["an empty name", [...GET, ["", "1"]]],
  ["a value with a line end", [...GET, ["x", "a\r\nb: c"]]],
  ["a value that begins with a blank", [...GET, ["x", " a"]]],
  ["Connection", [...GET, ["connection", "close"]]],
  ["Transfer-Encoding", [...GET, ["transfer-encoding", "chunked"]]],
  ["TE", [...GET, ["te", "gzip"]]],
  ["two content lengths", [
    ...GET,
    ["content-length", "0"],
    ["content-length", "1"],
  ]],
  ["a content length in hex", [...GET, ["content-length", "0x"]]],
  ["another host", [...GET, ["host", "example.com"]]],
  ["an unknown pseudo-field", [...GET, [":x", "1"]]],
  ["the field of a response", [...GET, [":status", "200"]]],
  ["a pseudo-field behind a field", [
    ["x", "1"],
    ...GET,
  ]],
  ["two methods", [...GET, [":method", "GET"]]],
  ["no method", without(":method")],
  ["no scheme", without(":scheme")],
  ["no path", without(":path")],
  ["an empty path", [...without(":path"), [":path", ""]]],
  ["CONNECT with a path", [
    ...without(":method"),
    [":method", "CONNECT"],
  ]],
];

Deno.test("checkFields() refuses malformed requests, for the stream", () => {
  for (const [what, fields] of MALFORMED) {
    const error = assertThrows(
      () => checkFields("request", fields, 7),
      Http2Error,
      "",
      what,
    );
    assert(error instanceof Http2Error);
    assertEquals([error.code, error.streamId], ["protocolError", 7], what);
  }
});

Deno.test("checkFields() says what a message is", () => {
  const length: HeaderField = ["content-length", "12"];
  assertEquals(checkFields("request", [...GET, length], 1), {
    method: "GET",
    contentLength: 12,
  });
  assertEquals(checkFields("response", [[":status", "204"]], 1), {
    status: 204,
  });
  const connect: HeaderField[] = [[":method", "CONNECT"], [
    ":authority",
    "x:1",
  ]];
  assertEquals(checkFields("request", connect, 1), { method: "CONNECT" });
  const options: HeaderField[] = [
    [":method", "OPTIONS"],
    [":scheme", "https"],
    [":path", "*"],
    ["te", "trailers"],
  ];
  assertEquals(checkFields("request", options, 1), { method: "OPTIONS" });
  assertEquals(checkFields("trailers", [["x", "1"]], 1), {});
});

function without(name: string): readonly HeaderField[] {
  return GET.filter((field) => field[0] !== name);
}
