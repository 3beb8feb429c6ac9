import type { Bytes } from "../../core/bytes/mod.ts";
import {
  HASH_LENGTH,
  type HashName,
  type Primitives,
} from "../../core/crypto/mod.ts";
import { cString, must, type Symbols } from "./library.ts";

/** Names in OpenSSL's spelling, and the bytes that each takes at once, which HMAC pads keys to. */
const DIGESTS = {
  sha256: { name: "SHA2-256", blockLength: 64 },
  sha384: { name: "SHA2-384", blockLength: 128 },
  sha512: { name: "SHA2-512", blockLength: 128 },
  blake2s: { name: "BLAKE2S-256", blockLength: 64 },
  blake2b: { name: "BLAKE2B-512", blockLength: 128 },
} as const satisfies Record<HashName, unknown>;

type Digest = (...parts: readonly Uint8Array[]) => Bytes;

/** Hashes of libcrypto, and HMAC made of them: its own takes longer to set up than to compute. */
export function hashes(lib: Symbols): Pick<Primitives, "hash" | "hmac"> {
  const names = Object.keys(DIGESTS) as HashName[];
  const digests = Object.fromEntries(
    names.map((name) => [name, digest(lib, name)]),
  ) as Record<HashName, Digest>;
  return {
    hash: (name, ...parts) => digests[name](...parts),
    hmac: (name, key, ...parts) =>
      hmac(digests[name], DIGESTS[name].blockLength, key, parts),
  };
}

function digest(lib: Symbols, hash: HashName): Digest {
  const { name } = DIGESTS[hash];
  const found = lib.EVP_MD_fetch(null, cString(name), null);
  const algorithm = must(found, `EVP_MD_fetch(${name})`);
  const context = must(lib.EVP_MD_CTX_new(), "EVP_MD_CTX_new");
  return (...parts) => {
    const out = new Uint8Array(HASH_LENGTH[hash]);
    must(lib.EVP_DigestInit_ex(context, algorithm, null), "EVP_DigestInit_ex");
    for (const part of parts) {
      const length = BigInt(part.length);
      must(lib.EVP_DigestUpdate(context, part, length), "EVP_DigestUpdate");
    }
    must(lib.EVP_DigestFinal_ex(context, out, null), "EVP_DigestFinal_ex");
    return out;
  };
}

/** H((K ^ opad) ‖ H((K ^ ipad) ‖ text)), RFC 2104 §2. */
function hmac(
  digest: Digest,
  blockLength: number,
  key: Uint8Array,
  parts: readonly Uint8Array[],
): Bytes {
  const pad = new Uint8Array(blockLength);
  pad.set(key.length > blockLength ? digest(key) : key);
  for (let i = 0; i < blockLength; i++) pad[i]! ^= 0x36;
  const inner = digest(pad, ...parts);
  for (let i = 0; i < blockLength; i++) pad[i]! ^= 0x36 ^ 0x5c;
  const code = digest(pad, inner);
  pad.fill(0);
  inner.fill(0);
  return code;
}
