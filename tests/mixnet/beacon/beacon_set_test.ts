import { assertEquals, assertThrows } from "@std/assert";
import { encodeHex } from "../../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import {
  beaconSet,
  fallbackBeaconSet,
  mixSeed,
} from "../../../src/mixnet/mod.ts";
import vectors from "../../vectors/betanet/betanet-1.1.json" with {
  type: "json",
};

const { beacon, mixSeed: seed, keys } = vectors;
const hex = (text: string) => Uint8Array.fromHex(text);
const COMPONENTS = new Map([
  ["drand", hex(beacon.drand)],
  ["nist", hex(beacon.nist)],
  ["eth", hex(beacon.eth)],
]);

Deno.test("beaconSet() is the XOR of the components, as the Betanet vector says", () => {
  const set = beaconSet(beacon.epochHour, COMPONENTS);
  assertEquals(encodeHex(set.value), beacon.BeaconSet);
  assertEquals(set.missing, []);
  assertEquals([...set.components.keys()], ["drand", "nist", "eth"]);
});

Deno.test("beaconSet() records which components were not to be had", () => {
  const set = beaconSet(1, new Map([...COMPONENTS, ["nist", undefined]]));
  assertEquals(set.missing, ["nist"]);
  assertEquals(encodeHex(set.value), "55".repeat(32));
});

Deno.test("beaconSet() is never made of nothing, nor of a component of another length", () => {
  const none = () => beaconSet(1, new Map([["drand", undefined]]));
  assertThrows(none, RangeError, "No component");
  const long = () => beaconSet(1, new Map([["nist", new Uint8Array(64)]]));
  assertThrows(long, RangeError, "32 bytes");
});

Deno.test("fallbackBeaconSet() and mixSeed() agree with the Betanet vectors", () => {
  const set = fallbackBeaconSet(
    crypto,
    beacon.epochHour,
    hex(keys["K0c(first32)"]),
    [
      "drand",
    ],
  );
  assertEquals(encodeHex(set.value), beacon["fallback(K0c)"]);
  assertEquals(set.missing, ["drand"]);
  const inputs = {
    beacon: hex(beacon.BeaconSet),
    source: hex(seed.src),
    destination: hex(seed.dst),
    streamNonce: hex(seed.streamNonce),
  };
  assertEquals(encodeHex(mixSeed(crypto, inputs)), seed.seed);
});
