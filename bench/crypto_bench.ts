import { equal } from "../src/core/bytes/mod.ts";
import {
  checkedProvider,
  type CryptoProvider,
  nobleProvider,
  nodeProvider,
} from "../src/core/crypto/mod.ts";
import { FfiError, openLibcrypto } from "../src/ffi/mod.ts";

const SIZES = [["64 B", 64], ["16 KiB", 16384], ["64 KiB", 65536]] as const;
const PROVIDERS = [nodeProvider, nobleProvider, ...native()];

const key = nodeProvider.random(32);
const nonce = nodeProvider.random(12);
const peer = nodeProvider.x25519.publicKey(nodeProvider.random(32));

for (const [size, length] of SIZES) {
  const data = nodeProvider.random(length);
  const out = new Uint8Array(length + 16);
  for (
    const [title, name, keyLength] of [
      ["chacha20poly1305", "chacha20poly1305", 32],
      ["aes128gcm", "aesGcm", 16],
      ["aes256gcm", "aesGcm", 32],
    ] as const
  ) {
    const aeadKey = key.subarray(0, keyLength);
    compare(`${title} seal ${size}`, (c) => {
      const aead = c[name](aeadKey);
      return () => aead.seal(nonce, data, nonce, out);
    });
    const sealed = nodeProvider[name](aeadKey).seal(nonce, data, nonce);
    compare(`${title} open ${size}`, (c) => {
      const aead = c[name](aeadKey);
      return () => aead.open(nonce, sealed, nonce);
    });
    compare(`${title} open into ${size}`, (c) => {
      const aead = c[name](aeadKey);
      const opened = new Uint8Array(length);
      return () => aead.open(nonce, sealed, nonce, opened);
    });
  }
  compare(`chacha20 ${size}`, (c) => () => c.chacha20(key, nonce, 0, data));
  compare(`aesCtr ${size}`, (c) => () => c.aesCtr(key, key.subarray(16), data));
  for (const name of ["sha256", "sha384", "blake2s"] as const) {
    compare(`${name} ${size}`, (c) => () => c.hash(name, data));
  }
  compare(`hmac sha256 ${size}`, (c) => () => c.hmac("sha256", key, data));
}

compare("make an AEAD and seal 64 B", (c) => () => {
  using aead = c.aesGcm(key);
  return aead.seal(nonce, key);
});
for (const name of ["sha256", "blake2s"] as const) {
  compare(
    `hkdf ${name} to 64 B`,
    (c) => () => c.hkdf(name, key, key, nonce, 64),
  );
}
compare(
  "hkdfExpand sha256 to 32 B",
  (c) => () => c.hkdfExpand("sha256", key, nonce, 32),
);
compare("x25519 public key", (c) => () => c.x25519.publicKey(key));
compare("x25519 shared secret", (c) => () => c.x25519.sharedSecret(key, peer));
for (const name of ["p256", "p384"] as const) {
  const { privateKey, publicKey } = nodeProvider[name].generateKeyPair();
  compare(`${name} public key`, (c) => () => c[name].publicKey(privateKey));
  compare(
    `${name} shared secret`,
    (c) => () => c[name].sharedSecret(privateKey, publicKey),
  );
}

const message = nodeProvider.random(128);
const signer = nodeProvider.ed25519.publicKey(key);
const signature = nodeProvider.ed25519.sign(key, message);
compare("ed25519 sign", (c) => () => c.ed25519.sign(key, message));
compare(
  "ed25519 verify",
  (c) => () =>
    Uint8Array.of(Number(c.ed25519.verify(signer, message, signature))),
  Uint8Array.of(1),
);

const seed = nodeProvider.random(64);
const kem = nodeProvider.mlKem768.generateKeyPair(seed);
const { ciphertext, sharedSecret } = nodeProvider.mlKem768.encapsulate(
  kem.publicKey,
);
compare(
  "ML-KEM-768 key pair",
  (c) => () => c.mlKem768.generateKeyPair(seed).publicKey,
);
compare(
  "ML-KEM-768 encapsulate",
  (c) => () => c.mlKem768.encapsulate(kem.publicKey, key).ciphertext,
);
compare(
  "ML-KEM-768 decapsulate",
  (c) => () => c.mlKem768.decapsulate(kem.privateKey, ciphertext),
  sharedSecret,
);

/** Registers one bench per provider, after checking that all give the same bytes. */
function compare(
  group: string,
  prepare: (c: CryptoProvider) => () => Uint8Array,
  expected: Uint8Array = prepare(nodeProvider)().slice(),
): void {
  for (const provider of PROVIDERS) {
    const run = prepare(provider);
    if (!equal(run().slice(), expected)) {
      throw new Error(`${provider.name} is wrong in ${group}`);
    }
    const baseline = provider === nodeProvider;
    const name = `${group}, ${provider.name}`;
    Deno.bench(name, { group, baseline }, () => void run());
  }
}

/** libcrypto, if there is one; its path may be given behind `--`. */
function native(): CryptoProvider[] {
  try {
    return [checkedProvider(openLibcrypto(Deno.args[0]))];
  } catch (error) {
    if (error instanceof FfiError) return [];
    throw error;
  }
}
