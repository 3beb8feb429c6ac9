import { type Bytes, DecodeError, encodeCbor } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { openSign1, sign1, SIGN1_OVERHEAD } from "../cose/sign1.ts";
import { FieldReader } from "../field_reader.ts";
import type { Agent } from "../identity/agent.ts";
import type { AgentId } from "../identity/agent_id.ts";
import { EPOCH_ID_LENGTH } from "./commit_rank.ts";

/** What members and those who are to become members say to each other about a group, by its number on the wire. */
const GROUP_MESSAGE_KINDS = [
  "invitation", // the rules of the group
  "key_package", // the answer to it: a key package of MLS
  "welcome", // [Welcome of MLS, the commit that added, as it was signed, its time, lineage of the epoch before]
  "commit", // a commit of MLS for the epoch `at`; signed
  "application", // an application message of MLS in the epoch `at`
  "ack", // array of [epoch, its name]: the sender has decided for these; signed
  "leave", // the sender wants to be removed; signed
  "tip", // the newest epoch of the sender is `at`
  "ask", // array of names of epochs, oldest first, behind one of zeros if their branch lost: what comes behind?
  "info", // [GroupInfo of MLS for the epoch `at`, its lineage], or [empty] if who asked is no member in it; signed
] as const;

/** One of {@link GROUP_MESSAGE_KINDS}. */
export type GroupMessageKind = typeof GROUP_MESSAGE_KINDS[number];

/** A message about a group. */
export interface GroupMessage {
  /** What it is. */
  readonly kind: GroupMessageKind;
  /** The group, 32 bytes. */
  readonly group: Bytes;
  /** The number of the epoch that it is about. */
  readonly epoch: number;
  /** The name of that epoch, 32 bytes. */
  readonly at: Bytes;
  /** What its kind says. */
  readonly body: Bytes;
}

/** A message about a group as it came. */
export interface ReceivedGroupMessage extends GroupMessage {
  /** Who signed it, if it is of a kind that is signed. */
  readonly signer?: AgentId;
}

/** Bytes of a group's id. */
export const GROUP_ID_LENGTH = 32;

/** Longest body in bytes. */
const MAX_GROUP_BODY_BYTES = 8 * 1024 * 1024;

const PURPOSE = "betanet-fabric-group-v1";
const VERSION = 1;
const FIELDS = 6;
/** The first byte of a COSE_Sign1 with its tag, and of an array of six. */
const SIGN1_HEAD = 0xd2;
const SIGNED: ReadonlySet<GroupMessageKind> = new Set([
  ...["commit", "ack", "leave", "info"] as const,
]);
const read = new FieldReader("group message");

/**
 * Encodes a message of a group; commits, acknowledgements and the like are signed by the agent, so that they can be shown to others.
 *
 * ```text
 * CBOR array, deterministic: 1, kind, 32B group, epoch, 32B name of the epoch, body
 * kinds 3, 5, 6, 9: COSE_Sign1 of it, purpose "betanet-fabric-group-v1"
 * ```
 */
export function encodeGroupMessage(
  agent: Agent,
  { kind, group, epoch, at, body }: GroupMessage,
): Bytes {
  const bytes = encodeCbor([
    ...[VERSION, GROUP_MESSAGE_KINDS.indexOf(kind)],
    ...[group, epoch, at, body],
  ]);
  return SIGNED.has(kind) ? sign1(agent, PURPOSE, bytes) : bytes;
}

/**
 * Decodes a message of a group and verifies its signature, if its kind has one; it keeps nothing of `bytes`.
 *
 * @throws {DecodeError} If it is malformed.
 * @throws {FabricError} `unauthenticated` if the signature does not verify.
 */
export function decodeGroupMessage(
  crypto: CryptoProvider,
  bytes: Uint8Array,
): ReceivedGroupMessage {
  if (bytes.length > MAX_GROUP_BODY_BYTES + 2 * SIGN1_OVERHEAD) {
    throw read.malformed(`want at most ${MAX_GROUP_BODY_BYTES} bytes`);
  }
  if (bytes[0] !== SIGN1_HEAD) return checked(decode(bytes), false);
  const { signer, payload } = openSign1(crypto, PURPOSE, bytes);
  return { ...checked(decode(payload), true), signer };
}

/** An array of byte strings as a body. */
export function encodeList(items: readonly Uint8Array[]): Bytes {
  return encodeCbor([...items]);
}

/**
 * The byte strings of a body, 1 to `max`.
 *
 * @throws {DecodeError} If it is none.
 */
export function decodeList(body: Uint8Array, max: number): readonly Bytes[] {
  const items = read.list(body, max, { maxDepth: 1, maxItems: max + 1 });
  return items.map((each) => read.bytesUpTo(each, MAX_GROUP_BODY_BYTES));
}

function decode(bytes: Uint8Array): GroupMessage {
  const options = { maxDepth: 1, maxItems: FIELDS + 1 };
  const [version, kind, group, epoch, at, body] = read.items(
    bytes,
    FIELDS,
    options,
  );
  if (version !== VERSION) throw read.malformed("want version 1");
  return {
    kind: read.name(kind!, GROUP_MESSAGE_KINDS),
    group: read.bytes(group!, GROUP_ID_LENGTH),
    epoch: read.unsigned(epoch!),
    at: read.bytes(at!, EPOCH_ID_LENGTH),
    body: read.bytesUpTo(body!, MAX_GROUP_BODY_BYTES),
  };
}

function checked(message: GroupMessage, isSigned: boolean): GroupMessage {
  if (SIGNED.has(message.kind) === isSigned) return message;
  throw new DecodeError("group message", "want a signature where it belongs");
}
