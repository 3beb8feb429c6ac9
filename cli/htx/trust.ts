import type { Bytes } from "../../src/core/bytes/mod.ts";
import { readTextFile, StorageError } from "../../src/core/storage/mod.ts";
import {
  bundledRoots,
  type CertificateVerifier,
  chainVerifier,
  parsePem,
  pinnedVerifier,
  systemRoots,
  TlsError,
} from "../../src/tls/mod.ts";

/**
 * Trusts servers that `roots` vouch for, and the one that shows `certificate`.
 *
 * @param roots `system`, `bundled`, `both`, or a file of PEM certificates; read when they are first needed.
 */
export function verifierOf(
  roots: string,
  certificate?: Uint8Array,
): CertificateVerifier {
  const pinned = certificate && pinnedVerifier(certificate);
  let vouched: Promise<CertificateVerifier> | undefined;
  return async (chain, subject) => {
    if (await pinned?.(chain, subject).then(() => true, isDistrust)) return;
    vouched ??= rootsOf(roots).then((roots) => chainVerifier({ roots }));
    await (await vouched)(chain, subject);
  };
}

async function rootsOf(name: string): Promise<readonly Bytes[]> {
  if (name === "bundled") return await bundledRoots();
  if (name === "system") return systemRoots();
  if (name !== "both") return parsePem(readTextFile(name));
  return [...await bundledRootsIfAllowed(), ...systemRootsIfAny()];
}

/** Deno shows them to those alone who may ask everything about the system, which our programs may not. */
async function bundledRootsIfAllowed(): Promise<readonly Bytes[]> {
  try {
    return await bundledRoots();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return [];
    throw error;
  }
}

/** Some systems keep no file of roots. */
function systemRootsIfAny(): readonly Bytes[] {
  try {
    return systemRoots();
  } catch (error) {
    if (error instanceof StorageError && error.code === "absent") return [];
    throw error;
  }
}

function isDistrust(error: unknown): false {
  if (error instanceof TlsError) return false;
  throw error;
}
