import { assertEquals, assertThrows } from "@std/assert";
import { DecodeError, encodeHex } from "../../src/core/bytes/mod.ts";
import {
  decodeHello,
  encodeHello,
  type Hello,
  MAX_HELLO_LENGTH,
} from "../../src/betanet_cla/hello.ts";
import { BundleError } from "../../src/dtn/mod.ts";

const HELLO: Hello = {
  nodeId: "dtn://far/",
  receiving: { maxCount: 1_024, maxBytes: 67_108_864 },
  maxBundleBytes: 134_217_728,
  takesDatagrams: true,
};

Deno.test("encodeHello() lays it out as the table says, and decodeHello() gives it back", () => {
  const bytes = encodeHello(HELLO);
  assertEquals(
    encodeHex(bytes),
    "02" + "00000400" + "0000000004000000" + "0000000008000000" + "01" +
      "000a" +
      "64746e3a2f2f6661722f",
  );
  assertEquals(decodeHello(bytes), HELLO);
  const ipn = { ...HELLO, nodeId: "ipn:7.0", takesDatagrams: false };
  assertEquals(decodeHello(encodeHello(ipn)), ipn);
});

Deno.test("decodeHello() wants more of every start, and nothing behind", () => {
  const bytes = encodeHello(HELLO);
  for (let length = 0; length < bytes.length; length++) {
    assertEquals(decodeHello(bytes.subarray(0, length)), undefined);
  }
  const longer = new Uint8Array([...bytes, 0]);
  assertThrows(() => decodeHello(longer), DecodeError, "trailing");
});

Deno.test("decodeHello() refuses other versions, bounds out of range and what names no node", () => {
  const bytes = encodeHello(HELLO);
  const changed = (at: number, ...values: number[]) => {
    const copy = bytes.slice();
    copy.set(values, at);
    return copy;
  };
  const cases = [
    changed(0, 0),
    changed(0, 1),
    changed(0, 3),
    changed(1, 0, 0, 0, 0),
    changed(5, 0, 0, 0, 0, 0, 0, 0, 0),
    changed(5, 0, 32, 0, 0, 0, 0, 0, 0),
    changed(13, 0, 0, 0, 0, 0, 0, 0, 0),
    changed(21, 2),
    changed(22, 0, 0),
    changed(22, 4, 0),
    changed(24, 0xff),
    changed(24, 0x65),
    new Uint8Array([
      ...bytes.subarray(0, 22),
      ...[0, 8, 0x64, 0x74, 0x6e, 0x3a, 0x6e, 0x6f, 0x6e, 0x65],
    ]),
    new Uint8Array([
      ...bytes.subarray(0, 22),
      ...[0, 11],
      ...bytes.subarray(24),
      0x78,
    ]),
  ];
  for (const each of cases) {
    assertThrows(() => decodeHello(each), DecodeError, undefined, `${each}`);
  }
});

Deno.test("a hello of any changed byte is another hello or a DecodeError, never another error", () => {
  const bytes = encodeHello(HELLO);
  let refused = 0;
  for (let at = 0; at < bytes.length; at++) {
    for (let value = 0; value < 256; value++) {
      const copy = bytes.slice();
      copy[at] = value;
      try {
        const hello = decodeHello(copy);
        if (hello) assertEquals(encodeHello(hello), copy);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        refused++;
      }
    }
  }
  assertEquals(refused > 2_000, true, `${refused}`);
});

Deno.test("encodeHello() refuses bounds out of range and what names no node", () => {
  for (const nodeId of ["dtn://far/in", "dtn:none", "ipn:7.1", "far"]) {
    assertThrows(() => encodeHello({ ...HELLO, nodeId }), BundleError);
  }
  for (const maxBundleBytes of [0, 1.5, Infinity]) {
    assertThrows(() => encodeHello({ ...HELLO, maxBundleBytes }), RangeError);
  }
  const nodeId = `dtn://${"n".repeat(MAX_HELLO_LENGTH)}/`;
  assertThrows(() => encodeHello({ ...HELLO, nodeId }));
});
