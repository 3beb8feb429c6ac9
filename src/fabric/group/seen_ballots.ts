import { type Bytes, encodeCbor } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { FieldReader } from "../field_reader.ts";

/** Which ballots of a vote a member has. */
export interface SeenBallots {
  /** The name of the proposal, 32 bytes. */
  readonly proposal: Bytes;
  /** What {@link markOf} gives for each. */
  readonly marks: ReadonlySet<string>;
}

const ID_LENGTH = 32;
const MARK_LENGTH = 8;
const MAX_MARKS = 2_000;
const read = new FieldReader("ballots that were seen");

/** What names a ballot among those of one vote: the first 8 bytes of its SHA-256 as signed, in hexadecimal. */
export function markOf(crypto: CryptoProvider, signed: Uint8Array): string {
  return crypto.hash("sha256", signed).subarray(0, MARK_LENGTH).toHex();
}

/** As a payload: CBOR array of the name of the proposal and an array of up to 2,000 × 8B. */
export function encodeSeen({ proposal, marks }: SeenBallots): Bytes {
  const all = [...marks].sort().slice(0, MAX_MARKS);
  return encodeCbor([proposal, all.map((each) => Uint8Array.fromHex(each))]);
}

/**
 * What {@link encodeSeen} gave.
 *
 * @throws {DecodeError} If it is malformed.
 */
export function decodeSeen(bytes: Uint8Array): SeenBallots {
  const options = { maxDepth: 2, maxItems: MAX_MARKS + 3 };
  const [proposal, marks] = read.items(bytes, 2, options);
  return {
    proposal: read.bytes(proposal!, ID_LENGTH),
    marks: new Set(
      read.array(marks!, MAX_MARKS).map((each) =>
        read.bytes(each, MARK_LENGTH).toHex()
      ),
    ),
  };
}
