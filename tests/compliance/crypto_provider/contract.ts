import {
  assert,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { type Bytes, concat } from "../../../src/core/bytes/mod.ts";
import {
  type Aead,
  checkedProvider,
  CryptoError,
  type CryptoProvider,
  generateX25519,
  HASH_LENGTH,
  type HashName,
} from "../../../src/core/crypto/mod.ts";

const HASHES = Object.keys(HASH_LENGTH) as HashName[];
const EMPTY = new Uint8Array(0);
const NONCE = new Uint8Array(12);
/** The orders of the groups (SP 800-186 §3.2.1). */
const ORDER = {
  p256: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
  p384: "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf" +
    "581a0db248b0a77aecec196accc52973",
};

/** What the port promises beyond the primitives: lengths, ownership, limits, refusals. */
export function testContract(c: CryptoProvider): void {
  testRandom(c);
  testHashes(c);
  testStreams(c);
  testKeys(c);
  testEcdh(c, "p256", 32);
  testEcdh(c, "p384", 48);
  testAead(c, "chacha20poly1305", [32]);
  testAead(c, "aesGcm", [16, 32]);
  testGcmNonces(c);
  testKeyWrap(c);
  testOwnership(c);
}

function testRandom(c: CryptoProvider): void {
  Deno.test(`${c.name}: random() gives any length`, () => {
    for (const length of [0, 1, 32, 65536, 65537, 200000]) {
      assertEquals(c.random(length).length, length);
    }
    assertNotEquals(c.random(32), c.random(32));
    assert(c.random(200000).subarray(-64).some((byte) => byte !== 0));
  });

  Deno.test(`${c.name}: random() refuses what is no length`, () => {
    for (const length of [-1, 1.5, NaN, Infinity]) {
      assertThrows(() => c.random(length), RangeError);
    }
  });
}

function testHashes(c: CryptoProvider): void {
  Deno.test(`${c.name}: hash() and hmac() join their parts`, () => {
    const [a, b] = [c.random(70), c.random(5)];
    for (const name of HASHES) {
      assertEquals(c.hash(name, a, EMPTY, b), c.hash(name, concat(a, b)));
      assertEquals(c.hash(name), c.hash(name, EMPTY));
      assertEquals(c.hash(name).length, HASH_LENGTH[name]);
      assertEquals(c.hmac(name, a, a, EMPTY, b), c.hmac(name, a, concat(a, b)));
      assertEquals(c.hmac(name, EMPTY), c.hmac(name, EMPTY, EMPTY));
    }
  });

  Deno.test(`${c.name}: hmac() hashes keys longer than a block`, () => {
    const key = c.random(129);
    for (const name of HASHES) {
      assertEquals(
        c.hmac(name, key, key),
        c.hmac(name, c.hash(name, key), key),
      );
    }
  });

  Deno.test(`${c.name}: hkdf() gives 0 to 255 blocks`, () => {
    const key = c.random(64);
    for (const name of HASHES) {
      const max = 255 * HASH_LENGTH[name];
      const salt = new Uint8Array(HASH_LENGTH[name]);
      for (const length of [0, 1, max]) {
        const out = c.hkdf(name, key, EMPTY, EMPTY, length);
        assertEquals(out.length, length);
        assertEquals(c.hkdf(name, key, salt, EMPTY, length), out);
        const prk = c.hmac(name, salt, key);
        assertEquals(c.hkdfExpand(name, prk, EMPTY, length), out);
      }
      for (const length of [max + 1, -1, 0.5, NaN]) {
        assertThrows(() => c.hkdf(name, key, EMPTY, EMPTY, length), RangeError);
        assertThrows(() => c.hkdfExpand(name, key, EMPTY, length), RangeError);
      }
      const short = key.subarray(0, HASH_LENGTH[name] - 1);
      assertThrows(() => c.hkdfExpand(name, short, EMPTY, 1), RangeError);
    }
  });

  Deno.test(`${c.name}: hkdf() takes an info of any length`, () => {
    const [key, info] = [c.random(32), c.random(5000)];
    const prk = c.hmac("sha256", EMPTY, key);
    assertEquals(
      c.hkdf("sha256", key, EMPTY, info, 80),
      c.hkdfExpand("sha256", prk, info, 80),
    );
  });
}

function testStreams(c: CryptoProvider): void {
  const key = c.random(32);

  Deno.test(`${c.name}: chacha20() stops before its last block`, () => {
    const two = c.chacha20(key, NONCE, 2 ** 32 - 3, new Uint8Array(128));
    const last = c.chacha20(key, NONCE, 2 ** 32 - 2, new Uint8Array(64));
    assertEquals(two.subarray(64), last);
    const wraps = new Uint8Array(65);
    assertThrows(() => c.chacha20(key, NONCE, 2 ** 32 - 2, wraps), RangeError);
    for (const counter of [-1, 0.5, NaN, 2 ** 32]) {
      assertThrows(() => c.chacha20(key, NONCE, counter, EMPTY), RangeError);
    }
  });

  Deno.test(`${c.name}: aesCtr() wraps its counter block at 2^128`, () => {
    const ones = new Uint8Array(16).fill(0xff);
    const zeros = new Uint8Array(32);
    assertEquals(
      c.aesCtr(key, ones, zeros).subarray(16),
      c.aesCtr(key, new Uint8Array(16), zeros).subarray(0, 16),
    );
  });

  Deno.test(`${c.name}: chacha20() and aesCtr() refuse wrong lengths`, () => {
    for (const length of [0, 16, 31, 33]) {
      const bad = new Uint8Array(length);
      assertThrows(() => c.chacha20(bad, NONCE, 0, EMPTY), RangeError);
      assertThrows(() => c.chacha20(key, bad, 0, EMPTY), RangeError);
    }
    for (const length of [0, 15, 17, 24, 33]) {
      const bad = new Uint8Array(length);
      assertThrows(() => c.aesCtr(bad, key.subarray(16), EMPTY), RangeError);
      assertThrows(() => c.aesCtr(key, bad, EMPTY), RangeError);
    }
  });
}

function testKeys(c: CryptoProvider): void {
  Deno.test(`${c.name}: X25519 and Ed25519 refuse keys of a wrong length`, () => {
    const key = c.random(32);
    for (const length of [0, 31, 33, 64]) {
      const bad = new Uint8Array(length);
      assertThrows(() => c.x25519.publicKey(bad), RangeError);
      assertThrows(() => c.x25519.sharedSecret(bad, key), RangeError);
      assertThrows(() => c.x25519.sharedSecret(key, bad), RangeError);
      assertThrows(() => c.ed25519.publicKey(bad), RangeError);
      assertThrows(() => c.ed25519.sign(bad, EMPTY), RangeError);
      assertThrows(() => c.ed25519.signer(bad), RangeError);
    }
  });

  Deno.test(`${c.name}: generateX25519() pairs agree on a secret`, () => {
    const [a, b] = [generateX25519(c), generateX25519(c)];
    assertNotEquals(a.publicKey, b.publicKey);
    assertEquals(
      c.x25519.sharedSecret(a.privateKey.expose(), b.publicKey),
      c.x25519.sharedSecret(b.privateKey.expose(), a.publicKey),
    );
  });

  Deno.test(`${c.name}: ed25519.verify() refuses every bit flip of a signature`, () => {
    const [seed, message] = [c.random(32), c.random(20)];
    const key = c.ed25519.publicKey(seed);
    const signature = c.ed25519.sign(seed, message);
    for (let bit = 0; bit < 512; bit += c.name === "noble" ? 7 : 1) {
      assert(!c.ed25519.verify(key, message, flip(signature, bit)));
    }
  });
}

function testEcdh(
  c: CryptoProvider,
  name: "p256" | "p384",
  length: number,
): void {
  const curve = c[name];
  const pair = curve.generateKeyPair();
  const refuses = (publicKey: Uint8Array) =>
    assertEquals(
      assertThrows(
        () => curve.sharedSecret(pair.privateKey, publicKey),
        CryptoError,
      ).code,
      "invalid_key",
    );

  Deno.test(`${c.name}: ${name} pairs are fresh and agree on a secret`, () => {
    const other = curve.generateKeyPair();
    assertEquals(curve.length, length);
    assertEquals(pair.privateKey.length, length);
    assertEquals(pair.publicKey.length, 2 * length + 1);
    assertEquals(curve.publicKey(pair.privateKey), pair.publicKey);
    assertNotEquals(pair.publicKey, other.publicKey);
    const secret = curve.sharedSecret(pair.privateKey, other.publicKey);
    assertEquals(secret.length, length);
    assertEquals(
      curve.sharedSecret(other.privateKey, pair.publicKey),
      secret,
    );
  });

  Deno.test(`${c.name}: ${name} refuses private keys of a wrong length and out of range`, () => {
    const one = new Uint8Array(length).with(length - 1, 1);
    const order = Uint8Array.fromHex(ORDER[name]);
    const last = order.with(length - 1, order[length - 1]! - 1);
    assertEquals(
      curve.publicKey(last).subarray(0, length),
      curve.publicKey(one).subarray(0, length),
    );
    for (
      const bad of [
        EMPTY,
        one.subarray(1),
        concat(EMPTY, new Uint8Array(1), one),
        new Uint8Array(length),
        order,
        new Uint8Array(length).fill(0xff),
      ]
    ) {
      assertThrows(() => curve.publicKey(bad), RangeError);
      assertThrows(() => curve.sharedSecret(bad, pair.publicKey), RangeError);
    }
  });

  Deno.test(`${c.name}: ${name} refuses public keys that are no uncompressed points of the curve`, () => {
    const { publicKey } = pair;
    const odd = publicKey[2 * length]! & 1;
    const compressed = publicKey.slice(0, 1 + length).with(0, 2 + odd);
    const outOfField = new Uint8Array(2 * length + 1).fill(0xff).with(0, 4);
    refuses(EMPTY);
    refuses(Uint8Array.of(0)); // the point at infinity
    refuses(new Uint8Array(2 * length + 1).with(0, 4));
    refuses(compressed);
    refuses(publicKey.with(0, 6 + odd)); // the hybrid form
    refuses(publicKey.subarray(1));
    refuses(concat(publicKey, new Uint8Array(1)));
    refuses(outOfField);
    refuses(flip(publicKey, 8 * 2 * length));
  });
}

function testGcmNonces(c: CryptoProvider): void {
  Deno.test(`${c.name}: aesGcm() takes nonces of the length that was asked for, 8 to 16 bytes`, () => {
    const key = c.random(16);
    for (const length of [0, 7, 17, 12.5, NaN]) {
      assertThrows(() => c.aesGcm(key, length), RangeError);
    }
    for (let length = 8; length <= 16; length++) {
      const aead = c.aesGcm(key, length);
      const nonce = c.random(length);
      assertEquals(aead.open(nonce, aead.seal(nonce, key)), key);
      assertThrows(() => aead.seal(c.random(length + 1), key), RangeError);
    }
  });
}

function testKeyWrap({ name, aesKeyWrap, random }: CryptoProvider): void {
  Deno.test(`${name}: aesKeyWrap refuses wrong lengths, and what was not wrapped with the key`, () => {
    const [key, other] = [random(32), random(32)];
    const wrapped = aesKeyWrap.wrap(key, other);
    assertEquals(wrapped.length, 40);
    assertEquals(aesKeyWrap.unwrap(key, wrapped), other);
    for (const length of [0, 8, 17, 31]) {
      assertThrows(() => aesKeyWrap.wrap(key, random(length)), RangeError);
    }
    for (const length of [0, 15, 24, 33]) {
      assertThrows(() => aesKeyWrap.wrap(random(length), key), RangeError);
      assertThrows(
        () => aesKeyWrap.unwrap(random(length), wrapped),
        RangeError,
      );
    }
    const refuses = (unwrap: () => unknown) =>
      assertEquals(assertThrows(unwrap, CryptoError).code, "unauthenticated");
    for (let length = 0; length < wrapped.length; length++) {
      refuses(() => aesKeyWrap.unwrap(key, wrapped.subarray(0, length)));
    }
    for (let bit = 0; bit < 8 * wrapped.length; bit++) {
      refuses(() => aesKeyWrap.unwrap(key, flip(wrapped, bit)));
    }
    refuses(() => aesKeyWrap.unwrap(other, wrapped));
  });
}

function testAead(
  c: CryptoProvider,
  name: "chacha20poly1305" | "aesGcm",
  keyLengths: readonly number[],
): void {
  const key = c.random(32);
  const aead = c[name](key);
  const refuses = (open: () => unknown) =>
    assertEquals(assertThrows(open, CryptoError).code, "unauthenticated");

  Deno.test(`${c.name}: ${name}() refuses every flipped bit and every truncation`, () => {
    const aad = c.random(13);
    const sealed = aead.seal(NONCE, c.random(20), aad);
    for (let bit = 0; bit < 8 * sealed.length; bit++) {
      refuses(() => aead.open(NONCE, flip(sealed, bit), aad));
    }
    for (let length = 0; length < sealed.length; length++) {
      refuses(() => aead.open(NONCE, sealed.subarray(0, length), aad));
    }
    refuses(() => aead.open(NONCE, sealed, flip(aad, 0)));
    refuses(() => aead.open(NONCE, sealed));
    refuses(() => aead.open(flip(NONCE, 5), sealed, aad));
  });

  Deno.test(`${c.name}: ${name}() takes an absent and an empty AAD for the same`, () => {
    assertEquals(aead.seal(NONCE, key), aead.seal(NONCE, key, EMPTY));
    assertEquals(aead.open(NONCE, aead.seal(NONCE, EMPTY)), EMPTY);
  });

  Deno.test(`${c.name}: ${name}() refuses wrong lengths`, () => {
    for (const length of [0, 15, 16, 17, 24, 31, 32, 33]) {
      if (keyLengths.includes(length)) continue;
      assertThrows(() => c[name](new Uint8Array(length)), RangeError);
    }
    for (const length of [0, 8, 11, 13, 16]) {
      const bad = new Uint8Array(length);
      assertThrows(() => aead.seal(bad, EMPTY), RangeError);
      assertThrows(() => aead.open(bad, new Uint8Array(16)), RangeError);
    }
  });

  Deno.test(`${c.name}: ${name}() seals into the caller's buffer and nowhere else`, () => {
    checkSealInto(aead, c.random(100));
  });

  Deno.test(`${c.name}: ${name}() opens into the caller's buffer and nowhere else`, () => {
    checkOpenInto(aead, c.random(100));
  });

  Deno.test(`${c.name}: ${name}() leaves zeros of a forgery in the caller's buffer, and nothing behind them`, () => {
    const plaintext = c.random(100);
    const forged = flip(aead.seal(NONCE, plaintext), 8 * 110);
    for (const out of [new Uint8Array(120).fill(7), forged]) {
      const behind = out.slice(100);
      refuses(() => aead.open(NONCE, forged, undefined, out));
      assertEquals(out, concat(new Uint8Array(100), behind));
    }
  });

  Deno.test(`${c.name}: ${name}() keeps a copy of its key`, () => {
    const own = key.slice();
    const copied = c[name](own);
    own.fill(0);
    assertEquals(copied.seal(NONCE, key), aead.seal(NONCE, key));
  });

  Deno.test(`${c.name}: ${name}() wipes its copy of the key on dispose and refuses every later use`, () => {
    const own = key.slice();
    const given: Uint8Array[] = [];
    const made: Aead[] = [];
    const watched = checkedProvider({
      ...c,
      [name](copy: Uint8Array) {
        given.push(copy);
        made.push(c[name](copy));
        return made[0];
      },
    })[name](own);
    const sealed = watched.seal(NONCE, key);
    watched[Symbol.dispose]();
    watched[Symbol.dispose]();
    assertEquals(given, [new Uint8Array(32)]);
    assertEquals(own, key);
    for (const closed of [watched, made[0]!]) {
      assertThrows(() => closed.seal(NONCE, key), TypeError);
      assertThrows(() => closed.open(NONCE, sealed), TypeError);
    }
  });
}

function checkSealInto(aead: Aead, plaintext: Uint8Array): void {
  const buffer = new Uint8Array(200).fill(0xaa);
  const out = aead.seal(NONCE, plaintext, undefined, buffer.subarray(7));
  assertEquals(out, aead.seal(NONCE, plaintext));
  assert(out.buffer === buffer.buffer && out.byteOffset === 7);
  assert(buffer.subarray(0, 7).every((byte) => byte === 0xaa));
  assert(buffer.subarray(7 + 116).every((byte) => byte === 0xaa));

  const short = buffer.subarray(0, plaintext.length + 15);
  assertThrows(() => aead.seal(NONCE, plaintext, undefined, short), RangeError);
  for (const at of [1, 35]) {
    const inside = buffer.subarray(at, at + 20);
    assertThrows(() => aead.seal(NONCE, inside, undefined, buffer), RangeError);
  }
  aead.seal(NONCE, buffer.subarray(36, 56), undefined, buffer);
  const aad = buffer.subarray(0, 4);
  assertThrows(() => aead.seal(NONCE, plaintext, aad, buffer), RangeError);
  aead.seal(NONCE, plaintext, aad, buffer.subarray(4));

  buffer.set(plaintext, 9);
  const inPlace = buffer.subarray(9, 9 + plaintext.length);
  const sealed = aead.seal(NONCE, inPlace, aad, buffer.subarray(9));
  assertEquals(sealed, aead.seal(NONCE, plaintext, aad));
}

function checkOpenInto(aead: Aead, plaintext: Uint8Array): void {
  const sealed = aead.seal(NONCE, plaintext);
  const buffer = new Uint8Array(200).fill(0xaa);
  const out = aead.open(NONCE, sealed, undefined, buffer.subarray(7));
  assertEquals(out, plaintext);
  assert(out.buffer === buffer.buffer && out.byteOffset === 7);
  assert(buffer.subarray(0, 7).every((byte) => byte === 0xaa));
  assert(buffer.subarray(107).every((byte) => byte === 0xaa));

  const short = buffer.subarray(0, plaintext.length - 1);
  assertThrows(() => aead.open(NONCE, sealed, undefined, short), RangeError);
  const aad = buffer.subarray(0, 4);
  assertThrows(() => aead.open(NONCE, sealed, aad, buffer), RangeError);
  for (const at of [1, 35]) {
    buffer.set(sealed, at);
    const inside = buffer.subarray(at, at + sealed.length);
    assertThrows(() => aead.open(NONCE, inside, undefined, buffer), RangeError);
  }

  buffer.set(aead.seal(NONCE, plaintext, aad), 9);
  const inPlace = buffer.subarray(9, 9 + sealed.length);
  const opened = aead.open(NONCE, inPlace, aad, buffer.subarray(9));
  assertEquals(opened, plaintext);
  assertEquals(opened.byteOffset, 9);
}

function testOwnership(c: CryptoProvider): void {
  Deno.test(`${c.name}: every result is a plain array that shares its buffer with nothing`, () => {
    const key = c.random(32).fill(1, 0, 1);
    const pair = c.mlKem768.generateKeyPair();
    const { ciphertext, sharedSecret } = c.mlKem768.encapsulate(pair.publicKey);
    const aead = c.chacha20poly1305(key);
    const results = [
      c.random(10),
      c.hash("sha256", key),
      c.hmac("blake2s", key, key),
      c.hkdf("sha256", key, EMPTY, EMPTY, 42),
      c.hkdf("blake2s", key, EMPTY, EMPTY, 42),
      c.hkdfExpand("sha256", key, EMPTY, 42),
      aead.seal(NONCE, key),
      aead.open(NONCE, aead.seal(NONCE, key)),
      c.aesGcm(key).seal(NONCE, key),
      c.aesGcm(key).open(NONCE, c.aesGcm(key).seal(NONCE, key)),
      c.chacha20(key, NONCE, 0, key),
      c.aesCtr(key, key.subarray(16), key),
      c.x25519.publicKey(key),
      c.x25519.sharedSecret(key, c.x25519.publicKey(key)),
      ...Object.values(c.p256.generateKeyPair()),
      ...Object.values(c.p384.generateKeyPair()),
      c.p256.publicKey(key),
      c.p256.sharedSecret(key, c.p256.publicKey(key)),
      c.ed25519.publicKey(key),
      c.ed25519.sign(key, key),
      pair.publicKey,
      pair.privateKey,
      ciphertext,
      sharedSecret,
      c.mlKem768.decapsulate(pair.privateKey, ciphertext),
    ];
    for (const result of results) {
      assert(Object.getPrototypeOf(result) === Uint8Array.prototype);
      assertEquals(result.buffer.byteLength, result.length);
    }
    assertEquals(new Set(results.map((r) => r.buffer)).size, results.length);
  });
}

function flip(bytes: Uint8Array, bit: number): Bytes {
  const out = new Uint8Array(bytes);
  out[bit >> 3]! ^= 1 << (bit & 7);
  return out;
}
