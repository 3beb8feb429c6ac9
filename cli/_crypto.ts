import {
  type CryptoProvider,
  importSigningKey,
  nobleProvider,
  nodeProvider,
  selectProvider,
  type SigningKey,
} from "../src/core/crypto/mod.ts";
import type { Logger } from "../src/core/log/mod.ts";
import { FfiError, importLibcryptoKey, openLibcrypto } from "../src/ffi/mod.ts";
import { CliError } from "./_error.ts";
import { LIBCRYPTO_PATHS } from "./_roles.ts";

/** What `crypto` in a configuration and `--crypto` may say. */
export const CRYPTO_NAMES = ["auto", "node", "noble", "native"] as const;

/** One of {@link CRYPTO_NAMES}. */
export type CryptoName = typeof CRYPTO_NAMES[number];

/**
 * The cryptography that `name` stands for; `auto` is the fastest that passes the self-test, and logs why there is no
 * native one.
 *
 * @param paths Where to look for libcrypto; the first that loads counts.
 * @throws {CliError} `failed` for `native` where there is none.
 */
export function openCrypto(
  name: CryptoName,
  log: Logger,
  paths: readonly string[] = LIBCRYPTO_PATHS,
): CryptoProvider {
  if (name === "node") return nodeProvider;
  if (name === "noble") return nobleProvider;
  const native = firstOf(paths, openLibcrypto);
  if (native instanceof FfiError) {
    if (name === "native") throw noNative(native);
    log.info("crypto.no_native", { code: native.code, reason: native.message });
  }
  const { provider, trials } = selectProvider(
    native instanceof FfiError ? [] : [native],
    name === "native" ? { measureMs: (c) => isNative(c) ? 0 : 1 } : {},
  );
  for (const { provider: { name }, failed, roundMs } of trials) {
    if (failed.length > 0) log.error("crypto.self_test", { name, failed });
    else log.debug("crypto.measured", { name, roundMs });
  }
  if (name === "native" && !isNative(provider)) throw noNative();
  log.debug("crypto.selected", { name: provider.name });
  return provider;
}

/** What signs the handshakes of a server. */
type HandshakeKey = Pick<SigningKey, "schemes" | "publicKeySpki" | "sign">;

/**
 * What makes keys of PKCS #8 for a server with `crypto`, which came of {@link openCrypto}: in libcrypto if that is it,
 * which signs faster; in node otherwise, and if libcrypto refuses the key, which it logs.
 *
 * @param paths As for {@link openCrypto}.
 */
export function keyImporter(
  crypto: CryptoProvider,
  log: Logger,
  paths: readonly string[] = LIBCRYPTO_PATHS,
): (pkcs8: Uint8Array) => HandshakeKey {
  if (!isNative(crypto)) return importSigningKey;
  return (pkcs8) => {
    const key = firstOf(paths, (path) => importLibcryptoKey(pkcs8, path));
    if (key instanceof FfiError) {
      log.info("crypto.no_native_key", { code: key.code, reason: key.message });
      return importSigningKey(pkcs8);
    }
    log.debug("crypto.native_key");
    return key;
  };
}

/** What `load` makes of the first of `paths` that it can, or why of none: the last reason that is not a missing file. */
function firstOf<T>(
  paths: readonly string[],
  load: (path: string) => T,
): T | FfiError {
  let reason = new FfiError("not_found", "Cannot find libcrypto 3");
  for (const path of paths) {
    try {
      return load(path);
    } catch (error) {
      if (!(error instanceof FfiError)) throw error;
      if (error.code !== "not_found") reason = error;
    }
  }
  return reason;
}

function isNative(provider: CryptoProvider): boolean {
  return provider !== nodeProvider && provider !== nobleProvider;
}

function noNative(cause?: FfiError): CliError {
  return new CliError("failed", "There is no native cryptography to use", {
    cause: cause ?? "libcrypto fails its self-test",
    hint: "--crypto auto goes without it.",
  });
}
