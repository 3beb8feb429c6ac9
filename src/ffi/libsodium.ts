import { concat } from "../core/bytes/mod.ts";
import type { Primitives } from "../core/crypto/mod.ts";
import { FfiError } from "./error.ts";
import { openLibrary } from "./open_library.ts";

/** What is called of libsodium; all of it exists since 1.0.12. */
const SYMBOLS = {
  sodium_init: { parameters: [], result: "i32" },
  sodium_version_string: { parameters: [], result: "pointer" },
  sodium_bin2hex: {
    parameters: ["buffer", "usize", "pointer", "usize"],
    result: "pointer",
  },
  crypto_scalarmult_curve25519: {
    parameters: ["buffer", "buffer", "buffer"],
    result: "i32",
  },
  crypto_scalarmult_curve25519_base: {
    parameters: ["buffer", "buffer"],
    result: "i32",
  },
  crypto_generichash_blake2b: {
    parameters: ["buffer", "usize", "buffer", "u64", "buffer", "usize"],
    result: "i32",
  },
  crypto_stream_chacha20_ietf_xor_ic: {
    parameters: ["buffer", "buffer", "u64", "buffer", "u32", "buffer"],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** File names of libsodium where it is not `libsodium.so.23`. */
const FILE_NAMES: Partial<Record<typeof Deno.build.os, string>> = {
  darwin: "libsodium.23.dylib",
  windows: "libsodium.dll",
};

/**
 * What libsodium does fastest, X25519, ChaCha20 and keyed BLAKE2b, in place of what `base` does; the rest is that of `base`, which
 * is best {@link openLibcrypto}'s.
 *
 * The library stays loaded until the program ends.
 *
 * @param path The file to load. Default: the system's `libsodium.so.23`, `libsodium.23.dylib` or `libsodium.dll`.
 * @returns Primitives named after both, such as `libsodium 1.0.18 on libcrypto 3.5.8`.
 * @throws {FfiError} `not_permitted` without `--allow-ffi`, `not_found`, or `unsupported` if it lacks a function,
 * `failed` if it cannot be started.
 */
export function openLibsodium(base: Primitives, path?: string): Primitives {
  const lib = openLibrary(
    "libsodium",
    path ?? FILE_NAMES[Deno.build.os] ??
      "libsodium.so.23",
    SYMBOLS,
  );
  if (lib.sodium_init() < 0) {
    throw new FfiError("failed", "libsodium failed in sodium_init");
  }
  return {
    ...base,
    name: `libsodium ${versionOf(lib)} on ${base.name}`,
    blake2bMac(key, length, ...parts) {
      const out = new Uint8Array(length);
      const data = parts.length === 1 ? parts[0]! : concat(...parts);
      lib.crypto_generichash_blake2b(
        out,
        BigInt(length),
        data,
        BigInt(data.length),
        key,
        BigInt(key.length),
      );
      return out;
    },
    chacha20(key, nonce, counter, data) {
      const out = new Uint8Array(data.length);
      lib.crypto_stream_chacha20_ietf_xor_ic(
        out,
        data,
        BigInt(data.length),
        nonce,
        counter,
        key,
      );
      return out;
    },
    x25519: {
      publicKey(privateKey) {
        const out = new Uint8Array(32);
        lib.crypto_scalarmult_curve25519_base(out, privateKey);
        return out;
      },
      sharedSecret(privateKey, publicKey) {
        const out = new Uint8Array(32);
        lib.crypto_scalarmult_curve25519(out, privateKey, publicKey);
        return out;
      },
    },
  };
}

/** Such as `1.0.18`: reading memory through Deno would want the permission for every library, so libsodium reads it for us. */
function versionOf(
  lib: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"],
): string {
  const length = 6;
  const hex = new Uint8Array(2 * length + 1);
  lib.sodium_bin2hex(
    hex,
    BigInt(hex.length),
    lib.sodium_version_string(),
    BigInt(length),
  );
  const digits = new TextDecoder().decode(hex.subarray(0, 2 * length));
  const text = new TextDecoder().decode(Uint8Array.fromHex(digits));
  return text.replace(/\0.*/s, "");
}
