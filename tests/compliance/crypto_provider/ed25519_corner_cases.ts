import { ed25519 } from "@noble/curves/ed25519.js";
import { bytesToNumberLE, numberToBytesLE } from "@noble/curves/utils.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { assertEquals } from "@std/assert";
import { type Bytes, concat, utf8 } from "../../../src/core/bytes/mod.ts";
import type { CryptoProvider } from "../../../src/core/crypto/mod.ts";
import { hex } from "./vectors.ts";

const { Point } = ed25519;
const L = Point.Fn.ORDER;
const P = Point.Fp.ORDER;
const MESSAGE = utf8("corner case");
/** A point of order 8. */
const TORSION = Point.fromHex(
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
);
const SMALL_ORDER = [
  "0100000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000080",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0000000000000000000000000000000000000000000000000000000000000080",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
];

/** The table in the documentation of `Ed25519.verify`, row by row, with signatures made by curve arithmetic. */
export function testEd25519CornerCases(c: CryptoProvider): void {
  const a = 0x1234567890abcdefn;
  const r = 0xfedcba0987654321n;
  const A = Point.BASE.multiply(a);
  const R = Point.BASE.multiply(r);
  const verifies = (key: Uint8Array, signature: Uint8Array) =>
    c.ed25519.verify(key, MESSAGE, signature);
  const test = (name: string, fn: () => void) =>
    Deno.test(`${c.name}: ed25519.verify() ${name}`, fn);
  const [key, honest] = [A.toBytes(), sign(A.toBytes(), R.toBytes(), a, r)];

  test("accepts the honest signature that the others are bent from", () => {
    assertEquals(verifies(key, honest), true);
  });

  test("refuses S + L", () => {
    const s = bytesToNumberLE(honest.subarray(32)) + L;
    const bent = concat(honest.subarray(0, 32), scalar(s));
    assertEquals(verifies(key, bent), false);
  });

  test("refuses small-order keys in every encoding", () => {
    for (const small of SMALL_ORDER.map(hex)) {
      for (const S of [0n, 1n, r]) {
        for (const point of [Point.ZERO, Point.BASE, R]) {
          const signature = concat(point.toBytes(), scalar(S));
          assertEquals(verifies(small, signature), false);
        }
      }
    }
  });

  test("refuses keys that are not in their shortest form", () => {
    for (let y = P; y < 1n << 255n; y++) { // the 19 values from p to 2^255 − 1
      const encoded = scalar(y);
      assertEquals(verifies(encoded, sign(encoded, R.toBytes(), 0n, r)), false);
    }
  });

  test("refuses keys that are not points", () => {
    assertEquals(verifies(scalar(2n), honest), false);
  });

  test("accepts a key with a small-order part only if the equation holds", () => {
    const mixed = A.add(TORSION).toBytes();
    let accepted = 0;
    for (let nonce = 1n; nonce <= 64n; nonce++) {
      const encoded = Point.BASE.multiply(nonce).toBytes();
      const holds = challenge(encoded, mixed) % 8n === 0n;
      assertEquals(verifies(mixed, sign(mixed, encoded, a, nonce)), holds);
      if (holds) accepted++;
    }
    assertEquals(accepted > 0 && accepted < 64, true);
  });

  test("refuses what holds only when multiplied by the cofactor", () => {
    const mixed = R.add(TORSION).toBytes();
    assertEquals(verifies(key, sign(key, mixed, a, r)), false);
  });

  test("accepts R of small order if the equation holds", () => {
    const signature = sign(key, Point.ZERO.toBytes(), a, 0n);
    assertEquals(verifies(key, signature), true);
  });

  test("refuses R that is not in its shortest form", () => {
    assertEquals(verifies(key, sign(key, scalar(P + 1n), a, 0n)), false);
  });

  test("is false for wrong lengths", () => {
    assertEquals(verifies(key.subarray(1), honest), false);
    assertEquals(verifies(concat(key, key), honest), false);
    assertEquals(verifies(key, honest.subarray(1)), false);
    assertEquals(verifies(key, concat(honest, Uint8Array.of(0))), false);
    assertEquals(verifies(new Uint8Array(0), new Uint8Array(0)), false);
  });
}

/** R ‖ r + k·a, for whatever encodings the test gives. */
function sign(
  key: Uint8Array,
  encodedR: Uint8Array,
  a: bigint,
  r: bigint,
): Bytes {
  return concat(encodedR, scalar((r + challenge(encodedR, key) * a) % L));
}

function challenge(encodedR: Uint8Array, key: Uint8Array): bigint {
  return bytesToNumberLE(sha512(concat(encodedR, key, MESSAGE))) % L;
}

function scalar(value: bigint): Uint8Array {
  return numberToBytesLE(value, 32);
}
