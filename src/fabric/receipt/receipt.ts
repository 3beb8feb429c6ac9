import {
  type Bytes,
  decodeBase64Url,
  DecodeError,
  encodeBase64Url,
  encodeCbor,
} from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { openSign1, sign1 } from "../cose/sign1.ts";
import { FieldReader } from "../field_reader.ts";
import type { Agent } from "../identity/agent.ts";
import { AGENT_ID_LENGTH, AgentId } from "../identity/agent_id.ts";
import { MESSAGE_ID_LENGTH } from "../message/message.ts";

/** What became of a message, by its number on the wire. */
export const RECEIPT_STATES = [
  "delivered", // the recipient's fabric has it
  "handled", // its handler is done
  "refused", // it does not want it, for the reason given
  "expired", // its deadline passed before it was handled
] as const;

/** One of {@link RECEIPT_STATES}. */
export type ReceiptState = typeof RECEIPT_STATES[number];

/** What an agent says of a message that was sent to it. */
export interface Receipt {
  /** The message, 16 bytes. */
  readonly id: Bytes;
  /** Who sent it. */
  readonly from: AgentId;
  /** Who says so. */
  readonly by: AgentId;
  /** What became of it. */
  readonly state: ReceiptState;
  /** Why it was refused: 0 to 64 characters. */
  readonly reason: string;
  /** When, in milliseconds since 1970-01-01 UTC. */
  readonly atMs: number;
}

/** Most receipts under one signature. */
export const MAX_RECEIPTS = 1_024;

const PURPOSE = "betanet-fabric-receipts-v1";
const MAX_REASON = 64;
const TEXT_PREFIX = "betanet-receipts:";
const read = new FieldReader("receipts");

/**
 * Signs receipts of one agent for one other, many at once so that a signature costs each little, as COSE_Sign1.
 *
 * ```text
 * payload   CBOR array, deterministic: 32B sender, array of 1 to 1,024 of
 *           [16B message id, state (0 delivered, 1 handled, 2 refused, 3 expired), milliseconds since 1970, reason]
 * ```
 *
 * @throws {RangeError} If there are none or too many, or a field is out of range.
 */
export function signReceipts(
  agent: Agent,
  from: AgentId,
  receipts: readonly Pick<Receipt, "id" | "state" | "reason" | "atMs">[],
): Bytes {
  const payload = encodeCbor([
    from.bytes,
    receipts.map(({ id, state, atMs, reason }) => [
      id,
      RECEIPT_STATES.indexOf(state),
      atMs,
      reason,
    ]),
  ]);
  try {
    decodePayload(agent.id, payload);
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new RangeError(cause.message, { cause });
  }
  return sign1(agent, PURPOSE, payload);
}

/**
 * Verifies and decodes receipts; they keep nothing of `bytes`.
 *
 * @throws {DecodeError} If they are malformed.
 * @throws {FabricError} `unauthenticated` if the signature does not verify.
 */
export function verifyReceipts(
  crypto: CryptoProvider,
  bytes: Uint8Array,
): readonly Receipt[] {
  const { signer, payload } = openSign1(crypto, PURPOSE, bytes);
  return decodePayload(signer, payload);
}

/** Writes signed receipts as text, for command lines and files: `betanet-receipts:` and base64url. */
export function formatReceipts(bytes: Uint8Array): string {
  return TEXT_PREFIX + encodeBase64Url(bytes);
}

/**
 * The signed receipts that `text` writes, white space around it ignored; not yet verified.
 *
 * @throws {DecodeError} If it is not of the text form.
 */
export function parseReceipts(text: string): Bytes {
  const trimmed = text.trim();
  if (!trimmed.startsWith(TEXT_PREFIX)) {
    throw read.malformed(`want ${TEXT_PREFIX} and base64url`);
  }
  return decodeBase64Url(trimmed.slice(TEXT_PREFIX.length));
}

function decodePayload(by: AgentId, payload: Uint8Array): readonly Receipt[] {
  const [sender, receipts] = read.items(payload, 2, {
    maxDepth: 3,
    maxItems: 5 * MAX_RECEIPTS + 3,
  });
  const from = new AgentId(read.bytes(sender, AGENT_ID_LENGTH));
  return read.array(receipts, MAX_RECEIPTS, 1).map((each) => {
    const [id, state, atMs, reason] = read.array(each, 4, 4);
    return {
      id: read.bytes(id, MESSAGE_ID_LENGTH),
      ...{ from, by },
      state: read.name(state, RECEIPT_STATES),
      reason: read.text(reason, MAX_REASON),
      atMs: read.unsigned(atMs),
    };
  });
}
