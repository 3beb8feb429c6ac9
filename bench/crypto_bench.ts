import { equal } from "../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  nobleProvider,
  nodeProvider,
} from "../src/core/crypto/mod.ts";

const SIZES = [["64 B", 64], ["1 KiB", 1024], ["64 KiB", 65536]] as const;
const key = nodeProvider.random(32);
const nonce = nodeProvider.random(12);
const peer = nodeProvider.x25519.publicKey(nodeProvider.random(32));
const kem = nodeProvider.mlKem768.generateKeyPair();
const kemSeed = nodeProvider.random(32);
const { ciphertext, sharedSecret } = nodeProvider.mlKem768.encapsulate(
  kem.publicKey,
  kemSeed,
);
if (
  !equal(
    nodeProvider.mlKem768.decapsulate(kem.privateKey, ciphertext),
    sharedSecret,
  )
) throw new Error("ML-KEM-768 disagrees with itself");

for (const [size, length] of SIZES) {
  const data = nodeProvider.random(length);
  const out = new Uint8Array(length + 16);
  for (const name of ["chacha20poly1305", "aesGcm"] as const) {
    compare(`${name} seal ${size}`, (c) => {
      const aead = c[name](key);
      return () => aead.seal(nonce, data, nonce, out);
    });
    const sealed = nodeProvider[name](key).seal(nonce, data, nonce);
    compare(`${name} open ${size}`, (c) => {
      const aead = c[name](key);
      return () => aead.open(nonce, sealed, nonce);
    });
  }
  compare(`chacha20 ${size}`, (c) => () => c.chacha20(key, nonce, 0, data));
  compare(`aesCtr ${size}`, (c) => () => c.aesCtr(key, key.subarray(16), data));
  for (const name of ["sha256", "sha512", "blake2s", "blake2b"] as const) {
    compare(`${name} ${size}`, (c) => () => c.hash(name, data));
  }
  compare(`hmac sha256 ${size}`, (c) => () => c.hmac("sha256", key, data));
}

for (const name of ["sha256", "blake2s"] as const) {
  compare(
    `hkdf ${name} to 64 B`,
    (c) => () => c.hkdf(name, key, key, nonce, 64),
  );
}
compare("x25519 public key", (c) => () => c.x25519.publicKey(key));
compare("x25519 shared secret", (c) => () => c.x25519.sharedSecret(key, peer));
const message = nodeProvider.random(128);
const signer = nodeProvider.ed25519.publicKey(key);
const signature = nodeProvider.ed25519.sign(key, message);
if (!nodeProvider.ed25519.verify(signer, message, signature)) {
  throw new Error("ed25519.verify() refuses a good signature");
}
compare("ed25519 sign", (c) => () => c.ed25519.sign(key, message));
compare(
  "ed25519 verify",
  (c) => () =>
    Uint8Array.of(Number(c.ed25519.verify(signer, message, signature))),
);

bench("ML-KEM-768 key pair", () => nodeProvider.mlKem768.generateKeyPair());
bench(
  "ML-KEM-768 encapsulate",
  () => nodeProvider.mlKem768.encapsulate(kem.publicKey, kemSeed),
);
bench(
  "ML-KEM-768 decapsulate",
  () => nodeProvider.mlKem768.decapsulate(kem.privateKey, ciphertext),
);

/** Registers one bench per provider, after checking that both give the same bytes. */
function compare(
  group: string,
  prepare: (c: CryptoProvider) => () => Uint8Array,
): void {
  const [node, noble] = [prepare(nodeProvider), prepare(nobleProvider)];
  if (!equal(node().slice(), noble().slice())) {
    throw new Error(`node and noble differ in ${group}`);
  }
  Deno.bench(`${group}, node`, { group, baseline: true }, () => void node());
  Deno.bench(`${group}, noble`, { group }, () => void noble());
}

/** Registers a bench of what both providers share. */
function bench(name: string, fn: () => unknown): void {
  Deno.bench(name, () => void fn());
}
