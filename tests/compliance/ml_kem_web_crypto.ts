import { assertEquals } from "@std/assert";
import type { CryptoProvider } from "../../src/core/crypto/mod.ts";

const CASES = 20;
const ALGORITHM = "ML-KEM-768";

/** What Deno 2.9 has of the Web Cryptography API's modern algorithms; the typings lack it. */
interface KemCrypto {
  generateKey(
    algorithm: string,
    extractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKeyPair>;
  importKey(
    format: "raw-seed" | "raw-public",
    data: Uint8Array,
    algorithm: string,
    extractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKey>;
  exportKey(
    format: "raw-seed" | "raw-public",
    key: CryptoKey,
  ): Promise<ArrayBuffer>;
  encapsulateBits(
    algorithm: string,
    key: CryptoKey,
  ): Promise<{ ciphertext: ArrayBuffer; sharedKey: ArrayBuffer }>;
  decapsulateBits(
    algorithm: string,
    key: CryptoKey,
    ciphertext: Uint8Array,
  ): Promise<ArrayBuffer>;
}

const web = crypto.subtle as unknown as KemCrypto;

/** Registers tests of ML-KEM-768 of `c` against Deno's, which shares no code with `@noble`. */
export function testMlKemAgreesWithWebCrypto(c: CryptoProvider): void {
  const kem = c.mlKem768;
  const test = (name: string, run: () => Promise<void>) =>
    Deno.test(`${c.name} and Web Crypto agree on ML-KEM-768: ${name}`, async () => {
      for (let i = 0; i < CASES; i++) await run();
    });

  test("key of a seed", async () => {
    const usages = ["encapsulateBits", "decapsulateBits"];
    const pair = await web.generateKey(ALGORITHM, true, usages);
    const seed = await web.exportKey("raw-seed", pair.privateKey);
    const publicKey = await web.exportKey("raw-public", pair.publicKey);
    assertEquals(
      kem.generateKeyPair(new Uint8Array(seed)).publicKey,
      new Uint8Array(publicKey),
    );
  });

  test("we encapsulate, Web Crypto decapsulates", async () => {
    const seed = c.random(64);
    const { publicKey } = kem.generateKeyPair(seed);
    const { ciphertext, sharedSecret } = kem.encapsulate(publicKey);
    assertEquals(await webDecapsulate(seed, ciphertext), sharedSecret);
  });

  test("Web Crypto encapsulates, we decapsulate", async () => {
    const { publicKey, privateKey } = kem.generateKeyPair();
    const usages = ["encapsulateBits"];
    const key = await web.importKey(
      "raw-public",
      publicKey,
      ALGORITHM,
      true,
      usages,
    );
    const sent = await web.encapsulateBits(ALGORITHM, key);
    assertEquals(
      kem.decapsulate(privateKey, new Uint8Array(sent.ciphertext)),
      new Uint8Array(sent.sharedKey),
    );
  });

  test("secret of a forged ciphertext", async () => {
    const [seed, forged] = [c.random(64), c.random(1088)];
    const { privateKey } = kem.generateKeyPair(seed);
    assertEquals(
      await webDecapsulate(seed, forged),
      kem.decapsulate(privateKey, forged),
    );
  });
}

async function webDecapsulate(
  seed: Uint8Array,
  ciphertext: Uint8Array,
): Promise<Uint8Array> {
  const usages = ["decapsulateBits"];
  const key = await web.importKey("raw-seed", seed, ALGORITHM, true, usages);
  return new Uint8Array(
    await web.decapsulateBits(ALGORITHM, key, ciphertext),
  );
}
