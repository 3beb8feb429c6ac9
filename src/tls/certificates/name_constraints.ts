import type { X509Certificate } from "./x509_certificate.ts";
import { fatal } from "../error.ts";
import type { NameConstraints, Usage } from "./extensions.ts";
import {
  dnsText,
  type GeneralName,
  isWithin,
  NAME_FORM,
  reachesInto,
} from "./general_name.ts";
import { equal } from "../../core/bytes/mod.ts";

/** A certificate of a path and what it may be used for. */
export interface Link {
  readonly certificate: X509Certificate;
  readonly usage: Usage;
}

/**
 * Fails unless the names of every certificate of `path`, the server's first, meet the constraints of those above it
 * (RFC 5280 §4.2.1.10, §6.1.3 b and c): DNS names, addresses and directory names here, mail addresses and URIs in pkijs.
 *
 * @throws {TlsError} `badCertificate` for a name that is not allowed, `unsupportedCertificate` for a constrained name of a form that
 *   nobody here knows.
 */
export function checkNameConstraints(path: readonly Link[]): void {
  for (const [at, { usage: { nameConstraints } }] of path.entries()) {
    if (!nameConstraints) continue;
    for (const [below, link] of path.slice(0, at).entries()) {
      if (below > 0 && isSelfIssued(link.certificate)) continue;
      for (const name of namesOf(link)) checkName(name, nameConstraints);
    }
  }
}

/** Whether subject and issuer are the same. */
export function isSelfIssued({ subject, issuer }: X509Certificate): boolean {
  return equal(subject, issuer);
}

const FORMS_OF_PKIJS: readonly number[] = [NAME_FORM.mail, NAME_FORM.uri];
const OUR_FORMS: readonly number[] = [
  NAME_FORM.dns,
  NAME_FORM.ip,
  NAME_FORM.directory,
];
const EMPTY_NAME_LENGTH = 2; // an empty SEQUENCE

function namesOf({ certificate, usage }: Link): GeneralName[] {
  const { subject } = certificate;
  const names = usage.subjectAltNames.filter(({ tag }) =>
    !FORMS_OF_PKIJS.includes(tag)
  );
  return subject.length > EMPTY_NAME_LENGTH
    ? [...names, { tag: NAME_FORM.directory, value: subject }]
    : names;
}

function checkName(
  name: GeneralName,
  { permitted, excluded }: NameConstraints,
): void {
  const sameForm = ({ tag }: GeneralName) => tag === name.tag;
  const allowed = permitted.filter(sameForm);
  const refused = excluded.filter(sameForm);
  if (allowed.length + refused.length === 0) return;
  if (!OUR_FORMS.includes(name.tag)) {
    throw fatal("unsupportedCertificate", "Want known forms of names");
  }
  const isLegible = name.tag !== NAME_FORM.dns || dnsText(name) !== undefined;
  if (
    allowed.length > 0 && !allowed.some((base) => isWithin(name, base)) ||
    refused.some((base) => reachesInto(name, base)) ||
    !isLegible
  ) {
    throw fatal("badCertificate", "Want names that the issuer may certify");
  }
}
