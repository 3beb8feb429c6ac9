/**
 * What datagrams of a contact say (profile section 13).
 *
 * ```text
 * bundle   1 ‖ id u32 ‖ bundle
 * answer   2 ‖ id u32 ‖ what became of it, as on its stream
 * pending  3 ‖ id u32: it came, and the node has not decided yet
 * ```
 *
 * @module
 */
import { type Bytes, DecodeError, Reader, Writer } from "../core/bytes/mod.ts";
import type { RefusalReason, SendOutcome } from "../dtn/mod.ts";
import { decodeAnswer, encodeAnswer } from "./answer.ts";

/** What a datagram says of the bundle `id` of its sender, or of its hearer. */
export type BundleDatagram =
  | { readonly kind: "bundle"; readonly id: number; readonly bundle: Bytes }
  | {
    readonly kind: "answer";
    readonly id: number;
    readonly outcome: SendOutcome;
  }
  | { readonly kind: "pending"; readonly id: number };

/** Bytes before a bundle. */
export const BUNDLE_HEAD_LENGTH = 5;

const KIND = { bundle: 1, answer: 2, pending: 3 } as const;
const WHAT = "betanet-cla datagram";

/** A bundle with its number. */
export function encodeBundle(id: number, bundle: Uint8Array): Bytes {
  return new Writer(BUNDLE_HEAD_LENGTH + bundle.length).u8(KIND.bundle).u32(id)
    .put(bundle).finish();
}

/** What the node decided about the bundle `id`; `undefined` if it takes it. */
export function encodeDecision(
  id: number,
  refusal: RefusalReason | undefined,
): Bytes {
  return new Writer(BUNDLE_HEAD_LENGTH + 1).u8(KIND.answer).u32(id)
    .u8(encodeAnswer(refusal)).finish();
}

/** That the bundle `id` came, and the node has not decided yet. */
export function encodePending(id: number): Bytes {
  return new Writer(BUNDLE_HEAD_LENGTH).u8(KIND.pending).u32(id).finish();
}

/**
 * What a datagram says.
 *
 * @throws {DecodeError} If it is none of these.
 */
export function decodeDatagram(bytes: Bytes): BundleDatagram {
  const reader = new Reader(bytes, WHAT);
  const kind = reader.u8();
  const id = reader.u32();
  switch (kind) {
    case KIND.bundle:
      return { kind: "bundle", id, bundle: bytes.subarray(BUNDLE_HEAD_LENGTH) };
    case KIND.answer: {
      const outcome = decodeAnswer(reader.u8());
      reader.end();
      if (!outcome) break;
      return { kind: "answer", id, outcome };
    }
    case KIND.pending:
      reader.end();
      return { kind: "pending", id };
  }
  throw new DecodeError(WHAT, "unknown kind or answer");
}
