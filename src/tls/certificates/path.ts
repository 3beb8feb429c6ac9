import type { Bytes } from "../../core/bytes/mod.ts";
import { decodeX509, type X509Certificate } from "./x509_certificate.ts";

/** Trusted certificates by their subject's name, in hexadecimal. */
export type RootIndex = ReadonlyMap<string, readonly X509Certificate[]>;

/** Indexes `roots`, in DER; one that is not a certificate stands for nobody. */
export function indexRoots(roots: readonly Bytes[]): RootIndex {
  const index = new Map<string, X509Certificate[]>();
  for (const der of roots) {
    const root = tryDecode(der);
    if (!root) continue;
    const subject = root.subject.toHex();
    index.set(subject, [...index.get(subject) ?? [], root]);
  }
  return index;
}

/**
 * Every way from the first of `chain` to a root by issuers' names; the rest of `chain`
 * may be in any order, incomplete, or have nothing to do with it.
 *
 * No way passes a name with the same key twice, so that each step uses up another certificate of the chain: with ten there are some
 * dozens of ways at most.
 */
export function* pathsToRoots(
  chain: readonly X509Certificate[],
  roots: RootIndex,
): Generator<readonly X509Certificate[]> {
  const [server, ...intermediates] = chain;
  if (server) yield* extend([server], intermediates, roots);
}

function* extend(
  path: readonly X509Certificate[],
  intermediates: readonly X509Certificate[],
  roots: RootIndex,
): Generator<readonly X509Certificate[]> {
  const issuer = path.at(-1)!.issuer.toHex();
  for (const root of roots.get(issuer) ?? []) yield [...path, root];
  for (const next of intermediates) {
    if (next.subject.toHex() !== issuer) continue;
    if (path.some((passed) => identityOf(passed) === identityOf(next))) {
      continue;
    }
    yield* extend([...path, next], intermediates, roots);
  }
}

function identityOf({ subject, publicKeySpki }: X509Certificate): string {
  return `${subject.toHex()} ${publicKeySpki.toHex()}`;
}

function tryDecode(der: Bytes): X509Certificate | undefined {
  try {
    return decodeX509(der);
  } catch {
    return undefined;
  }
}
