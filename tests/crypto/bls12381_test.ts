import { assertEquals } from "@std/assert";
import {
  nodeProvider as crypto,
  verifyBls,
} from "../../src/core/crypto/mod.ts";
import vectors from "../vectors/beacon/drand.json" with { type: "json" };

const hex = (text: string) => Uint8Array.fromHex(text);

/** What a round of drand is signed over, and by which key. */
function signedRound(chain: typeof vectors.default | typeof vectors.g1) {
  const round = chain.rounds.at(-1)!;
  const number = new Uint8Array(8);
  new DataView(number.buffer).setUint32(4, round.round);
  const previous = "previous_signature" in round
    ? hex(String(round.previous_signature))
    : new Uint8Array(0);
  return {
    publicKey: hex(chain.info.public_key),
    message: crypto.hash("sha256", previous, number),
    signature: hex(round.signature),
  };
}

const IN_G2 = signedRound(vectors.default);
const IN_G1 = signedRound(vectors.g1);

Deno.test("verifyBls() takes signatures of drand in either group", async () => {
  for (const [group, signed] of [["G2", IN_G2], ["G1", IN_G1]] as const) {
    const { publicKey, message, signature } = signed;
    assertEquals(await verifyBls(group, publicKey, message, signature), true);
    const other = message.with(0, message[0]! ^ 1);
    assertEquals(await verifyBls(group, publicKey, other, signature), false);
  }
});

Deno.test("verifyBls() refuses keys and signatures of the other group, not on the curve, in no subgroup, or the identity", async () => {
  const { publicKey, message, signature } = IN_G2;
  const identity = (length: number) => new Uint8Array(length).with(0, 0xc0);
  // (4, y) is on the curve y² = x³ + 4, but of another order
  const outside = new Uint8Array(48).with(0, 0x80).with(47, 4);
  for (
    const [key, sig] of [
      [publicKey, identity(96)],
      [identity(48), signature],
      [identity(48), identity(96)],
      [outside, signature],
      [publicKey.with(0, 0x06), signature],
      [publicKey, new Uint8Array(96).fill(0xff)],
      [publicKey.subarray(1), signature],
      [publicKey, signature.subarray(1)],
      [IN_G1.publicKey, IN_G1.signature],
    ] as const
  ) assertEquals(await verifyBls("G2", key, message, sig), false);
  assertEquals(await verifyBls("G1", publicKey, message, signature), false);
});
