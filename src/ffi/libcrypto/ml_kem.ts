import type { Bytes } from "../../core/bytes/mod.ts";
import { CryptoError, type MlKem768 } from "../../core/crypto/mod.ts";
import {
  cString,
  must,
  type Owned,
  owned,
  paramList,
  type Symbols,
} from "./library.ts";

const ALGORITHM = cString("ML-KEM-768");
const PUBLIC_KEY_LENGTH = 1184;
const PRIVATE_KEY_LENGTH = 2400;
const CIPHERTEXT_LENGTH = 1088;
const SECRET_LENGTH = 32;

/** ML-KEM-768 of libcrypto, or `undefined` before OpenSSL 3.5. */
export function mlKem768(lib: Symbols): MlKem768 | undefined {
  const tried = lib.EVP_PKEY_CTX_new_from_name(null, ALGORITHM, null);
  lib.EVP_PKEY_CTX_free(tried);
  lib.ERR_clear_error();
  if (tried === null) return undefined;
  return {
    generateKeyPair(seed) {
      using key = generate(lib, seed);
      const { EVP_PKEY_get_raw_public_key, EVP_PKEY_get_raw_private_key } = lib;
      return {
        publicKey: raw(EVP_PKEY_get_raw_public_key, key, PUBLIC_KEY_LENGTH),
        privateKey: raw(EVP_PKEY_get_raw_private_key, key, PRIVATE_KEY_LENGTH),
      };
    },
    encapsulate(publicKey, seed) {
      using context = contextOf(
        lib,
        lib.EVP_PKEY_new_raw_public_key_ex,
        publicKey,
      );
      return encapsulate(lib, context, seed);
    },
    decapsulate(privateKey, ciphertext) {
      using context = contextOf(
        lib,
        lib.EVP_PKEY_new_raw_private_key_ex,
        privateKey,
      );
      return decapsulate(lib, context, ciphertext);
    },
  };
}

function generate(lib: Symbols, seed?: Uint8Array): Owned {
  using context = owned(
    must(
      lib.EVP_PKEY_CTX_new_from_name(null, ALGORITHM, null),
      "EVP_PKEY_CTX_new_from_name",
    ),
    lib.EVP_PKEY_CTX_free,
  );
  must(lib.EVP_PKEY_keygen_init(context.pointer), "EVP_PKEY_keygen_init");
  if (seed) {
    const params = paramList("seed", seed);
    const ok = lib.EVP_PKEY_CTX_set_params(context.pointer, params);
    params.fill(0);
    must(ok, "EVP_PKEY_CTX_set_params");
  }
  const address = new BigUint64Array(1);
  must(lib.EVP_PKEY_generate(context.pointer, address), "EVP_PKEY_generate");
  const key = Deno.UnsafePointer.create(address[0]!);
  return owned(must(key, "EVP_PKEY_generate"), lib.EVP_PKEY_free);
}

function raw(
  get: Symbols["EVP_PKEY_get_raw_public_key"],
  { pointer }: Owned,
  length: number,
): Bytes {
  const out = new Uint8Array(length);
  must(get(pointer, out, sizeArgument(length)), "EVP_PKEY_get_raw");
  return out;
}

/** A context that keeps the key it is for. */
function contextOf(
  lib: Symbols,
  make: Symbols["EVP_PKEY_new_raw_public_key_ex"],
  bytes: Uint8Array,
): Owned {
  const key = make(null, ALGORITHM, null, bytes, BigInt(bytes.length));
  if (key === null) { // lengths are checked before, so it is what the key holds
    lib.ERR_clear_error();
    throw new CryptoError("invalid_key");
  }
  const context = lib.EVP_PKEY_CTX_new_from_pkey(null, key, null);
  lib.EVP_PKEY_free(key);
  return owned(must(context, "EVP_PKEY_CTX_new"), lib.EVP_PKEY_CTX_free);
}

function encapsulate(lib: Symbols, { pointer }: Owned, seed?: Uint8Array) {
  const params = seed ? paramList("ikme", seed) : null;
  const ok = lib.EVP_PKEY_encapsulate_init(pointer, params);
  params?.fill(0);
  must(ok, "EVP_PKEY_encapsulate_init");
  const ciphertext = new Uint8Array(CIPHERTEXT_LENGTH);
  const sharedSecret = new Uint8Array(SECRET_LENGTH);
  must(
    lib.EVP_PKEY_encapsulate(
      pointer,
      ciphertext,
      sizeArgument(CIPHERTEXT_LENGTH),
      sharedSecret,
      sizeArgument(SECRET_LENGTH),
    ),
    "EVP_PKEY_encapsulate",
  );
  return { ciphertext, sharedSecret };
}

function decapsulate(
  lib: Symbols,
  { pointer }: Owned,
  ciphertext: Uint8Array,
): Bytes {
  must(
    lib.EVP_PKEY_decapsulate_init(pointer, null),
    "EVP_PKEY_decapsulate_init",
  );
  const sharedSecret = new Uint8Array(SECRET_LENGTH);
  must(
    lib.EVP_PKEY_decapsulate(
      pointer,
      sharedSecret,
      sizeArgument(SECRET_LENGTH),
      ciphertext,
      BigInt(CIPHERTEXT_LENGTH),
    ),
    "EVP_PKEY_decapsulate",
  );
  return sharedSecret;
}

/** A size that libcrypto reads and writes back. */
function sizeArgument(size: number): BigUint64Array<ArrayBuffer> {
  return BigUint64Array.of(BigInt(size));
}
