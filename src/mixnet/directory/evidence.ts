import { type Bytes, encodeCbor, equal } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { DocumentTrust } from "./document_trust.ts";
import { ENDORSEMENT } from "./endorsement.ts";
import { DirectoryError } from "./error.ts";
import { arrayOf, bytesOf, decode, integerOf } from "./fields.ts";
import { ROLL } from "./roll.ts";
import { parts, type SignedForm, verify } from "./signed_form.ts";
import type { Statement } from "./statement.ts";
import { VOTE } from "./vote.ts";

/** What an authority signed two of for one epoch. */
export type EvidenceKind = "roll" | "vote" | "endorsement";

/** That an authority is false, which anybody can check. */
export interface Evidence extends Statement {
  /** What it signed two of. */
  readonly kind: EvidenceKind;
  /** Both, signed. */
  readonly signed: readonly [Bytes, Bytes];
}

const KINDS: readonly EvidenceKind[] = ["roll", "vote", "endorsement"];
const FORMS: Readonly<Record<EvidenceKind, SignedForm<Statement>>> = {
  roll: ROLL as SignedForm<Statement>,
  vote: VOTE as SignedForm<Statement>,
  endorsement: ENDORSEMENT as SignedForm<Statement>,
};

/** Longest evidence in bytes. */
export const MAX_EVIDENCE_LENGTH = 2 * (VOTE.maxLength + 5) + 3;

/**
 * Writes evidence.
 *
 * ```text
 * evidence  CBOR array: kind (0 roll, 1 vote, 2 endorsement), and two signed objects of it (bytes) with one authority, network
 *           and epoch and different payloads
 * ```
 */
export function encodeEvidence(
  { kind, signed }: Pick<Evidence, "kind" | "signed">,
): Bytes {
  return encodeCbor([KINDS.indexOf(kind), ...signed]);
}

/**
 * Verifies and reads evidence.
 *
 * @throws {DirectoryError} `malformed`, also if it convicts nobody; `unsigned`, `wrong_network`, or `not_admitted` if it is of no
 * authority.
 */
export function verifyEvidence(
  crypto: CryptoProvider,
  bytes: Uint8Array,
  { network, authorities }: DocumentTrust,
): Evidence {
  const fields = arrayOf(decode(bytes, MAX_EVIDENCE_LENGTH, 1, 4), 3, 3);
  const kind = KINDS[integerOf(fields[0], 0, KINDS.length - 1)]!;
  const form = FORMS[kind];
  const [first, second] = [bytesOf(fields[1]), bytesOf(fields[2])];
  const one = verify(crypto, form, first);
  const other = verify(crypto, form, second);
  if (
    !equal(one.authority, other.authority) || one.epoch !== other.epoch ||
    one.network !== other.network ||
    equal(parts(form, first)[0], parts(form, second)[0])
  ) throw new DirectoryError("malformed", "Evidence that convicts nobody");
  if (one.network !== network) {
    throw new DirectoryError("wrong_network", "Evidence of another network");
  }
  const { authority, epoch } = one;
  if (!authorities.some((key) => equal(key, authority))) {
    throw new DirectoryError("not_admitted", "Evidence against no authority");
  }
  return { kind, authority, network, epoch, signed: [first, second] };
}
