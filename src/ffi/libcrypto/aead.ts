import type { Bytes } from "../../core/bytes/mod.ts";
import { CryptoError, type RawAead } from "../../core/crypto/mod.ts";
import { cString, must, type Symbols } from "./library.ts";

const TAG_LENGTH = 16;
const GET_TAG = 0x10; // EVP_CTRL_AEAD_GET_TAG
const SET_TAG = 0x11; // EVP_CTRL_AEAD_SET_TAG
const MAX_LENGTH = 2 ** 31 - 1; // libcrypto takes lengths as int

/** What a call passes besides data; kept, as a new array costs as much as sealing 64 bytes. */
const nonceArgument = new Uint8Array(12);
const tagArgument = new Uint8Array(TAG_LENGTH);
const writtenArgument = new Int32Array(1);

/** Makes AEADs of the cipher `name`, in OpenSSL's spelling. */
export function aeads(
  lib: Symbols,
  name: string,
): (key: Uint8Array) => RawAead {
  const found = lib.EVP_CIPHER_fetch(null, cString(name), null);
  const cipher = must(found, `EVP_CIPHER_fetch(${name})`);
  const forgotten = new FinalizationRegistry<Deno.PointerObject>((context) =>
    lib.EVP_CIPHER_CTX_free(context)
  );
  return (key) => new LibcryptoAead(lib, cipher, key, forgotten);
}

/** One context per direction, made at its first use and keyed once; a packet sets nothing but the nonce. */
class LibcryptoAead implements RawAead, Disposable {
  readonly #lib: Symbols;
  readonly #cipher: Deno.PointerObject;
  readonly #key: Uint8Array;
  readonly #forgotten: FinalizationRegistry<Deno.PointerObject>;
  #sealing: Deno.PointerObject | null = null;
  #opening: Deno.PointerObject | null = null;

  constructor(
    lib: Symbols,
    cipher: Deno.PointerObject,
    key: Uint8Array,
    forgotten: FinalizationRegistry<Deno.PointerObject>,
  ) {
    this.#lib = lib;
    this.#cipher = cipher;
    this.#key = key;
    this.#forgotten = forgotten;
  }

  seal(
    nonce: Uint8Array,
    plaintext: Uint8Array,
    aad?: Uint8Array,
    out: Bytes = new Uint8Array(plaintext.length + TAG_LENGTH),
  ): Bytes {
    const { EVP_EncryptInit_ex, EVP_EncryptUpdate, EVP_EncryptFinal_ex } =
      this.#lib;
    const context = this.#sealing ??= this.#context(EVP_EncryptInit_ex);
    nonceArgument.set(nonce);
    must(
      EVP_EncryptInit_ex(context, null, null, null, nonceArgument),
      "EVP_EncryptInit_ex",
    );
    update(EVP_EncryptUpdate, context, null, aad, aad?.length);
    update(EVP_EncryptUpdate, context, out, plaintext, plaintext.length);
    must(
      EVP_EncryptFinal_ex(context, tagArgument, writtenArgument),
      "EVP_EncryptFinal_ex",
    );
    this.#tag(context, GET_TAG);
    out.set(tagArgument, plaintext.length);
    return out;
  }

  open(
    nonce: Uint8Array,
    ciphertext: Uint8Array,
    aad?: Uint8Array,
    out: Bytes = new Uint8Array(ciphertext.length - TAG_LENGTH),
  ): Bytes {
    const { EVP_DecryptInit_ex, EVP_DecryptUpdate, EVP_DecryptFinal_ex } =
      this.#lib;
    const context = this.#opening ??= this.#context(EVP_DecryptInit_ex);
    const length = ciphertext.length - TAG_LENGTH;
    nonceArgument.set(nonce);
    for (let i = 0; i < TAG_LENGTH; i++) {
      tagArgument[i] = ciphertext[length + i]!;
    }
    must(
      EVP_DecryptInit_ex(context, null, null, null, nonceArgument),
      "EVP_DecryptInit_ex",
    );
    this.#tag(context, SET_TAG);
    update(EVP_DecryptUpdate, context, null, aad, aad?.length);
    update(EVP_DecryptUpdate, context, out, ciphertext, length);
    if (EVP_DecryptFinal_ex(context, tagArgument, writtenArgument) <= 0) {
      this.#lib.ERR_clear_error();
      throw new CryptoError("unauthenticated");
    }
    return out;
  }

  [Symbol.dispose](): void {
    this.#forgotten.unregister(this);
    this.#lib.EVP_CIPHER_CTX_free(this.#sealing);
    this.#lib.EVP_CIPHER_CTX_free(this.#opening);
    this.#sealing = this.#opening = null;
  }

  #context(init: Symbols["EVP_EncryptInit_ex"]): Deno.PointerObject {
    const context = must(this.#lib.EVP_CIPHER_CTX_new(), "EVP_CIPHER_CTX_new");
    this.#forgotten.register(this, context, this);
    must(init(context, this.#cipher, null, this.#key, null), "setting a key");
    return context;
  }

  #tag(context: Deno.PointerObject, direction: number): void {
    must(
      this.#lib.EVP_CIPHER_CTX_ctrl(
        context,
        direction,
        TAG_LENGTH,
        tagArgument,
      ),
      "EVP_CIPHER_CTX_ctrl",
    );
  }
}

/** Gives libcrypto the first `length` bytes of `data`; without `out` they are associated data. */
function update(
  call: Symbols["EVP_EncryptUpdate"],
  context: Deno.PointerObject,
  out: Bytes | null,
  data: Uint8Array = NOTHING,
  length = 0,
): void {
  if (length === 0) return;
  if (length > MAX_LENGTH) {
    throw new RangeError(`libcrypto takes at most ${MAX_LENGTH} bytes at once`);
  }
  must(call(context, out, writtenArgument, data, length), "an AEAD");
}

const NOTHING = new Uint8Array(0);
