/**
 * What the extensions of a certificate allow it (RFC 5280 §4.2.1).
 *
 * ```text
 * BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }
 * KeyUsage ::= BIT STRING
 * ExtKeyUsageSyntax ::= SEQUENCE OF OBJECT IDENTIFIER
 * NameConstraints ::= SEQUENCE { [0] permittedSubtrees OPTIONAL, [1] excludedSubtrees OPTIONAL }
 * ```
 *
 * @module
 */
import { Reader } from "../../core/bytes/mod.ts";
import type { X509Certificate } from "./x509_certificate.ts";
import {
  DER_TAG,
  type DerValue,
  malformed,
  readBoolean,
  readConstructed,
  readDer,
  readOptional,
  readSmallInteger,
} from "./der.ts";
import {
  type GeneralName,
  readGeneralName,
  readSubtreeBase,
} from "./general_name.ts";

/** What a certificate may be used for. */
export interface Usage {
  /** Whether it says so: basicConstraints with cA. */
  readonly isCa: boolean;
  /** How many further CAs may stand below it; `undefined` if it sets no limit. */
  readonly pathLength: number | undefined;
  /** Whether keyUsage, if there is one, has the bit. */
  readonly maySignCertificates: boolean;
  readonly maySignMessages: boolean;
  readonly maySignRevocationLists: boolean;
  /** Purposes, as contents of object identifiers in hexadecimal; `undefined` if there is no limit. */
  readonly purposes: ReadonlySet<string> | undefined;
  readonly subjectAltNames: readonly GeneralName[];
  readonly nameConstraints: NameConstraints | undefined;
  /** Whether a critical extension is none that we or pkijs act upon. */
  readonly hasUnknownCritical: boolean;
}

/** Names that certificates below must have, or must not have. */
export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

/** Key purposes (RFC 5280 §4.2.1.12), as {@link Usage.purposes} has them. */
export const PURPOSE = {
  serverAuth: "2b06010505070301", // 1.3.6.1.5.5.7.3.1
  any: "551d2500", // 2.5.29.37.0
} as const;

/**
 * Decodes the extensions that say what `certificate` may do.
 *
 * @throws {DecodeError} If one of them is malformed.
 */
export function usageOf({ extensions }: X509Certificate): Usage {
  const value = (id: string) => {
    const found = extensions.get(id)?.value;
    return found && new Reader(found, "certificate extension");
  };
  const keyUsage = readKeyUsage(value(ID.keyUsage));
  return {
    ...readBasicConstraints(value(ID.basicConstraints)),
    maySignMessages: (keyUsage & KEY_USAGE.digitalSignature) !== 0,
    maySignCertificates: (keyUsage & KEY_USAGE.keyCertSign) !== 0,
    maySignRevocationLists: (keyUsage & KEY_USAGE.cRLSign) !== 0,
    purposes: readPurposes(value(ID.extKeyUsage)),
    subjectAltNames: readNames(value(ID.subjectAltName)),
    nameConstraints: readNameConstraints(value(ID.nameConstraints)),
    hasUnknownCritical: [...extensions].some(([id, { isCritical }]) =>
      isCritical && !KNOWN_IDS.includes(id)
    ),
  };
}

/**
 * The identifiers of the subject's key and of the issuer's, in hexadecimal: hints only, so that one that is malformed counts as
 * absent.
 *
 * ```text
 * SubjectKeyIdentifier ::= OCTET STRING
 * AuthorityKeyIdentifier ::= SEQUENCE { [0] keyIdentifier OPTIONAL, ... }
 * ```
 */
