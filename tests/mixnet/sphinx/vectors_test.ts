import { assert, assertEquals } from "@std/assert";
import { nobleProvider, nodeProvider } from "../../../src/core/crypto/mod.ts";
import {
  recoverMessage,
  recoverReply,
  sphinxGeometry,
  unwrapPacket,
} from "../../../src/mixnet/mod.ts";
import {
  expandSharedSecret,
  payloadKey,
} from "../../../src/mixnet/sphinx/key_expansion.ts";
import {
  lionessDecrypt,
  lionessEncrypt,
} from "../../../src/mixnet/sphinx/lioness.ts";
import crate from "../../vectors/nym/sphinx_packet.json" with { type: "json" };
import kat from "../../vectors/nym/expanded_shared_secret_kat.json" with {
  type: "json",
};
import lioness from "../../vectors/lioness/lioness_chacha20_blake2b.json" with {
  type: "json",
};

const hex = (text: string) => Uint8Array.fromHex(text);

for (const crypto of [nodeProvider, nobleProvider]) {
  Deno.test(`${crypto.name}: expandSharedSecret() gives the known answer of Nym's crate`, () => {
    const keys = expandSharedSecret(crypto, hex(kat.shared_secret));
    assertEquals(keys.streamKey.toHex(), kat.stream_cipher_key);
    assertEquals(keys.macKey.toHex(), kat.header_integrity_hmac_key);
    assertEquals(keys.payloadSeed.toHex(), kat.legacy_payload_key.slice(0, 32));
    assertEquals(keys.blindingFactor.toHex(), kat.blinding_factor);
  });

  Deno.test(`${crypto.name}: LIONESS agrees with the crate lioness, both ways`, () => {
    for (const { key, plaintext, ciphertext } of lioness.vectors) {
      const block = hex(plaintext);
      lionessEncrypt(crypto, hex(key), block);
      assertEquals(block.toHex(), ciphertext);
      lionessDecrypt(crypto, hex(key), block);
      assertEquals(block.toHex(), plaintext);
    }
  });

  Deno.test(`${crypto.name}: unwrapPacket() gives at each hop what Nym's crate gave`, () => {
    for (const { payloadLength, hops, message } of crate.packets) {
      const payload = follow(crypto, payloadLength, hops);
      assertEquals(recoverMessage(payload).toHex(), message);
    }
  });

  Deno.test(`${crypto.name}: recoverReply() reads what Nym's crate answered by our SURBs`, () => {
    for (const { payloadLength, hops, message, recovery } of crate.replies) {
      const payload = follow(crypto, payloadLength, hops);
      assertEquals(
        recoverReply(crypto, recovery.map(hex), payload).toHex(),
        message,
      );
    }
  });
}

Deno.test("payloadKey() has 192 bytes that depend on every bit of the seed", () => {
  const seed = new Uint8Array(16);
  const [a, b] = [seed, seed.with(15, 1)].map((s) =>
    payloadKey(nodeProvider, s)
  );
  assertEquals(a!.length, 192);
  assert(a!.filter((byte, i) => byte === b![i]).length < 10);
});

interface Hop {
  readonly privateKey: string;
  readonly packet: string;
  readonly answer: readonly string[];
}

/** Checks each hop against the crate's answer and returns the delivered payload. */
function follow(
  crypto: typeof nodeProvider,
  payloadLength: number,
  hops: readonly Hop[],
): Uint8Array {
  const geometry = sphinxGeometry(payloadLength);
  let payload = new Uint8Array(0);
  for (const { privateKey, packet, answer } of hops) {
    const hop = unwrapPacket(crypto, geometry, hex(privateKey), hex(packet));
    if (hop.kind === "forward") {
      assertEquals(
        [
          "forward",
          hop.nextAddress.toHex(),
          `${hop.delayNs}`,
          hop.packet.toHex(),
        ],
        answer,
      );
    } else {
      const { destination, identifier } = hop;
      payload = hop.payload;
      assertEquals(
        ["final", destination.toHex(), identifier.toHex(), payload.toHex()],
        answer,
      );
    }
  }
  return payload;
}
