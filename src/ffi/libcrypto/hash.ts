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

/** Hashes `parts` joined into `out`, and returns it. */
type Digest = (out: Bytes, ...parts: readonly Uint8Array[]) => Bytes;

/** Hashes of libcrypto, with HMAC and HKDF made of them: its own take longer to set up than to compute. */
export function hashes(
  lib: Symbols,
): Pick<Primitives, "hash" | "hmac" | "hkdf"> {
  const names = Object.keys(DIGESTS) as HashName[];
  const digests = Object.fromEntries(
    names.map((name) => [name, digest(lib, name)]),
  ) as Record<HashName, Digest>;
  return {
    hash: (name, ...parts) =>
      digests[name](new Uint8Array(HASH_LENGTH[name]), ...parts),
    hmac(name, key, ...parts) {
      const keyed = new Hmac(digests[name], name, key);
      const code = keyed.code(...parts);
      keyed.wipe();
      return code;
    },
    hkdf(name, ikm, salt, info, length) {
      const extract = new Hmac(digests[name], name, salt);
      const prk = extract.code(ikm);
      const expand = new Hmac(digests[name], name, prk);
      const out = new Uint8Array(length);
      let block: Bytes = new Uint8Array(0);
      for (let i = 1, at = 0; at < length; i++, at += block.length) {
        block = expand.code(block, info, Uint8Array.of(i));
        out.set(
          at + block.length > length ? block.subarray(0, length - at) : block,
          at,
        );
      }
      for (const secret of [prk, block]) secret.fill(0);
      expand.wipe();
      return out;
    },
  };
}

function digest(lib: Symbols, hash: HashName): Digest {
  const { name } = DIGESTS[hash];
  const found = lib.EVP_MD_fetch(null, cString(name), null);
  const algorithm = must(found, `EVP_MD_fetch(${name})`);
  const context = must(lib.EVP_MD_CTX_new(), "EVP_MD_CTX_new");
  return (out, ...parts) => {
    must(lib.EVP_DigestInit_ex(context, algorithm, null), "EVP_DigestInit_ex");
    for (const part of parts) {
      const length = BigInt(part.length);
      must(lib.EVP_DigestUpdate(context, part, length), "EVP_DigestUpdate");
    }
    must(lib.EVP_DigestFinal_ex(context, out, null), "EVP_DigestFinal_ex");
    return out;
  };
}

/** H((K ^ opad) ‖ H((K ^ ipad) ‖ text)), RFC 2104 §2, under one key. */
class Hmac {
  readonly #digest: Digest;
  readonly #innerPad: Bytes;
  readonly #outerPad: Bytes;
  readonly #inner: Bytes;

  constructor(digest: Digest, name: HashName, key: Uint8Array) {
    const { blockLength } = DIGESTS[name];
    this.#digest = digest;
    this.#inner = new Uint8Array(HASH_LENGTH[name]);
    this.#innerPad = new Uint8Array(blockLength);
    this.#innerPad.set(
      key.length > blockLength ? digest(this.#inner, key) : key,
    );
    this.#outerPad = this.#innerPad.slice();
    for (let i = 0; i < blockLength; i++) {
      this.#innerPad[i]! ^= 0x36;
      this.#outerPad[i]! ^= 0x5c;
    }
  }

  code(...parts: readonly Uint8Array[]): Bytes {
    this.#digest(this.#inner, this.#innerPad, ...parts);
    const code = new Uint8Array(this.#inner.length);
    return this.#digest(code, this.#outerPad, this.#inner);
  }

  wipe(): void {
    this.#innerPad.fill(0);
    this.#outerPad.fill(0);
    this.#inner.fill(0);
  }
}
