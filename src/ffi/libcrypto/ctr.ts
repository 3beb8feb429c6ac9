import { cString, must, type Symbols } from "./library.ts";
import type { Primitives } from "../../core/crypto/mod.ts";

const MAX_LENGTH = 2 ** 31 - 1; // libcrypto takes lengths as int

/** AES-CTR of libcrypto, with one context for each length of key. */
export function aesCtr(lib: Symbols): Primitives["aesCtr"] {
  const contexts = {
    16: keyed(lib, "AES-128-CTR"),
    32: keyed(lib, "AES-256-CTR"),
  };
  const written = new Int32Array(1);
  return (key, iv, data) => {
    if (data.length > MAX_LENGTH) {
      throw new RangeError(
        `libcrypto takes at most ${MAX_LENGTH} bytes at once`,
      );
    }
    const { cipher, context } = contexts[key.length as 16 | 32];
    const out = new Uint8Array(data.length);
    must(
      lib.EVP_EncryptInit_ex(context, cipher, null, key, iv),
      "EVP_EncryptInit_ex",
    );
    if (data.length > 0) {
      must(
        lib.EVP_EncryptUpdate(context, out, written, data, data.length),
        "EVP_EncryptUpdate",
      );
    }
    return out;
  };
}

function keyed(lib: Symbols, name: string) {
  const cipher = must(
    lib.EVP_CIPHER_fetch(null, cString(name), null),
    `EVP_CIPHER_fetch(${name})`,
  );
  return {
    cipher,
    context: must(lib.EVP_CIPHER_CTX_new(), "EVP_CIPHER_CTX_new"),
  };
}
