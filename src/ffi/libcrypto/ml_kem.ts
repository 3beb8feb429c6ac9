import { type Bytes, concat } from "../../core/bytes/mod.ts";
import {
  CryptoError,
  type MlKem768,
  nodeProvider,
} from "../../core/crypto/mod.ts";
import { cString, must, type Owned, owned, type Symbols } from "./library.ts";

const ALGORITHM = cString("ML-KEM-768");
/** What stands before the seed in a PKCS #8 private key that holds nothing else. */
const PKCS8_SEED = Uint8Array.fromHex(
  "3054020100300b060960864801650304040204428040",
);
const SEED_LENGTH = 64;
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
    generateKeyPair(seed = nodeProvider.random(SEED_LENGTH)) {
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

function generate(lib: Symbols, seed: Uint8Array): Owned {
  const pkcs8 = concat(PKCS8_SEED, seed);
  using input = owned(
    must(lib.BIO_new_mem_buf(pkcs8, pkcs8.length), "BIO_new_mem_buf"),
    lib.BIO_free,
  );
  const key = lib.d2i_PrivateKey_bio(input.pointer, null);
  pkcs8.fill(0);
  return owned(must(key, "d2i_PrivateKey_bio"), lib.EVP_PKEY_free);
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
  must(
    lib.EVP_PKEY_encapsulate_init(pointer, null),
    "EVP_PKEY_encapsulate_init",
  );
  if (seed) {
    must(
      lib.EVP_PKEY_CTX_ctrl_str(
        pointer,
        cString("hexikme"),
        cString(seed.toHex()),
      ),
      "EVP_PKEY_CTX_ctrl_str",
    );
  }
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
