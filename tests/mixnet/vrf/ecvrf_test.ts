import { assert, assertEquals, assertThrows } from "@std/assert";
import { encodeHex } from "../../../src/core/bytes/mod.ts";
import {
  EDWARDS25519_ORDER,
  EdwardsPoint,
  nobleProvider,
  nodeProvider,
} from "../../../src/core/crypto/mod.ts";
import {
  VRF_PROOF_LENGTH,
  vrfHash,
  vrfProve,
  vrfPublicKey,
  type VrfSuite,
  vrfVerify,
} from "../../../src/mixnet/mod.ts";
import rfc from "../../vectors/vrf/rfc9381_ecvrf_edwards25519.json" with {
  type: "json",
};

const hex = (text: string) => Uint8Array.fromHex(text);
const SUITES = ["TAI", "ELL2"] as const;
const SEED = new Uint8Array(32).fill(7);
const ALPHA = new TextEncoder().encode("which way");

for (const crypto of [nodeProvider, nobleProvider]) {
  for (const { name, vectors } of rfc.suites) {
    const suite = name.split("-").at(-1) as VrfSuite;
    Deno.test(`${crypto.name}: ECVRF ${suite} agrees with RFC 9381 appendix B`, () => {
      assertEquals(vectors.length, 3);
      for (const { sk, pk, alpha, pi, beta } of vectors) {
        const [seed, key, input] = [hex(sk), hex(pk), hex(alpha)];
        assertEquals(encodeHex(vrfPublicKey(crypto, seed)), pk);
        assertEquals(encodeHex(vrfProve(crypto, suite, seed, input)), pi);
        assertEquals(encodeHex(vrfHash(crypto, suite, seed, input)), beta);
        const proven = vrfVerify(crypto, suite, key, input, hex(pi));
        assertEquals(proven && encodeHex(proven), beta);
      }
    });
  }
}

for (const suite of SUITES) {
  const crypto = nodeProvider;
  const key = vrfPublicKey(crypto, SEED);
  const proof = vrfProve(crypto, suite, SEED, ALPHA);
  const verify = (pi: Uint8Array, publicKey: Uint8Array = key, alpha = ALPHA) =>
    vrfVerify(crypto, suite, publicKey, alpha, pi);

  Deno.test(`ECVRF ${suite}: a proof with any byte changed proves nothing`, () => {
    assert(verify(proof));
    for (let at = 0; at < VRF_PROOF_LENGTH; at++) {
      assertEquals(verify(proof.with(at, proof[at]! ^ 1)), undefined, `${at}`);
    }
  });

  Deno.test(`ECVRF ${suite}: a proof is for its key, input and suite`, () => {
    const other = vrfPublicKey(crypto, SEED.with(0, 8));
    assertEquals(verify(proof, other), undefined);
    assertEquals(verify(proof, key, ALPHA.with(0, 0)), undefined);
    const wrong = suite === "TAI" ? "ELL2" : "TAI";
    assertEquals(vrfVerify(crypto, wrong, key, ALPHA, proof), undefined);
    assertEquals(verify(proof.subarray(1)), undefined);
  });

  Deno.test(`ECVRF ${suite}: s is refused unless it is reduced`, () => {
    const s = proof.slice(48).reverse();
    const larger = BigInt(`0x${encodeHex(s)}`) + EDWARDS25519_ORDER;
    const bytes = hex(larger.toString(16).padStart(64, "0")).reverse();
    const malleable = proof.slice();
    malleable.set(bytes, 48);
    assertEquals(verify(malleable), undefined);
  });

  Deno.test(`ECVRF ${suite}: keys of small order and in longer forms are refused`, () => {
    for (const bad of [...SMALL_ORDER, "ff".repeat(32), "02".repeat(32)]) {
      assertEquals(verify(proof, hex(bad)), undefined, bad);
    }
    assertEquals(verify(proof, key.subarray(1)), undefined);
  });

  Deno.test(`ECVRF ${suite}: a Gamma with a part of small order gives no second output`, () => {
    const gamma = EdwardsPoint.fromBytes(proof.subarray(0, 32))!;
    const torsion = EdwardsPoint.fromBytes(hex(SMALL_ORDER[2]!))!;
    const twin = proof.slice();
    twin.set(gamma.add(torsion).toBytes());
    assertEquals(verify(twin), undefined);
  });
}

Deno.test("vrfProve() and vrfHash() want a seed of 32 bytes", () => {
  for (const make of [vrfProve, vrfHash]) {
    assertThrows(
      () => make(nodeProvider, "TAI", SEED.subarray(1), ALPHA),
      RangeError,
      "32 bytes",
    );
  }
});

/** Points of order 1, 2, 4 and 8 (RFC 8032 §5.1.3 encodings). */
const SMALL_ORDER = [
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "0000000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
];
