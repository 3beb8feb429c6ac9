import { assertEquals } from "@std/assert";
import { decodeHex, encodeHex } from "../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import {
  DatagramOpener,
  DatagramSealer,
} from "../../src/htx/datagram_protection.ts";
import { datagramKeys, deriveSessionKeys } from "../../src/htx/keys.ts";
import vectors from "../vectors/betanet/datagrams.json" with { type: "json" };

const EMPTY = new Uint8Array();
const HOUR_MS = 3_600_000;
const PER_KEY = 65_536;

for (const vector of vectors.sessions) {
  const name = vector.exporter === "" ? "no exporter" : "an exporter";
  for (const side of ["client", "server"] as const) {
    const keys = () =>
      datagramKeys(
        crypto,
        deriveSessionKeys(crypto, {
          chainingKey: decodeHex(vector.chaining_key),
          handshakeHash: decodeHex(vector.handshake_hash),
          exporter: decodeHex(vector.exporter),
        })[side],
      );

    Deno.test(`DatagramOpener opens the datagrams of datagrams.json: ${side}, ${name}`, () => {
      using opener = new DatagramOpener(crypto, keys());
      for (const { datagram, message } of vector[side]) {
        assertEquals(opener.open(decodeHex(datagram)), decodeHex(message));
      }
    });

    Deno.test(`DatagramSealer seals the datagrams of datagrams.json: ${side}, ${name}`, () => {
      using sealer = new DatagramSealer(crypto, keys(), 0);
      let [next, nowMs] = [0, 0];
      for (const { number, datagram, message } of vector[side]) {
        for (;;) { // an hour leaves a key
          const nextKey = (Math.floor(next / PER_KEY) + 1) * PER_KEY;
          if (nextKey > number) break;
          nowMs += HOUR_MS;
          next = nextKey;
          if (next === number) break;
          sealer.seal(EMPTY, nowMs);
          next++;
        }
        for (; next < number; next++) sealer.seal(EMPTY, nowMs);
        const sealed = sealer.seal(decodeHex(message), nowMs);
        assertEquals(encodeHex(sealed), datagram, `${number}`);
        next++;
      }
    });
  }
}
