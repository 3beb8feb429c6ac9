/**
 * What nodes say to each other through the mixnet: a message is one envelope, and its answer comes back by the ways that it encloses
 * (profile section 14).
 *
 * ```text
 * offset  length
 *      0       1  version, 1
 *      1       1  kind: 1 hello, 2 bundle, 3 leave
 *      2      16  contact id: random, drawn by who dials, and known to nobody but the two nodes
 *     18       1  n, length of the sender's node id; 0 if it does not say who it is
 *     19       n  the node id: a dtn: or ipn: endpoint ID in UTF-8 that names a node
 *   19+n      16  of a bundle: transfer id, random, the same whenever the bundle is sent again
 *   35+n          of a bundle: the bundle, to the end
 * ```
 *
 * An answer has two bytes, the version and a code: 0 to 6 as over HTX (`answer.ts`), 7 if the contact is over.
 *
 * @module
 */
import {
  type Bytes,
  DecodeError,
  Reader,
  utf8,
  Writer,
} from "../core/bytes/mod.ts";
import { BundleError, type SendOutcome } from "../dtn/mod.ts";
import { decodeAnswer } from "./answer.ts";
import { decodeNodeId, namesNode } from "./node_id_text.ts";

/** One message between two nodes. */
export type MixEnvelope<Bundle extends Uint8Array = Bytes> =
  | MixHead & { readonly kind: "hello" | "leave" }
  | MixHead & {
    readonly kind: "bundle";
    /** 16 bytes, the same whenever the bundle is sent again. */
    readonly transferId: Bytes;
    /** The bundle. */
    readonly bundle: Bundle;
  };

/** What every envelope says. */
interface MixHead {
  /** 16 bytes. */
  readonly contactId: Bytes;
  /** Who sends, if it says so; nobody has proved it. */
  readonly nodeId?: string | undefined;
}

/** What comes back: what became of the bundle, or that the contact is over. */
export type MixAnswer = SendOutcome | { readonly kind: "over" };

/** Bytes of a contact id and of a transfer id. */
export const MIX_ID_LENGTH = 16;
const VERSION = 1;
const HEAD_LENGTH = 19;
const MAX_NODE_ID_LENGTH = 255;
const KINDS = [undefined, "hello", "bundle", "leave"] as const;
const WHAT = "mix envelope";

/** Most bytes that an envelope adds to a bundle. */
export const MAX_ENVELOPE_OVERHEAD: number = HEAD_LENGTH + MAX_NODE_ID_LENGTH +
  MIX_ID_LENGTH;

/**
 * Encodes an envelope.
 *
 * @throws {BundleError} `eid` if the node id is none.
 * @throws {RangeError} If the node id is longer than 255 bytes.
 */
export function encodeMixEnvelope(envelope: MixEnvelope<Uint8Array>): Bytes {
  const nodeId = utf8(envelope.nodeId ?? "");
  if (envelope.nodeId !== undefined && !namesNode(envelope.nodeId)) {
    throw new BundleError("eid", "Want the endpoint ID of a node");
  }
  if (nodeId.length > MAX_NODE_ID_LENGTH) {
    throw new RangeError(
      `A node id has at most ${MAX_NODE_ID_LENGTH} bytes: got ${nodeId.length}`,
    );
  }
  const writer = new Writer(HEAD_LENGTH + nodeId.length)
    .u8(VERSION)
    .u8(KINDS.indexOf(envelope.kind))
    .put(envelope.contactId)
    .u8(nodeId.length)
    .put(nodeId);
  if (envelope.kind === "bundle") {
    writer.put(envelope.transferId).put(envelope.bundle);
  }
  return writer.finish();
}

/**
 * The envelope that `bytes` are; its bundle is a part of them.
 *
 * @throws {DecodeError} If they are none.
 */
export function decodeMixEnvelope(bytes: Bytes): MixEnvelope {
  const reader = new Reader(bytes, WHAT);
  if (reader.u8() !== VERSION) {
    throw new DecodeError(WHAT, `want version ${VERSION}`);
  }
  const kind = KINDS[reader.u8()];
  if (!kind) throw new DecodeError(WHAT, "kind is none of those known");
  const contactId = new Uint8Array(reader.take(MIX_ID_LENGTH));
  const length = reader.u8();
  const nodeId = length === 0
    ? undefined
    : decodeNodeId(reader.take(length), WHAT);
  if (kind !== "bundle") {
    reader.end();
    return { kind, contactId, nodeId };
  }
  const transferId = new Uint8Array(reader.take(MIX_ID_LENGTH));
  return {
    kind,
    contactId,
    nodeId,
    transferId,
    bundle: bytes.subarray(reader.offset),
  };
}

/** The code that says the contact is over. */
export const MIX_OVER = 7;

/** The answer of this code. */
export function encodeMixAnswer(code: number): Bytes {
  return Uint8Array.of(VERSION, code);
}

/**
 * What an answer says.
 *
 * @throws {DecodeError} If it is none.
 */
export function decodeMixAnswer(bytes: Uint8Array): MixAnswer {
  const reader = new Reader(bytes, "mix answer");
  if (reader.u8() !== VERSION) {
    throw new DecodeError("mix answer", `want version ${VERSION}`);
  }
  const code = reader.u8();
  reader.end();
  const answer: MixAnswer | undefined = code === MIX_OVER
    ? { kind: "over" }
    : decodeAnswer(code);
  if (!answer) throw new DecodeError("mix answer", "code is none");
  return answer;
}
