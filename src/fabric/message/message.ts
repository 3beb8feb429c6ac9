import {
  type Bytes,
  CBOR_MAJOR,
  type CborDecoded,
  cborHeadLength,
  utf8,
  writeCbor,
  writeCborHead,
  Writer,
} from "../../core/bytes/mod.ts";
import { FieldReader } from "../field_reader.ts";
import { AGENT_ID_LENGTH, AgentId } from "../identity/agent_id.ts";

/** How urgent a message is, least first. */
export const PRIORITIES = ["low", "normal", "high", "critical"] as const;

/** One of {@link PRIORITIES}. */
export type Priority = typeof PRIORITIES[number];

/** What messages are, by their number on the wire. */
export const MESSAGE_KINDS = [
  "notify", // wants no answer
  "request", // wants one answer
  "reply", // the answer of a handler
  "failure", // the answer when a handler threw, or there is none
  "receipts", // signed receipts, as COSE_Sign1
  "record", // a signed agent record
  "group", // a message of a group, as MLS writes it
] as const;

/** One of {@link MESSAGE_KINDS}. */
export type MessageKind = typeof MESSAGE_KINDS[number];

/** The place of a message among those that must not overtake each other. */
export interface MessageOrder {
  /** Its number, from 0. */
  readonly sequence: number;
  /** The lowest number that may still come: all below it have come, or never will. At most `sequence`. */
  readonly floor: number;
}

/** What one agent says to another. */
export interface Message {
  /** Its name, 16 random bytes: the same over every way. */
  readonly id: Bytes;
  /** What it is. */
  readonly kind: MessageKind;
  /** Who says it. */
  readonly from: AgentId;
  /** To whom. */
  readonly to: AgentId;
  /** What it is about, which chooses the handler: 1 to 128 characters. */
  readonly type: string;
  /** How urgent it is. */
  readonly priority: Priority;
  /** When it was accepted, in milliseconds since 1970-01-01 UTC. */
  readonly createdMs: number;
  /** From when on it is of no use, in milliseconds since 1970-01-01 UTC. */
  readonly deadlineMs: number;
  /** Its place among the ordered messages of the pair; absent if it may overtake. */
  readonly order?: MessageOrder;
  /** The request that it answers. */
  readonly replyTo?: Bytes;
  /** Whether its sender wants signed receipts. */
  readonly wantsReceipts: boolean;
  /** Texts beside the payload: at most 32, of 64 and 1,024 characters at most. */
  readonly metadata: ReadonlyMap<string, string>;
  /** What it carries. */
  readonly payload: Uint8Array;
}

/** Bytes of a message's id. */
export const MESSAGE_ID_LENGTH = 16;

/** Longest payload in bytes. */
export const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;

/** Longest time from the acceptance of a message to its deadline, in milliseconds: 30 days. */
export const MAX_LIFETIME_MS: number = 30 * 86_400_000;

const VERSION = 1;
const FIELDS = 14;
const WANTS_RECEIPTS = 1;
const MAX_TYPE = 128;
const MAX_METADATA = 32;
const MAX_METADATA_KEY = 64;
const MAX_METADATA_TEXT = 1_024;
const read = new FieldReader("fabric message");
/** Head, version, kind, id, agents, priority and flags. */
const FIXED_BYTES = 5 + 1 + MESSAGE_ID_LENGTH + 2 * (2 + AGENT_ID_LENGTH);
const NO_METADATA: ReadonlyMap<string, string> = new Map();

/**
 * Encodes a message.
 *
 * ```text
 * CBOR array, deterministic (RFC 8949 §4.2.1):
 *    1, kind, 16B id, 32B from, 32B to, type, priority (0 low … 3 critical), created, deadline,
 *    [sequence, floor] or null, 16B id of the request or null, flags (1: receipts
 *    wanted), map of metadata, payload
 * ```
 *
 * @throws {RangeError} If a field is out of range.
 */
export function encodeMessage(message: Message): Bytes {
  const writer = new Writer(encodedLength(message));
  writeMessage(writer, message);
  return writer.finish();
}

/**
 * How many bytes {@link encodeMessage} makes of a message.
 *
 * @throws {RangeError} If a field is out of range.
 */
export function encodedLength(message: Message): number {
  const fault = faultOf(message);
  if (fault) throw new RangeError(`A message ${fault}`);
  const { type, order, replyTo, metadata, payload } = message;
  let length = FIXED_BYTES + textLength(type) +
    cborHeadLength(message.createdMs) + cborHeadLength(message.deadlineMs) +
    cborHeadLength(payload.length) + payload.length +
    cborHeadLength(metadata.size) + 2;
  if (order) {
    length += cborHeadLength(order.sequence) + cborHeadLength(order.floor);
  }
  if (replyTo) length += MESSAGE_ID_LENGTH;
  for (const [key, text] of metadata) {
    length += textLength(key) + textLength(text);
  }
  return length;
}

