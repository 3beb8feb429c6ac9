/**
 * That two {@link CryptoProvider}s give the same bytes for the same random inputs.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  type CryptoProvider,
  HASH_LENGTH,
  type HashName,
  nodeProvider,
} from "../../src/core/crypto/mod.ts";

const CASES = 200;
const HASHES = Object.keys(HASH_LENGTH) as HashName[];

type Agree = (
  name: string,
  cases: number,
  fn: (c: CryptoProvider, draw: Draw) => unknown,
) => void;

/** Registers tests that run `a` and `b` on the same random draws and compare every byte. */
export function testProvidersAgree(a: CryptoProvider, b: CryptoProvider): void {
  const agree: Agree = (name, cases, fn) =>
    Deno.test(`${a.name} and ${b.name} agree on ${name}`, () => {
      for (let i = 0; i < cases; i++) {
        const seed = crypto.getRandomValues(new Uint8Array(32));
        const [first, second] = [new Draw(seed), new Draw(seed)];
        assertEquals(fn(a, first), fn(b, second), `seed ${seed.toHex()}`);
      }
    });
  testHashes(agree);
  testCiphers(agree);
  testKeys(agree);
}

function testHashes(agree: Agree): void {
  agree("hash()", CASES, (c, draw) => {
    const parts = [draw.message(), draw.message()];
    return HASHES.map((name) => c.hash(name, ...parts));
  });

  agree("hmac()", CASES, (c, draw) => {
    const [key, parts] = [draw.message(300), [draw.message(), draw.message()]];
    return HASHES.map((name) => c.hmac(name, key, ...parts));
  });

  agree("blake2bMac()", CASES, (c, draw) => {
    const [key, length] = [draw.bytes(1 + draw.below(64)), 1 + draw.below(64)];
    return c.blake2bMac(key, length, draw.message(), draw.message(300));
  });

  agree("hkdf() and hkdfExpand()", CASES, (c, draw) => {
    const [ikm, salt, info] = [
      draw.message(300),
      draw.message(300),
      draw.message(1500),
    ];
    const [prk, length] = [draw.bytes(64 + draw.below(100)), draw.below(300)];
    return HASHES.map((name) => [
      c.hkdf(name, ikm, salt, info, length),
      c.hkdfExpand(name, prk, info, length),
    ]);
  });
}

function testCiphers(agree: Agree): void {
  agree("chacha20()", CASES, (c, draw) => {
    const [key, nonce] = [draw.bytes(32), draw.bytes(12)];
    return c.chacha20(key, nonce, draw.below(2 ** 31), draw.message());
  });

  agree("aesCtr()", CASES, (c, draw) => {
    const key = draw.bytes(draw.below(2) ? 16 : 32);
    const iv = draw.bytes(16).fill(0xff, 0, draw.below(17));
    return c.aesCtr(key, iv, draw.message());
  });

  agree("aesKeyWrap", CASES, (c, draw) => {
    const wrappingKey = draw.bytes(draw.below(2) ? 16 : 32);
    const key = draw.bytes(8 * (2 + draw.below(8)));
    const wrapped = c.aesKeyWrap.wrap(wrappingKey, key);
    assertEquals(c.aesKeyWrap.unwrap(wrappingKey, wrapped), key);
    return wrapped;
  });

  for (const name of ["chacha20poly1305", "aesGcm"] as const) {
    agree(`${name}()`, CASES, (c, draw) => {
      const isGcm = name === "aesGcm";
      const key = draw.bytes(isGcm && draw.below(2) ? 16 : 32);
      const nonce = draw.bytes(isGcm && draw.below(2) ? 8 + draw.below(9) : 12);
      const aead = isGcm
        ? c.aesGcm(key, nonce.length)
        : c.chacha20poly1305(key);
      const plaintext = draw.message();
      const aad = draw.below(3) ? draw.message() : undefined;
      const sealed = aead.seal(nonce, plaintext, aad);
      const at = draw.below(9);
      const out = new Uint8Array(at + sealed.length).subarray(at);
      assertEquals(aead.seal(nonce, plaintext, aad, out), sealed);
      assertEquals(aead.open(nonce, sealed, aad), plaintext);
      const opened = out.subarray(0, plaintext.length);
      assertEquals(aead.open(nonce, sealed, aad, opened), plaintext);
      return sealed;
    });
  }
}

function testKeys(agree: Agree): void {
  agree("x25519", 100, (c, draw) => {
    const [a, b, any] = [draw.bytes(32), draw.bytes(32), draw.bytes(32)];
    const secret = c.x25519.sharedSecret(a, c.x25519.publicKey(b));
    assertEquals(secret, c.x25519.sharedSecret(b, c.x25519.publicKey(a)));
    return [secret, c.x25519.sharedSecret(a, any)];
  });

  for (const name of ["p256", "p384"] as const) {
    agree(name, 20, (c, draw) => {
      const { length } = c[name];
      const [a, b] = [draw.bytes(length), draw.bytes(length)];
      const publicKey = c[name].publicKey(b);
      return [publicKey, c[name].sharedSecret(a, publicKey)];
    });
  }

  agree("ed25519", CASES, (c, draw) => {
    const [seed, message] = [draw.bytes(32), draw.message()];
    const key = c.ed25519.publicKey(seed);
    const signature = c.ed25519.sign(seed, message);
    assert(c.ed25519.verify(key, message, signature));
    return [key, signature];
  });

  agree("ed25519.verify() of arbitrary bytes", 100, (c, draw) => {
    const [seed, message] = [draw.bytes(32), draw.message(50)];
    const signature = c.ed25519.sign(seed, message);
    const key = c.ed25519.publicKey(seed);
    const [bent, other] = [signature.slice(), draw.bytes(32)];
    bent[draw.below(64)]! ^= 1 << draw.below(8);
    return [
      c.ed25519.verify(key, message, bent),
      c.ed25519.verify(other, message, signature),
      c.ed25519.verify(key, message, draw.bytes(64)),
    ];
  });

  agree("mlKem768", 20, (c, draw) => {
    const pair = c.mlKem768.generateKeyPair(draw.bytes(64));
    const sent = c.mlKem768.encapsulate(pair.publicKey, draw.bytes(32));
    const { ciphertext, sharedSecret } = sent;
    assertEquals(
      c.mlKem768.decapsulate(pair.privateKey, ciphertext),
      sharedSecret,
    );
    const forged = c.mlKem768.decapsulate(pair.privateKey, draw.bytes(1088));
    return [pair, sent, forged];
  });
}

/** Repeatable random values. */
class Draw {
  readonly #seed: Uint8Array;
  #count = 0;

  constructor(seed: Uint8Array) {
    this.#seed = seed;
  }

  bytes(length: number): Uint8Array {
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setUint32(0, this.#count++);
    return nodeProvider.chacha20(this.#seed, nonce, 0, new Uint8Array(length));
  }

  below(limit: number): number {
    return new DataView(this.bytes(4).buffer).getUint32(0) % limit;
  }

  /** Every tenth is empty; the others cluster below 100 bytes. */
  message(max = 3000): Uint8Array {
    if (this.below(10) === 0) return new Uint8Array(0);
    return this.bytes(this.below(this.below(3) === 0 ? max : 100));
  }
}
