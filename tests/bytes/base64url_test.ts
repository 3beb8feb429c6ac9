import { assertEquals, assertThrows } from "@std/assert";
import {
  decodeBase64Url,
  DecodeError,
  encodeBase64Url,
  utf8,
} from "../../src/core/bytes/mod.ts";

/** RFC 4648 §10, without padding. */
const RFC_4648: readonly [plain: string, encoded: string][] = [
  ["", ""],
  ["f", "Zg"],
  ["fo", "Zm8"],
  ["foo", "Zm9v"],
  ["foob", "Zm9vYg"],
  ["fooba", "Zm9vYmE"],
  ["foobar", "Zm9vYmFy"],
];

Deno.test("base64url agrees with RFC 4648 §10", () => {
  for (const [plain, encoded] of RFC_4648) {
    assertEquals(encodeBase64Url(utf8(plain)), encoded);
    assertEquals(decodeBase64Url(encoded), utf8(plain));
  }
});

Deno.test("base64url round-trips every byte with - and _", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  assertEquals(decodeBase64Url(encodeBase64Url(bytes)), bytes);
  assertEquals(encodeBase64Url(Uint8Array.of(0xfb, 0xff)), "-_8");
});

Deno.test("decodeBase64Url() rejects padding, the other alphabet, spaces and impossible lengths", () => {
  for (const text of ["Zg==", "Zm8=", "+/8", "Zm 9v", "Zm9v\n", "Z", "Zm9vY"]) {
    assertThrows(() => decodeBase64Url(text), DecodeError, "unpadded");
  }
});

Deno.test("decodeBase64Url() rejects spare bits that are not zero", () => {
  for (const text of ["Zh", "Zv", "Zm9", "Zm9vYmF"]) {
    assertThrows(() => decodeBase64Url(text), DecodeError, "spare bits");
  }
});
