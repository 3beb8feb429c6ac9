import { assertEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../../src/core/bytes/mod.ts";
import {
  decodeMixAddress,
  encodeMixAddress,
  formatMixAddress,
  MIX_ADDRESS_LENGTH,
  parseMixAddress,
} from "../../../src/mixnet/client/mix_address.ts";

const ADDRESS = {
  gatewayId: new Uint8Array(32).fill(1),
  clientId: new Uint8Array(32).fill(2),
  sealKey: new Uint8Array(32).fill(3),
};

Deno.test("an address is gateway, client and seal key in base64url behind betanet-mix:", () => {
  const text = formatMixAddress(ADDRESS);
  assertEquals(
    text,
    "betanet-mix:" +
      "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQECAgICAgICAgICAgICAgIC" +
      "AgICAgICAgICAgICAgICAgMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMD",
  );
  assertEquals(parseMixAddress(text), ADDRESS);
  assertEquals(encodeMixAddress(ADDRESS).length, MIX_ADDRESS_LENGTH);
  assertEquals(decodeMixAddress(encodeMixAddress(ADDRESS)), ADDRESS);
});

Deno.test("parseMixAddress() refuses another scheme, length or alphabet", () => {
  const text = formatMixAddress(ADDRESS);
  for (
    const wrong of [
      "",
      text.slice(1),
      text.slice(0, -1),
      text.slice(0, -4),
      text + "AAAA",
      text.replace("AQ", "+/"),
    ]
  ) assertThrows(() => parseMixAddress(wrong), DecodeError);
  assertThrows(
    () => formatMixAddress({ ...ADDRESS, sealKey: new Uint8Array(31) }),
    RangeError,
  );
});
