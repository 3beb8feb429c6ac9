import type { Bytes } from "../../core/bytes/mod.ts";
import {
  importSigningKey,
  SIGNATURE_SCHEME,
  type SignatureScheme,
  type SigningKey,
} from "../../core/crypto/mod.ts";
import {
  cString,
  loadLibrary,
  must,
  type Owned,
  owned,
  type Symbols,
} from "./library.ts";

/** A `SigningKey` in libcrypto, which throws `FfiError` `failed` if that does; dispose wipes and frees it, as being forgotten does. */
export type LibcryptoKey =
  & Pick<SigningKey, "schemes" | "publicKeySpki" | "sign">
  & Disposable;

/** How libcrypto signs under a scheme. */
interface Algorithm {
  /** `undefined` where the signature brings its own. */
  readonly digest?: "SHA256" | "SHA384" | "SHA512";
  readonly isPss?: boolean;
}

const ALGORITHMS: Partial<Readonly<Record<SignatureScheme, Algorithm>>> = {
  [SIGNATURE_SCHEME.ecdsaSecp256r1Sha256]: { digest: "SHA256" },
  [SIGNATURE_SCHEME.ecdsaSecp384r1Sha384]: { digest: "SHA384" },
  [SIGNATURE_SCHEME.ecdsaSecp521r1Sha512]: { digest: "SHA512" },
  [SIGNATURE_SCHEME.ed25519]: {},
  [SIGNATURE_SCHEME.rsaPssRsaeSha256]: { digest: "SHA256", isPss: true },
  [SIGNATURE_SCHEME.rsaPssRsaeSha384]: { digest: "SHA384", isPss: true },
  [SIGNATURE_SCHEME.rsaPssRsaeSha512]: { digest: "SHA512", isPss: true },
  [SIGNATURE_SCHEME.rsaPssPssSha256]: { digest: "SHA256", isPss: true },
  [SIGNATURE_SCHEME.rsaPssPssSha384]: { digest: "SHA384", isPss: true },
  [SIGNATURE_SCHEME.rsaPssPssSha512]: { digest: "SHA512", isPss: true },
};
const MAX_SIGNATURE_LENGTH = 1_024; // RSA with 8,192 bits

/**
 * The signing key in `pkcs8`, as `importSigningKey` has it, that signs with OpenSSL 3.
 *
 * @param path The library to load, as for `openLibcrypto`.
 * @throws {TypeError} If it is not such a key, or no scheme of TLS 1.3 fits it.
 * @throws {FfiError} `not_permitted`, `not_found`, `unsupported`, or `failed` if libcrypto cannot load the key.
 */
export function importLibcryptoKey(
  pkcs8: Uint8Array,
  path?: string,
): LibcryptoKey {
  using key = importSigningKey(pkcs8);
  const lib = loadLibrary(path);
  const copy = pkcs8.slice();
  try {
    using input = owned(
      must(lib.BIO_new_mem_buf(copy, copy.length), "BIO_new_mem_buf"),
      lib.BIO_free,
    );
    const loaded = lib.d2i_PrivateKey_bio(input.pointer, null);
    const native = owned(must(loaded, "d2i_PrivateKey_bio"), lib.EVP_PKEY_free);
    return new NativeKey(lib, native, key);
  } finally {
    copy.fill(0);
  }
}

const forgotten = new FinalizationRegistry<Owned>((key) =>
  key[Symbol.dispose]()
);

class NativeKey implements LibcryptoKey {
  readonly schemes: readonly SignatureScheme[];
  readonly publicKeySpki: Bytes;
  readonly #lib: Symbols;
  #key: Owned | undefined;

  constructor(
    lib: Symbols,
    key: Owned,
    { schemes, publicKeySpki }: Pick<SigningKey, "schemes" | "publicKeySpki">,
  ) {
    this.#lib = lib;
    this.#key = key;
    this.schemes = schemes;
    this.publicKeySpki = publicKeySpki;
    forgotten.register(this, key, this);
  }

  sign(scheme: SignatureScheme, message: Uint8Array): Bytes {
    if (!this.#key) throw new TypeError("Cannot use a disposed signing key");
    if (!this.schemes.includes(scheme)) {
      throw new RangeError(`Want one of the key's schemes: got ${scheme}`);
    }
    const lib = this.#lib;
    const made = must(lib.EVP_MD_CTX_new(), "EVP_MD_CTX_new");
    using context = owned(made, lib.EVP_MD_CTX_free);
    start(lib, context, this.#key, ALGORITHMS[scheme]!);
    const signature = new Uint8Array(MAX_SIGNATURE_LENGTH);
    const length = BigUint64Array.of(BigInt(signature.length));
    must(
      lib.EVP_DigestSign(
        context.pointer,
        signature,
        length,
        message as Bytes,
        BigInt(message.length),
      ),
      "EVP_DigestSign",
    );
    return signature.slice(0, Number(length[0]));
  }

  [Symbol.dispose](): void {
    forgotten.unregister(this);
    this.#key?.[Symbol.dispose]();
    this.#key = undefined;
  }
}

function start(
  lib: Symbols,
  { pointer }: Owned,
  key: Owned,
  { digest, isPss }: Algorithm,
): void {
  const name = digest ? cString(digest) : null;
  must(
    lib.EVP_DigestSignInit_ex(
      pointer,
      null,
      name,
      null,
      null,
      key.pointer,
      null,
    ),
    "EVP_DigestSignInit_ex",
  );
  if (!isPss) return;
  const options = lib.EVP_MD_CTX_get_pkey_ctx(pointer);
  for (
    const [option, value] of [
      ["rsa_padding_mode", "pss"],
      ["rsa_pss_saltlen", "digest"],
    ] as const
  ) {
    must(
      lib.EVP_PKEY_CTX_ctrl_str(options, cString(option), cString(value)),
      "EVP_PKEY_CTX_ctrl_str",
    );
  }
}
