import type { Bytes } from "../../src/core/bytes/mod.ts";
import { readTextFile } from "../../src/core/storage/mod.ts";
import {
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
 * @param roots `system`, or a file of PEM certificates; read when they are first needed. Those that Deno brings it shows to none that
 *   may not ask all about the system, as our programs may not.
 */
export function verifierOf(
  roots: string,
  certificate?: Uint8Array,
): CertificateVerifier {
  const pinned = certificate && pinnedVerifier(certificate);
  let vouched: CertificateVerifier | undefined;
  return async (chain, subject) => {
    if (await pinned?.(chain, subject).then(() => true, isDistrust)) return;
    vouched ??= chainVerifier({ roots: rootsOf(roots) });
    await vouched(chain, subject);
  };
}

function rootsOf(name: string): readonly Bytes[] {
  return name === "system" ? systemRoots() : parsePem(readTextFile(name));
}

function isDistrust(error: unknown): false {
  if (error instanceof TlsError) return false;
  throw error;
}
