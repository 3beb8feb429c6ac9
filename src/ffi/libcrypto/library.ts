import type { Bytes } from "../../core/bytes/mod.ts";
import { FfiError } from "../error.ts";
import { openLibrary } from "../open_library.ts";

/** What is called of libcrypto; all of it exists since OpenSSL 3.0. */
const SYMBOLS = {
  OPENSSL_init_crypto: { parameters: ["u64", "pointer"], result: "i32" },
  OPENSSL_version_major: { parameters: [], result: "u32" },
  OPENSSL_version_minor: { parameters: [], result: "u32" },
  OPENSSL_version_patch: { parameters: [], result: "u32" },
  ERR_clear_error: { parameters: [], result: "void" },

  EVP_CIPHER_fetch: {
    parameters: ["pointer", "buffer", "pointer"],
    result: "pointer",
  },
  EVP_CIPHER_CTX_new: { parameters: [], result: "pointer" },
  EVP_CIPHER_CTX_free: { parameters: ["pointer"], result: "void" },
  EVP_CIPHER_CTX_ctrl: {
    parameters: ["pointer", "i32", "i32", "buffer"],
    result: "i32",
  },
  EVP_EncryptInit_ex: {
    parameters: ["pointer", "pointer", "pointer", "buffer", "buffer"],
    result: "i32",
  },
  EVP_EncryptUpdate: {
    parameters: ["pointer", "buffer", "buffer", "buffer", "i32"],
    result: "i32",
  },
  EVP_EncryptFinal_ex: {
    parameters: ["pointer", "buffer", "buffer"],
    result: "i32",
  },
  EVP_DecryptInit_ex: {
    parameters: ["pointer", "pointer", "pointer", "buffer", "buffer"],
    result: "i32",
  },
  EVP_DecryptUpdate: {
    parameters: ["pointer", "buffer", "buffer", "buffer", "i32"],
    result: "i32",
  },
  EVP_DecryptFinal_ex: {
    parameters: ["pointer", "buffer", "buffer"],
    result: "i32",
  },

  EVP_MD_fetch: {
    parameters: ["pointer", "buffer", "pointer"],
    result: "pointer",
  },
  EVP_MD_CTX_new: { parameters: [], result: "pointer" },
  EVP_DigestInit_ex: {
    parameters: ["pointer", "pointer", "pointer"],
    result: "i32",
  },
  EVP_DigestUpdate: {
    parameters: ["pointer", "buffer", "usize"],
    result: "i32",
  },
  EVP_DigestFinal_ex: {
    parameters: ["pointer", "buffer", "pointer"],
    result: "i32",
  },

  EVP_MD_CTX_free: { parameters: ["pointer"], result: "void" },
  EVP_MD_CTX_get_pkey_ctx: { parameters: ["pointer"], result: "pointer" },
  EVP_DigestSignInit_ex: {
    parameters: [
      "pointer",
      "pointer",
      "buffer",
      "pointer",
      "pointer",
      "pointer",
      "pointer",
    ],
    result: "i32",
  },
  EVP_DigestSign: {
    parameters: ["pointer", "buffer", "buffer", "buffer", "usize"],
    result: "i32",
  },

  BIO_new_mem_buf: { parameters: ["buffer", "i32"], result: "pointer" },
  BIO_free: { parameters: ["pointer"], result: "i32" },
  d2i_PrivateKey_bio: { parameters: ["pointer", "pointer"], result: "pointer" },
  EVP_PKEY_new_raw_private_key_ex: {
    parameters: ["pointer", "buffer", "pointer", "buffer", "usize"],
    result: "pointer",
  },
  EVP_PKEY_new_raw_public_key_ex: {
    parameters: ["pointer", "buffer", "pointer", "buffer", "usize"],
    result: "pointer",
  },
  EVP_PKEY_get_raw_public_key: {
    parameters: ["pointer", "buffer", "buffer"],
    result: "i32",
  },
  EVP_PKEY_get_raw_private_key: {
    parameters: ["pointer", "buffer", "buffer"],
    result: "i32",
  },
  EVP_PKEY_free: { parameters: ["pointer"], result: "void" },
  EVP_PKEY_CTX_new_from_name: {
    parameters: ["pointer", "buffer", "pointer"],
    result: "pointer",
  },
  EVP_PKEY_CTX_new_from_pkey: {
    parameters: ["pointer", "pointer", "pointer"],
    result: "pointer",
  },
  EVP_PKEY_CTX_free: { parameters: ["pointer"], result: "void" },
  EVP_PKEY_CTX_ctrl_str: {
    parameters: ["pointer", "buffer", "buffer"],
    result: "i32",
  },
  EVP_PKEY_encapsulate_init: {
    parameters: ["pointer", "buffer"],
    result: "i32",
  },
  EVP_PKEY_encapsulate: {
    parameters: ["pointer", "buffer", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  EVP_PKEY_decapsulate_init: {
    parameters: ["pointer", "buffer"],
    result: "i32",
  },
  EVP_PKEY_decapsulate: {
    parameters: ["pointer", "buffer", "buffer", "buffer", "usize"],
    result: "i32",
  },

  BN_bin2bn: { parameters: ["buffer", "i32", "pointer"], result: "pointer" },
  BN_bn2binpad: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  BN_clear_free: { parameters: ["pointer"], result: "void" },
  BN_cmp: { parameters: ["pointer", "pointer"], result: "i32" },
  BN_is_zero: { parameters: ["pointer"], result: "i32" },
  BN_set_flags: { parameters: ["pointer", "i32"], result: "void" },
  BN_CTX_new: { parameters: [], result: "pointer" },
  BN_CTX_free: { parameters: ["pointer"], result: "void" },
  EC_GROUP_new_by_curve_name: { parameters: ["i32"], result: "pointer" },
  EC_GROUP_get0_order: { parameters: ["pointer"], result: "pointer" },
  EC_POINT_new: { parameters: ["pointer"], result: "pointer" },
  EC_POINT_clear_free: { parameters: ["pointer"], result: "void" },
  EC_POINT_mul: {
    parameters: [
      "pointer",
      "pointer",
      "pointer",
      "pointer",
      "pointer",
      "pointer",
    ],
    result: "i32",
  },
  EC_POINT_oct2point: {
    parameters: ["pointer", "pointer", "buffer", "usize", "pointer"],
    result: "i32",
  },
  EC_POINT_point2oct: {
    parameters: ["pointer", "pointer", "i32", "buffer", "usize", "pointer"],
    result: "usize",
  },
  EC_POINT_get_affine_coordinates: {
    parameters: ["pointer", "pointer", "pointer", "pointer", "pointer"],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** The functions of libcrypto that we call, under their own names. */
export type Symbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** Something that libcrypto allocated for us. */
export interface Owned extends Disposable {
  /** Where it is. */
  readonly pointer: Deno.PointerObject;
}

/** File names of libcrypto 3 where it is not `libcrypto.so.3`. */
const FILE_NAMES: Partial<Record<typeof Deno.build.os, string>> = {
  darwin: "libcrypto.3.dylib",
  windows: "libcrypto-3-x64.dll",
};

const NO_ATEXIT = 0x80000n; // OPENSSL_INIT_NO_ATEXIT

/**
 * Loads libcrypto from the file `path`, or from where the system keeps it.
 *
 * It is told, before all else, to free nothing when the program ends: OpenSSL wants all other threads to have ended by then, and
 * `Deno.exit()` does not wait for workers, which may be calling it.
 */
export function loadLibrary(
  path: string = FILE_NAMES[Deno.build.os] ?? "libcrypto.so.3",
): Symbols {
  const lib = openLibrary("libcrypto 3", path, SYMBOLS);
  must(lib.OPENSSL_init_crypto(NO_ATEXIT, null), "OPENSSL_init_crypto");
  return lib;
}

/**
 * What `call` answered, unless that means failure: a number of zero or below, or no pointer.
 *
 * @throws {FfiError} `failed`.
 */
export function must<T>(answer: T, call: string): NonNullable<T> {
  if (typeof answer === "object" ? answer === null : !(Number(answer) > 0)) {
    throw new FfiError("failed", `libcrypto failed in ${call}`);
  }
  return answer as NonNullable<T>;
}

/** `pointer` until it is disposed, which calls `free`. */
export function owned(
  pointer: Deno.PointerObject,
  free: (pointer: Deno.PointerValue) => void,
): Owned {
  return { pointer, [Symbol.dispose]: () => free(pointer) };
}

/** `text` as C has it. */
export function cString(text: string): Bytes {
  return new TextEncoder().encode(`${text}\0`);
}
