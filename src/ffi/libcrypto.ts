import { nodeProvider, type Primitives } from "../core/crypto/mod.ts";
import { FfiError } from "./error.ts";
import { aeads } from "./libcrypto/aead.ts";
import { aesCtr } from "./libcrypto/ctr.ts";
import { ecdh } from "./libcrypto/ecdh.ts";
import { hashes } from "./libcrypto/hash.ts";
import { loadLibrary, type Symbols } from "./libcrypto/library.ts";
import { mlKem768 } from "./libcrypto/ml_kem.ts";

/**
 * The cryptography of OpenSSL 3: AEADs, hashes, HMAC, ECDH and, from OpenSSL 3.5 on, ML-KEM-768. The rest is that
 * of {@link nodeProvider}; so is X25519, as libcrypto loads a private key by making the public one, which is slower.
 *
 * The library stays loaded until the program ends. Dispose of an AEAD frees and wipes what libcrypto keeps for it; one
 * that is forgotten is freed when it is collected.
 *
 * @param path The file to load. Default: the system's `libcrypto.so.3`, `libcrypto.3.dylib` or `libcrypto-3-x64.dll`.
 * @returns Primitives named after the library, such as `libcrypto 3.5.8`, for `selectProvider` or `checkedProvider`.
 * @throws {FfiError} `not_permitted` without `--allow-ffi`, `not_found`, or `unsupported` if it is not OpenSSL 3,
 * `failed` if it was built without an algorithm.
 */
export function openLibcrypto(path?: string): Primitives {
  const lib = loadLibrary(path);
  const version = versionOf(lib);
  const aes128Gcm = aeads(lib, "AES-128-GCM");
  const aes256Gcm = aeads(lib, "AES-256-GCM");
  return {
    ...nodeProvider,
    name: `libcrypto ${version}`,
    ...hashes(lib),
    chacha20poly1305: aeads(lib, "ChaCha20-Poly1305"),
    aesCtr: aesCtr(lib),
    aesGcm(key, nonceLength) {
      if (nonceLength !== 12) return nodeProvider.aesGcm(key, nonceLength);
      return (key.length === 16 ? aes128Gcm : aes256Gcm)(key);
    },
    p256: ecdh(lib, "p256"),
    p384: ecdh(lib, "p384"),
    mlKem768: mlKem768(lib) ?? nodeProvider.mlKem768,
  };
}

function versionOf(lib: Symbols): string {
  const major = lib.OPENSSL_version_major();
  if (major !== 3) {
    throw new FfiError("unsupported", `Want OpenSSL 3: got ${major}`);
  }
  return [major, lib.OPENSSL_version_minor(), lib.OPENSSL_version_patch()]
    .join(".");
}
