import {
  type CryptoProvider,
  importSigningKey,
  nobleProvider,
  nodeProvider,
  type Primitives,
  selectProvider,
  type SigningKey,
  type Trial,
} from "../src/core/crypto/mod.ts";
import type { Logger } from "../src/core/log/mod.ts";
import {
  FfiError,
  importLibcryptoKey,
  openLibcrypto,
  openLibsodium,
} from "../src/ffi/mod.ts";
import { CliError } from "./_error.ts";
import { LIBCRYPTO_PATHS, LIBSODIUM_PATHS } from "./_roles.ts";

/** What `crypto` in a configuration and `--crypto` may say. */
export const CRYPTO_NAMES = ["auto", "node", "noble", "native"] as const;

/** One of {@link CRYPTO_NAMES}. */
export type CryptoName = typeof CRYPTO_NAMES[number];

/** Options of {@link openCrypto}. */
export interface OpenCryptoOptions {
  /** Where to look for libcrypto; the first that loads counts. Default: where systems keep it. */
  readonly libcrypto?: readonly string[];
  /** Where to look for libsodium; likewise. */
  readonly libsodium?: readonly string[];
  /** What one round of the measurement does, as in `selectProvider`. */
  readonly work?: Work;
}

/** What `selectProvider` times. */
type Work = (provider: CryptoProvider) => () => void;

/**
 * The cryptography that `name` stands for; `auto` is the fastest that passes the self-test, and logs why there is no
 * native one, `native` the fastest of the native ones: libcrypto, and libsodium on libcrypto or, without it, on node.
 *
 * @throws {CliError} `failed` for `native` where there is none.
 */
export function openCrypto(
  name: CryptoName,
  log: Logger,
  { libcrypto = LIBCRYPTO_PATHS, libsodium = LIBSODIUM_PATHS, work }:
    OpenCryptoOptions = {},
): CryptoProvider {
  if (name === "node") return nodeProvider;
  if (name === "noble") return nobleProvider;
  const first = firstOf("libcrypto 3", libcrypto, openLibcrypto);
  const base = first instanceof FfiError ? nodeProvider : first;
  const second = firstOf(
    "libsodium",
    libsodium,
    (path) => openLibsodium(base, path),
  );
  const candidates: Primitives[] = [];
  for (const found of [first, second]) {
    if (!(found instanceof FfiError)) candidates.push(found);
    else {
      const { code, message: reason } = found;
      log.info("crypto.no_native", { code, reason });
    }
  }
  if (name === "native" && candidates.length === 0) {
    throw noNative(first instanceof FfiError ? first : undefined);
  }
  const { provider, trials } = selectProvider(candidates, work && { work });
  for (const { provider: { name }, failed, roundMs } of trials) {
    if (failed.length > 0) log.error("crypto.self_test", { name, failed });
    else log.debug("crypto.measured", { name, roundMs });
  }
  const chosen = name === "auto" ? provider : fastestNative(trials);
  if (!chosen) throw noNative();
  log.debug("crypto.selected", { name: chosen.name });
  return chosen;
}

/** What signs the handshakes of a server. */
type HandshakeKey = Pick<SigningKey, "schemes" | "publicKeySpki" | "sign">;

/**
 * What makes keys of PKCS #8 for a server with `crypto`, which came of {@link openCrypto}: in libcrypto if that is it,
 * which signs faster; in node otherwise, and if libcrypto refuses the key, which it logs.
 *
 * @param paths Where to look for libcrypto; the first that loads counts.
 */
export function keyImporter(
  crypto: CryptoProvider,
  log: Logger,
  paths: readonly string[] = LIBCRYPTO_PATHS,
): (pkcs8: Uint8Array) => HandshakeKey {
  if (!isNative(crypto)) return importSigningKey;
  return (pkcs8) => {
    const key = firstOf(
      "libcrypto 3",
      paths,
      (path) => importLibcryptoKey(pkcs8, path),
    );
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
  library: string,
  paths: readonly string[],
  load: (path: string) => T,
): T | FfiError {
  let reason = new FfiError("not_found", `Cannot find ${library}`);
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

function fastestNative(trials: readonly Trial[]): CryptoProvider | undefined {
  return trials.filter(({ provider, failed }) =>
    isNative(provider) && failed.length === 0
  ).sort((a, b) => a.roundMs! - b.roundMs!)[0]?.provider;
}

function isNative(provider: CryptoProvider): boolean {
  return provider !== nodeProvider && provider !== nobleProvider;
}

function noNative(cause?: FfiError): CliError {
  return new CliError("failed", "There is no native cryptography to use", {
    cause: cause ?? "What was found fails its self-test",
    hint: "--crypto auto goes without it.",
  });
}
