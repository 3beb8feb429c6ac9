/**
 * What became of a bundle, in one number. Once a bundle is whole the answer is a byte on its stream and the end of that side; before, a
 * refusal is a RESET of the stream with 0x100 more, so that nothing further of it is sent (profile section 13).
 *
 * ```text
 * 0  acknowledged: the node has stored it
 * 1  refused, unknown               4  refused, not acceptable
 * 2  refused, no resources          5  refused, extension failure
 * 3  refused, retransmit            6  refused, session terminating
 * ```
 *
 * @module
 */
import type { RefusalReason, SendOutcome } from "../dtn/mod.ts";

/** What RESET adds to a reason: the first code that HTX leaves to applications. */
const RESET_BASE = 0x100;

const REASONS: readonly RefusalReason[] = [
  "unknown",
  "noResources",
  "retransmit",
  "notAcceptable",
  "extensionFailure",
  "sessionTerminating",
];

/** The byte that says a bundle is taken, or why not. */
export function encodeAnswer(refusal: RefusalReason | undefined): number {
  return refusal === undefined ? 0 : REASONS.indexOf(refusal) + 1;
}

/** What the byte says, `undefined` if it is no answer. */
export function decodeAnswer(byte: number): SendOutcome | undefined {
  if (byte === 0) return { kind: "acknowledged" };
  const reason = REASONS[byte - 1];
  return reason && { kind: "refused", reason };
}

/** The code of the RESET that refuses a bundle which is not whole yet. */
export function resetCodeOf(refusal: RefusalReason): number {
  return RESET_BASE + encodeAnswer(refusal);
}

/** Why a RESET with `code` refuses the bundle, `undefined` if it says nothing of the bundle. */
export function refusalOfReset(code: number): RefusalReason | undefined {
  return REASONS[code - RESET_BASE - 1];
}
