import type { BeaconComponents } from "../beacon/beacon_set.ts";
import {
  componentFields,
  componentsOf,
  hashesOf,
  hashOrNoneOf,
} from "./fields.ts";
import { MAX_NODES } from "./roll.ts";
import type { SignedForm } from "./signed_form.ts";
import { type Statement, statementFields, statementOf } from "./statement.ts";

/** What an authority wants a document made of. */
export interface Vote extends Statement {
  /** The list that it closed before the beacon's time: SHA-256 of each descriptor, ascending. */
  readonly descriptors: readonly Uint8Array[];
  /** What it got of each component of the beacon: at most 16. */
  readonly components: BeaconComponents;
  /** Hash of the document before; empty if it has none. */
  readonly previousHash: Uint8Array;
}

/**
 * A vote.
 *
 * ```text
 *   1  32B Ed25519 key of the authority
 *   2  network, text
 *   3  epoch
 *   4  array of SHA-256 of the descriptors of the list that it closed, 32B each, ascending; at most 4,096
 *   5  map of BeaconSet components, 32B each, by name
 *   6  array of the names of components that it could not get
 *   7  SHA-256 of the payload of the document before, 32B, or an empty byte string
 * ```
 */
export const VOTE: SignedForm<Vote> = {
  domain: "betanet-mix-vote-v1",
  maxLength: MAX_NODES * 34 + 2_048,
  maxItems: MAX_NODES + 64,
  fields: 7,
  write: (vote) => [
    ...statementFields(vote),
    vote.descriptors,
    ...componentFields(vote.components),
    vote.previousHash,
  ],
  read: (fields) => ({
    ...statementOf(fields),
    descriptors: hashesOf(fields[3], MAX_NODES),
    components: componentsOf(fields[4], fields[5]),
    previousHash: hashOrNoneOf(fields[6]),
  }),
};
