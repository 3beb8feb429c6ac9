import type { Bytes } from "../../core/bytes/mod.ts";
import {
  CryptoError,
  type CryptoProvider,
  type Secret,
} from "../../core/crypto/mod.ts";
import type { Eid } from "../bundle/eid.ts";
import { BpsecError } from "./error.ts";

/** What a key is for. */
export type SecurityKeyUse =
  | "integrity" // HMAC-SHA2
  | "confidentiality" // AES-GCM, 16 or 32 bytes
  | "wrapping"; // AES key wrap, 16 or 32 bytes

/** Where keys come from. */
export interface SecurityKeys {
  /** The key that is shared with `source` for `use`; `undefined` if there is none. */
  keyFor(use: SecurityKeyUse, source: Eid): Secret | undefined;
}

/** The key of an operation: that of `source`, or `wrapped` unwrapped. */
export function resolveKey(
  crypto: CryptoProvider,
  keys: SecurityKeys,
  use: SecurityKeyUse,
  source: Eid,
  wrapped: Uint8Array | undefined,
): Uint8Array {
  const key = keys.keyFor(wrapped ? "wrapping" : use, source)?.expose();
  if (!key) {
    throw new BpsecError("no_key", `No key of the security source for ${use}`);
  }
  if (!wrapped) return key;
  try {
    return crypto.aesKeyWrap.unwrap(key, wrapped);
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw new BpsecError("failed", "A wrapped key does not unwrap", { cause });
  }
}

/** A fresh key of `length` bytes and what it is when wrapped with `wrappingKey`. */
export function freshKey(
  crypto: CryptoProvider,
  wrappingKey: Secret,
  length: number,
): { readonly key: Bytes; readonly wrapped: Bytes } {
  const key = crypto.random(length);
  return { key, wrapped: crypto.aesKeyWrap.wrap(wrappingKey.expose(), key) };
}
