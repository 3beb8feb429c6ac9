import { assertEquals, assertThrows } from "@std/assert";
import { decodeHex, encodeHex } from "../../../src/core/bytes/mod.ts";
import { bpsec, Eid } from "../../../src/dtn/mod.ts";
import { bp7 } from "../bundle/_vectors.ts";

Deno.test("decodeSecurityBlock() reads the blocks of RFC 9173, and encodeSecurityBlock() gives back their bytes", () => {
  for (const each of bp7.rfc9173) {
    for (const hex of [each.bib_asb, each.bcb_asb, each.bib_plain_asb]) {
      if (hex === undefined) continue;
      const block = bpsec.decodeSecurityBlock(decodeHex(hex));
      assertEquals(encodeHex(bpsec.encodeSecurityBlock(block)), hex);
    }
  }
});

Deno.test("encodeSecurityBlock() writes no parameters if there are none", () => {
  const block = {
    targets: [0, 300],
    contextId: 77,
    source: Eid.parse("dtn://n1/"),
    parameters: [],
    results: [[], [[4, 5], [300, new Uint8Array(30)]]],
  } as const;
  const bytes = bpsec.encodeSecurityBlock(block);
  assertEquals(bytes.subarray(0, 8).toHex(), "820019012c184d00");
  assertEquals(bpsec.decodeSecurityBlock(bytes), block);
});

Deno.test("decodeSecurityBlock() refuses what is none, every truncation and every item that is added", () => {
  const good = bp7.rfc9173[1]!.bib_asb!;
  const bytes = decodeHex(good);
  const refuses = (data: Uint8Array) => {
    const decode = () => bpsec.decodeSecurityBlock(data);
    const error = assertThrows(decode, bpsec.BpsecError);
    assertEquals(error.code, "malformed");
  };
  for (let length = 0; length < bytes.length; length++) {
    refuses(bytes.subarray(0, length));
  }
  const bad = [
    `${good}00`,
    "80" + good.slice(4), // no target
    "820101" + good.slice(4), // a target twice
    "820102" + good.slice(4), // results of one target only
    good.replace("82820107", "82820107".replace("07", "f6")), // neither integer nor bytes
    "9f01ff" + good.slice(4), // an indefinite length
    good.replace("828201078203", "918201078203"), // too many parameters
    "990102" + "00".repeat(258) + good.slice(4), // too many targets
    good.replace("828201078203", "828201078201"), // a parameter twice
  ];
  for (const hex of bad) refuses(decodeHex(hex));
});
