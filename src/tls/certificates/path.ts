import type { Bytes } from "../../core/bytes/mod.ts";
import { type Certificate, decodeCertificate } from "./certificate.ts";

/** Trusted certificates by their subject's name, in hexadecimal. */
export type RootIndex = ReadonlyMap<string, readonly Certificate[]>;

/** Indexes `roots`, in DER; one that is not a certificate stands for nobody. */
export function indexRoots(roots: readonly Bytes[]): RootIndex {
  const index = new Map<string, Certificate[]>();
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
  chain: readonly Certificate[],
  roots: RootIndex,
): Generator<readonly Certificate[]> {
  const [server, ...intermediates] = chain;
  if (server) yield* extend([server], intermediates, roots);
}

function* extend(
  path: readonly Certificate[],
  intermediates: readonly Certificate[],
  roots: RootIndex,
): Generator<readonly Certificate[]> {
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

function identityOf({ subject, publicKeySpki }: Certificate): string {
  return `${subject.toHex()} ${publicKeySpki.toHex()}`;
}

function tryDecode(der: Bytes): Certificate | undefined {
  try {
    return decodeCertificate(der);
  } catch {
    return undefined;
  }
}
