import { type Bytes, encodeCbor } from "../../core/bytes/mod.ts";
import { bytesOf, encodeFields } from "./fields.ts";
import type { SignedForm } from "./signed_form.ts";
import { type Statement, statementFields, statementOf } from "./statement.ts";

/** An authority's word that a document is the one of its epoch: of two, both tell who lied. */
export interface Endorsement extends Statement {
  /** SHA-256 of the document's payload. */
  readonly hash: Uint8Array;
}

/**
 * An endorsement.
 *
 * ```text
 *   1  32B Ed25519 key of the authority
 *   2  network, text
 *   3  epoch
 *   4  SHA-256 of the document's payload, 32B
 * ```
 */
export const ENDORSEMENT: SignedForm<Endorsement> = {
  domain: "betanet-mix-document-v1",
  maxLength: 256,
  maxItems: 9,
  fields: 4,
  write: (endorsement) => [...statementFields(endorsement), endorsement.hash],
  read: (fields) => ({
    ...statementOf(fields),
    hash: bytesOf(fields[3], 32),
  }),
};

/** A signed endorsement from what it says and the 64-byte signature, which a document has without it. */
export function joinEndorsement(
  endorsement: Endorsement,
  signature: Uint8Array,
): Bytes {
  return encodeCbor([encodeFields(ENDORSEMENT.write(endorsement)), signature]);
}
