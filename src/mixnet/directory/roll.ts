import { hashesOf } from "./fields.ts";
import type { SignedForm } from "./signed_form.ts";
import { type Statement, statementFields, statementOf } from "./statement.ts";

/** Which descriptors an authority holds for an epoch, said before the beacon of that epoch can be known. */
export interface Roll extends Statement {
  /** SHA-256 of each descriptor, ascending: at most 4,096. */
  readonly descriptors: readonly Uint8Array[];
}

/** Most descriptors of an authority, a roll, a vote and a document. */
export const MAX_NODES = 4_096;

/**
 * A roll.
 *
 * ```text
 *   1  32B Ed25519 key of the authority
 *   2  network, text
 *   3  epoch
 *   4  array of SHA-256 of the descriptors that it holds, 32B each, ascending; at most 4,096
 * ```
 */
export const ROLL: SignedForm<Roll> = {
  domain: "betanet-mix-roll-v1",
  maxLength: MAX_NODES * 34 + 512,
  maxItems: MAX_NODES + 16,
  fields: 4,
  write: (roll) => [...statementFields(roll), roll.descriptors],
  read: (fields) => ({
    ...statementOf(fields),
    descriptors: hashesOf(fields[3], MAX_NODES),
  }),
};
