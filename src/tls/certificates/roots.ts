import type { Bytes } from "../../core/bytes/mod.ts";
import { readTextFile, StorageError } from "../../core/storage/mod.ts";
import { parsePem } from "./pem.ts";

/**
 * The certificates that the system trusts, in DER, from the file of PEM blocks that it keeps for OpenSSL; read once.
 *
 * @param path The file, read each time; if not given, the first of the usual places of Debian, Fedora, openSUSE, RHEL, Alpine, the BSDs
 *   and macOS. Windows has no such file: take {@link bundledRoots}.
 * @throws {StorageError} `absent` if there is none, else as {@link readTextFile}.
 * @throws {DecodeError} If the file is malformed.
 */
export function systemRoots(path?: string): readonly Bytes[] {
  if (path !== undefined) return parsePem(readTextFile(path));
  return system ??= parsePem(readFirst(USUAL_PATHS));
}

/**
 * The certificates that Mozilla trusts, in DER, as the runtime brings them; read once.
 *
 * Deno wants `--allow-sys` for it, whole, as it takes no `ca` in a list; it rejects with `NotCapable` without.
 */
export async function bundledRoots(): Promise<readonly Bytes[]> {
  if (bundled) return bundled;
  const { rootCertificates } = await import("node:tls"); // slow to load
  return bundled = rootCertificates.flatMap((pem) => parsePem(pem));
}

let system: readonly Bytes[] | undefined;
let bundled: readonly Bytes[] | undefined;

const USUAL_PATHS = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
  "/usr/local/etc/ssl/cert.pem",
];

function readFirst(paths: readonly string[]): string {
  for (const path of paths) {
    try {
      return readTextFile(path);
    } catch (error) {
      if (!(error instanceof StorageError && error.code === "absent")) {
        throw error;
      }
    }
  }
  throw new StorageError("absent", "The system keeps no file of certificates");
}
