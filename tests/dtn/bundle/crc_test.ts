import { assertEquals } from "@std/assert";
import { decodeHex } from "../../../src/core/bytes/mod.ts";
import { crc16X25, crc32c } from "../../../src/dtn/mod.ts";
import { blockCrc, CRC_TYPE } from "../../../src/dtn/bundle/crc.ts";
import { bp7 } from "./_vectors.ts";

Deno.test("crc16X25() and crc32c() give the check values of BSL and HDTN", () => {
  const { crc16_x25, crc32c: castagnoli } = bp7.fields.crc;
  for (const [hex, value] of crc16_x25) {
    assertEquals(crc16X25(decodeHex(hex!)), parseInt(value!, 16), hex);
  }
  for (const [hex, value] of castagnoli) {
    assertEquals(crc32c(decodeHex(hex!)), parseInt(value!, 16), hex);
  }
});

Deno.test("crc16X25() and crc32c() of every length up to 80 are those of a bit at a time", () => {
  const bytes = Uint8Array.from({ length: 80 }, (_, i) => i * 167 + 13);
  for (let length = 0; length <= bytes.length; length++) {
    const part = bytes.subarray(0, length);
    assertEquals(crc16X25(part), bitwise(part, 0x8408, 0xffff), `${length}`);
    assertEquals(crc32c(part), bitwise(part, 0x82f63b78, -1), `${length}`);
  }
});

Deno.test("blockCrc() takes its own field for zeros", () => {
  const bytes = Uint8Array.of(9, 1, 2, 3, 0, 0, 0, 0);
  assertEquals(
    blockCrc(CRC_TYPE.crc16, bytes, 1, 4),
    crc16X25(bytes.subarray(1, 6)),
  );
  assertEquals(
    blockCrc(CRC_TYPE.crc32c, bytes, 1, 4),
    crc32c(bytes.subarray(1, 8)),
  );
});

function bitwise(bytes: Uint8Array, polynomial: number, ones: number): number {
  let crc = ones;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    }
  }
  return (crc ^ ones) >>> 0;
}
