import { assertEquals, assertThrows } from "@std/assert";
import { decodeHex, encodeHex } from "../../../src/core/bytes/mod.ts";
import {
  decodeContactHeader,
  encodeContactHeader,
} from "../../../src/dtn/tcpcl/contact_header.ts";
import { TcpclError } from "../../../src/dtn/tcpcl/error.ts";
import { tcpclv4 } from "./_vectors.ts";

Deno.test("decodeContactHeader() takes what others send, and ignores flags it does not know", () => {
  for (const { hex, can_tls, flags } of tcpclv4.contact_header.ok) {
    const canTls = can_tls ?? (flags! & 1) === 1;
    assertEquals(decodeContactHeader(decodeHex(hex)), { canTls });
  }
});

Deno.test("decodeContactHeader() refuses other magic, versions and lengths", () => {
  const codes = tcpclv4.contact_header.bad.map((hex) =>
    assertThrows(() => decodeContactHeader(decodeHex(hex)), TcpclError).code
  );
  assertEquals(codes, ["malformed", "malformed", "version"]);
  const version3 = decodeHex("64746e210300");
  assertEquals(
    assertThrows(() => decodeContactHeader(version3), TcpclError).code,
    "version",
  );
});

Deno.test("encodeContactHeader() says whether TLS can be spoken", () => {
  assertEquals(
    encodeHex(encodeContactHeader({ canTls: false })),
    "64746e210400",
  );
  assertEquals(
    encodeHex(encodeContactHeader({ canTls: true })),
    "64746e210401",
  );
});
