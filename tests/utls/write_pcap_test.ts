import { assertEquals, assertThrows } from "@std/assert";
import { decodeHex } from "../../src/core/bytes/mod.ts";
import { hellosIn, writePcap } from "../../src/utls/mod.ts";
import { captures } from "./_chrome_captures.ts";

const RECORDS = captures().slice(-3)
  .map(({ full }) => decodeHex(full[0]!.record));

const STREAMS = RECORDS.map((bytes, i) => ({
  source: { address: "192.0.2.7", port: 50_000 + i },
  destination: { address: "198.51.100.1", port: 443 },
  timestampMs: 1_700_000_000_123 + i,
  bytes,
}));

Deno.test("writePcap() writes what hellosIn() reads", () => {
  const found = [...hellosIn(writePcap(STREAMS))];
  assertEquals(
    found.map(({ message, source, destination, timestampMs }) => ({
      source,
      destination,
      timestampMs,
      message,
    })),
    STREAMS.map(({ bytes, ...ends }) => ({ ...ends, message: bytes.slice(5) })),
  );
});

Deno.test("writePcap() refuses addresses and ports that are none", () => {
  for (const end of [{ address: "::1", port: 1 }, { address: "x", port: 1 }]) {
    assertThrows(
      () => writePcap([{ ...STREAMS[0]!, source: end }]),
      RangeError,
      "IPv4",
    );
  }
  const source = { address: "192.0.2.7", port: 65_536 };
  assertThrows(() => writePcap([{ ...STREAMS[0]!, source }]), RangeError);
});