export function keyIdsOf(
  { extensions }: X509Certificate,
): { readonly subject?: string; readonly issuer?: string } {
  const hint = (id: string, read: (reader: Reader) => DerValue | undefined) => {
    const found = extensions.get(id)?.value;
    try {
      return found && read(new Reader(found, "key identifier"));
    } catch {
      return undefined;
    }
  };
  const subject = hint(SUBJECT_KEY_ID, (r) => readDer(r, DER_TAG.octetString));
  const issuer = hint(
    AUTHORITY_KEY_ID,
    (r) => readOptional(readConstructed(r), 0x80),
  );
  return {
    ...subject && { subject: subject.contents.toHex() },
    ...issuer && { issuer: issuer.contents.toHex() },
  };
}

const SUBJECT_KEY_ID = "551d0e";
const AUTHORITY_KEY_ID = "551d23";
/** Contents of object identifiers below 2.5.29, in hexadecimal. */
const ID = {
  keyUsage: "551d0f",
  subjectAltName: "551d11",
  basicConstraints: "551d13",
  nameConstraints: "551d1e",
  extKeyUsage: "551d25",
} as const;
/** certificatePolicies, policyMappings, policyConstraints, inhibitAnyPolicy: pkijs acts upon them. */
const POLICY_IDS = ["551d20", "551d21", "551d24", "551d36"];
const KNOWN_IDS: readonly string[] = [...Object.values(ID), ...POLICY_IDS];

/** Bits of the first octet of keyUsage. */
const KEY_USAGE = {
  digitalSignature: 0x80,
  keyCertSign: 0x04,
  cRLSign: 0x02,
} as const;
const ALL_USAGES = 0xff;
const MAX_NAMES = 1024;

function readBasicConstraints(
  reader: Reader | undefined,
): Pick<Usage, "isCa" | "pathLength"> {
  if (!reader) return { isCa: false, pathLength: undefined };
  const fields = readConstructed(reader);
  reader.end();
  const isCa = fields.remaining > 0 && fields.peek() === DER_TAG.boolean &&
    readBoolean(fields);
  const pathLength = fields.remaining > 0
    ? readSmallInteger(fields)
    : undefined;
  fields.end();
  return { isCa, pathLength };
}

function readKeyUsage(reader: Reader | undefined): number {
  if (!reader) return ALL_USAGES;
  const { contents } = readDer(reader, DER_TAG.bitString);
  reader.end();
  if (contents.length === 0 || contents[0]! > 7) {
    malformed(reader, "a bit string of no such form");
  }
  return contents[1] ?? 0;
}

function readPurposes(
  reader: Reader | undefined,
): ReadonlySet<string> | undefined {
  if (!reader) return undefined;
  const list = readConstructed(reader);
  reader.end();
  const purposes = new Set<string>();
  while (list.remaining > 0) {
    purposes.add(readDer(list, DER_TAG.objectIdentifier).contents.toHex());
  }
  return purposes;
}

function readNames(reader: Reader | undefined): GeneralName[] {
  if (!reader) return [];
  const list = readConstructed(reader);
  reader.end();
  const names: GeneralName[] = [];
  while (list.remaining > 0) names.push(readGeneralName(list));
  if (names.length > MAX_NAMES) malformed(reader, "too many names");
  return names;
}

function readNameConstraints(
  reader: Reader | undefined,
): NameConstraints | undefined {
  if (!reader) return undefined;
  const fields = readConstructed(reader);
  reader.end();
  const permitted = readSubtrees(fields, 0xa0);
  const excluded = readSubtrees(fields, 0xa1);
  fields.end();
  return { permitted, excluded };
}

/** Reads GeneralSubtrees; minimum and maximum must be absent (RFC 5280 §4.2.1.10). */
function readSubtrees(reader: Reader, tag: number): GeneralName[] {
  const field = readOptional(reader, tag);
  if (!field) return [];
  const list = new Reader(field.contents, reader.what);
  const names: GeneralName[] = [];
  while (list.remaining > 0) {
    const subtree = readConstructed(list);
    names.push(readSubtreeBase(subtree));
    subtree.end();
  }
  if (names.length > MAX_NAMES) malformed(reader, "too many names");
  return names;
}
