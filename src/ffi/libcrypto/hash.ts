import type { Bytes } from "../../core/bytes/mod.ts";
import {
  HASH_LENGTH,
  type HashName,
  hkdfExpand,
  type Primitives,
} from "../../core/crypto/mod.ts";
import { cString, must, paramList, type Symbols } from "./library.ts";

const NAME = {
  sha256: "SHA2-256",
  sha384: "SHA2-384",
  sha512: "SHA2-512",
  blake2s: "BLAKE2S-256",
  blake2b: "BLAKE2B-512",
} as const satisfies Record<HashName, string>;

/** Hashes, HMAC and HKDF of libcrypto. */
export function hashes(
  lib: Symbols,
): Pick<Primitives, "hash" | "hmac" | "hkdf"> {
  const hash = eachHash((name) => hasher(lib, name));
  const hmac = eachHash((name) => authenticator(lib, name));
  const raw: Pick<Primitives, "hash" | "hmac" | "hkdf"> = {
    hash: (name, ...parts) => hash[name](parts),
    hmac: (name, key, ...parts) => hmac[name](key, parts),
    hkdf(name, ikm, salt, info, length) {
      const prk = raw.hmac(name, salt, ikm);
      const okm = hkdfExpand(raw, name, prk, info, length);
      prk.fill(0);
      return okm;
    },
  };
  return raw;
}

function hasher(
  lib: Symbols,
  name: HashName,
): (parts: readonly Uint8Array[]) => Bytes {
  const found = lib.EVP_MD_fetch(null, cString(NAME[name]), null);
  const digest = must(found, `EVP_MD_fetch(${NAME[name]})`);
  const context = must(lib.EVP_MD_CTX_new(), "EVP_MD_CTX_new");
  return (parts) => {
    const out = new Uint8Array(HASH_LENGTH[name]);
    must(lib.EVP_DigestInit_ex(context, digest, null), "EVP_DigestInit_ex");
    for (const part of parts) {
      const length = BigInt(part.length);
      must(lib.EVP_DigestUpdate(context, part, length), "EVP_DigestUpdate");
    }
    must(lib.EVP_DigestFinal_ex(context, out, null), "EVP_DigestFinal_ex");
    return out;
  };
}

/** Each code is made in a copy of one context, whose release wipes the key. */
function authenticator(
  lib: Symbols,
  name: HashName,
): (key: Uint8Array, parts: readonly Uint8Array[]) => Bytes {
  const mac = must(lib.EVP_MAC_fetch(null, cString("HMAC"), null), "HMAC");
  const template = must(lib.EVP_MAC_CTX_new(mac), "EVP_MAC_CTX_new");
  const params = paramList("digest", NAME[name]);
  must(lib.EVP_MAC_CTX_set_params(template, params), `HMAC with ${NAME[name]}`);
  const outLength = BigInt(HASH_LENGTH[name]);
  const written = new BigUint64Array(1);
  return (key, parts) => {
    const out = new Uint8Array(HASH_LENGTH[name]);
    const context = must(lib.EVP_MAC_CTX_dup(template), "EVP_MAC_CTX_dup");
    try {
      const { length } = key;
      const some = length > 0 ? key : NO_KEY;
      must(lib.EVP_MAC_init(context, some, BigInt(length), null), "HMAC");
      for (const part of parts) {
        must(lib.EVP_MAC_update(context, part, BigInt(part.length)), "HMAC");
      }
      must(lib.EVP_MAC_final(context, out, written, outLength), "HMAC");
    } finally {
      lib.EVP_MAC_CTX_free(context);
    }
    return out;
  };
}

/** Where an empty key points to: at null libcrypto would use the last one. */
const NO_KEY = new Uint8Array(1);

function eachHash<T>(make: (name: HashName) => T): Record<HashName, T> {
  const names = Object.keys(HASH_LENGTH) as HashName[];
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<
    HashName,
    T
  >;
}
