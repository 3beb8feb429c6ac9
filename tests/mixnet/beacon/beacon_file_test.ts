import { assertEquals, assertThrows } from "@std/assert";
import { encodeHex } from "../../../src/core/bytes/mod.ts";
import { beacon } from "../../../src/mixnet/mod.ts";
import { valueOf } from "./_served.ts";

const HEX = "5a".repeat(32);

Deno.test("parseBeaconFile() gives a source for each component that is named", async () => {
  const sources = beacon.parseBeaconFile(JSON.stringify({
    "7": { dice: HEX, coins: "00".repeat(32) },
    "8": { coins: HEX.toUpperCase() },
  }));
  assertEquals(sources.map(({ name }) => name), ["dice", "coins"]);
  const [dice, coins] = sources;
  const value = async (source: beacon.BeaconSource, epoch: number) =>
    encodeHex(await valueOf(source, epoch) ?? new Uint8Array(0));
  assertEquals(await value(dice!, 7), HEX);
  assertEquals(await value(dice!, 8), "");
  assertEquals(await value(coins!, 7), "00".repeat(32));
  assertEquals(await value(coins!, 8), HEX);
  assertEquals(await value(coins!, 9), "");
});

Deno.test("parseBeaconFile() refuses what is no such file", () => {
  for (
    const text of [
      "",
      "[]",
      "{",
      `{"7":[]}`,
      `{"x":{}}`,
      `{"-1":{}}`,
      `{"07":{}}`,
      `{"7":{"Dice":"${HEX}"}}`,
      `{"7":{"dice":"${HEX}00"}}`,
      `{"7":{"dice":"${HEX.slice(1)}x"}}`,
      `{"7":{"dice":5}}`,
    ]
  ) {
    const error = assertThrows(
      () => beacon.parseBeaconFile(text),
      beacon.BeaconError,
    );
    assertEquals(error.code, "malformed");
  }
  const many = Array.from({ length: 65_537 }, (_, epoch) => `"${epoch}":{}`);
  assertThrows(
    () => beacon.parseBeaconFile(`{${many.join()}}`),
    beacon.BeaconError,
    "65536",
  );
});
