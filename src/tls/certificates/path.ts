import type { Bytes } from "../../core/bytes/mod.ts";
import { keyIdsOf } from "./extensions.ts";
import { decodeX509, type X509Certificate } from "./x509_certificate.ts";

/** Trusted certificates by their subject's name, in hexadecimal. */
export type RootIndex = ReadonlyMap<string, readonly Node[]>;

/** A certificate with what the search compares, as text. */
interface Node {
  readonly certificate: X509Certificate;
  readonly subject: string;
  readonly issuer: string;
  /** Name and key: all certificates of an authority have the same. */
  readonly identity: string;
  /** Key identifiers, `undefined` where the certificate has none. */
  readonly subjectKeyId: string | undefined;
  readonly issuerKeyId: string | undefined;
}

/** Indexes `roots`, in DER; one that is not a certificate stands for nobody. */
export function indexRoots(roots: readonly Bytes[]): RootIndex {
  const index = new Map<string, Node[]>();
  for (const der of roots) {
    const root = tryDecode(der);
    if (!root) continue;
    const node = nodeOf(root);
    index.set(node.subject, [...index.get(node.subject) ?? [], node]);
  }
  return index;
}

/**
 * The ways from the first of `chain` to a root by issuers' names; the rest of `chain` may be in any order, incomplete, or
 * have nothing to do with it. Issuers go first whose key identifier is the one asked for, if any is.
 *
 * No way passes a name with the same key twice. As certificates of one name and many keys could still be put in more
 * orders than anyone can walk, the search ends after 100 steps.
 */
export function* pathsToRoots(
  chain: readonly X509Certificate[],
  roots: RootIndex,
): Generator<readonly X509Certificate[]> {
  const [server, ...intermediates] = chain.map(nodeOf);
  const search = { intermediates, roots, stepsLeft: MAX_STEPS };
  if (server) yield* extend([server], search);
}

const MAX_STEPS = 100;

interface Search {
  readonly intermediates: readonly Node[];
  readonly roots: RootIndex;
  stepsLeft: number;
}

function* extend(
  path: readonly Node[],
  search: Search,
): Generator<readonly X509Certificate[]> {
  const { issuer, issuerKeyId } = path.at(-1)!;
  const trusted = search.roots.get(issuer) ?? [];
  const sent = search.intermediates.filter(({ subject, identity }) =>
    subject === issuer && path.every((passed) => passed.identity !== identity)
  );
  const isOther = ({ subjectKeyId }: Node) =>
    Number(issuerKeyId !== undefined && subjectKeyId !== issuerKeyId);
  const issuers = [...trusted, ...sent]
    .sort((a, b) => isOther(a) - isOther(b));
  for (const next of issuers) {
    if (search.stepsLeft-- <= 0) return;
    const longer = [...path, next];
    if (!trusted.includes(next)) yield* extend(longer, search);
    else yield longer.map(({ certificate }) => certificate);
  }
}

function nodeOf(certificate: X509Certificate): Node {
  const subject = certificate.subject.toHex();
  const keyIds = keyIdsOf(certificate);
  return {
    certificate,
    subject,
    issuer: certificate.issuer.toHex(),
    identity: `${subject} ${certificate.publicKeySpki.toHex()}`,
    subjectKeyId: keyIds.subject,
    issuerKeyId: keyIds.issuer,
  };
}

function tryDecode(der: Bytes): X509Certificate | undefined {
  try {
    return decodeX509(der);
  } catch {
    return undefined;
  }
}