/** Appends a message that {@link encodedLength} has measured: as {@link encodeMessage} writes it. */
export function writeMessage(writer: Writer, message: Message): void {
  const { unsigned, array } = CBOR_MAJOR;
  const { order, replyTo } = message;
  writeCborHead(writer, array, FIELDS);
  writeCborHead(writer, unsigned, VERSION);
  writeCborHead(writer, unsigned, MESSAGE_KINDS.indexOf(message.kind));
  writeBytes(writer, message.id);
  writeBytes(writer, message.from.bytes);
  writeBytes(writer, message.to.bytes);
  writeCbor(writer, message.type);
  writeCborHead(writer, unsigned, PRIORITIES.indexOf(message.priority));
  writeCborHead(writer, unsigned, message.createdMs);
  writeCborHead(writer, unsigned, message.deadlineMs);
  writeCbor(writer, order ? [order.sequence, order.floor] : null);
  if (replyTo) writeBytes(writer, replyTo);
  else writeCbor(writer, null);
  writeCborHead(writer, unsigned, message.wantsReceipts ? WANTS_RECEIPTS : 0);
  writeCbor(writer, message.metadata);
  writeBytes(writer, message.payload);
}

function writeBytes(writer: Writer, bytes: Uint8Array): void {
  writeCborHead(writer, CBOR_MAJOR.bytes, bytes.length);
  writer.put(bytes);
}

/** Bytes of a text and its head. */
function textLength(text: string): number {
  let { length } = text;
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) <= 0x7f) continue;
    length = utf8(text).length;
    break;
  }
  return cborHeadLength(length) + length;
}

/**
 * Decodes a message; its payload borrows from `bytes`.
 *
 * @throws {DecodeError} If it is malformed.
 */
export function decodeMessage(bytes: Uint8Array): Message {
  const fields = read.items(bytes, FIELDS, {
    maxDepth: 2,
    maxItems: 2 * MAX_METADATA + FIELDS + 4,
  });
  const [version, kind, id, from, to, type, priority, created, deadline] =
    fields;
  const [order, replyTo, flags, metadata, payload] = fields.slice(9);
  if (version !== VERSION) throw read.malformed("want version 1");
  const message: Message = {
    id: read.bytes(id, MESSAGE_ID_LENGTH),
    kind: read.name(kind, MESSAGE_KINDS),
    from: agentOf(from),
    to: agentOf(to),
    type: read.text(type, MAX_TYPE, 1),
    priority: read.name(priority, PRIORITIES),
    createdMs: read.unsigned(created),
    deadlineMs: read.unsigned(deadline),
    ...order !== null && { order: orderOf(order) },
    ...replyTo !== null &&
      { replyTo: read.bytes(replyTo, MESSAGE_ID_LENGTH) },
    wantsReceipts: (read.unsigned(flags) & WANTS_RECEIPTS) !== 0,
    metadata: metadataOf(metadata),
    payload: payloadOf(payload),
  };
  const fault = faultOf(message);
  if (fault) throw read.malformed(fault);
  return message;
}

/** What is wrong with a message whose fields have their types. */
function faultOf(message: Message): string | undefined {
  const { id, type, metadata, payload, replyTo, kind, order } = message;
  if (id.length !== MESSAGE_ID_LENGTH) return "has an id of 16 bytes";
  if (!type.isWellFormed()) return "has texts of whole characters";
  if (type.length < 1 || type.length > MAX_TYPE) {
    return `has a type of 1 to ${MAX_TYPE} characters`;
  }
  if (payload.length > MAX_PAYLOAD_BYTES) {
    return `has at most ${MAX_PAYLOAD_BYTES} bytes of payload`;
  }
  for (const time of [message.createdMs, message.deadlineMs]) {
    if (!Number.isSafeInteger(time) || time < 0) {
      return "has times in whole milliseconds since 1970";
    }
  }
  if (metadata.size > MAX_METADATA) {
    return `has at most ${MAX_METADATA} metadata`;
  }
  for (const [key, text] of metadata) {
    if (!key.isWellFormed() || !text.isWellFormed()) {
      return "has texts of whole characters";
    }
    if (key.length > MAX_METADATA_KEY || text.length > MAX_METADATA_TEXT) {
      return `has metadata of ${MAX_METADATA_KEY} and ${MAX_METADATA_TEXT} characters at most`;
    }
  }
  if ((kind === "reply" || kind === "failure") !== (replyTo !== undefined)) {
    return "names a request exactly if it answers one";
  }
  if (order && order.floor > order.sequence) {
    return "has no place below its floor";
  }
  if (replyTo && replyTo.length !== MESSAGE_ID_LENGTH) {
    return "names a request by 16 bytes";
  }
}

/** Most messages are of few agents, whose ids need not be made anew. */
const recentAgents = new Map<string, AgentId>();
const MAX_RECENT_AGENTS = 256;

function agentOf(value: CborDecoded): AgentId {
  const key = value instanceof Uint8Array ? value.toHex() : "";
  const known = recentAgents.get(key);
  if (known) return known;
  const id = new AgentId(read.bytes(value, AGENT_ID_LENGTH));
  if (recentAgents.size >= MAX_RECENT_AGENTS) recentAgents.clear();
  recentAgents.set(key, id);
  return id;
}

function orderOf(value: CborDecoded): MessageOrder {
  const [sequence, floor] = read.array(value, 2, 2).map((each) =>
    read.unsigned(each)
  ) as [number, number];
  return { sequence, floor };
}

function metadataOf(value: CborDecoded): ReadonlyMap<string, string> {
  if (!(value instanceof Map)) throw read.malformed("want a map of metadata");
  if (value.size === 0) return NO_METADATA;
  return new Map(
    [...value].map(([key, text]) =>
      [
        read.text(key, MAX_METADATA_KEY),
        read.text(text, MAX_METADATA_TEXT),
      ] as const
    ),
  );
}

function payloadOf(value: CborDecoded): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw read.malformed("want a payload");
}
