import { assertEquals, assertThrows } from "@std/assert";
import { DecodeError, decodeHex, encodeHex } from "../../src/core/bytes/mod.ts";

Deno.test("hex round-trips every byte", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  assertEquals(decodeHex(encodeHex(bytes)), bytes);
  assertEquals(encodeHex(Uint8Array.of(0, 0xab)), "00ab");
  assertEquals(encodeHex(new Uint8Array(0)), "");
});

Deno.test("decodeHex() takes both cases", () => {
  assertEquals(decodeHex("aBCd"), Uint8Array.of(0xab, 0xcd));
});

Deno.test("decodeHex() rejects odd lengths and other characters without quoting them", () => {
  for (const text of ["a", "0g", "0x00", " 00", "00\n", "\uff10\uff10"]) {
    const error = assertThrows(() => decodeHex(text), DecodeError);
    assertEquals(
      error.message,
      "Cannot decode hex: want an even number of hex digits",
    );
  }
});
