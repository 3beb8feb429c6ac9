/**
 * Frames between two nodes of agents, on the streams of one HTX session.
 *
 * ```text
 * frame      u8 type ‖ u32 length ‖ body
 *
 * type       body                                                      first on a stream
 * 0 hello    CBOR [1, array of signed records, messages, bytes, time]  of the dialer's first stream, and of the answer
 * 1 message  a message                                                 of a stream for one large message
 * 2 statuses CBOR array of [16B id, code, reason]                      no
 * 3 receipts signed receipts                                           no
 * 4 record   a signed agent record                                     no
 * 5 opening  a message of kind request, whose answer is a stream       of a stream for an application; its own frames follow
 * ```
 *
 * The first stream, opened by the dialer, is for everything but large messages and applications' streams. `messages` and `bytes` of
 * the hello bound what its sender takes until it has said a status, or answered: see {@linkcode SendWindow}.
 *
 * @module
 */
import { type Bytes, encodeCbor, Writer } from "../../core/bytes/mod.ts";
import { FieldReader } from "../field_reader.ts";
import { MAX_PAYLOAD_BYTES, MESSAGE_ID_LENGTH } from "../message/message.ts";

/** Types of frames, by their number on the wire. */
export const FRAME_TYPES = [
  "hello",
  "message",
  "statuses",
  "receipts",
  "record",
  "opening",
] as const;

/** One of {@link FRAME_TYPES}. */
export type FrameType = typeof FRAME_TYPES[number];

/** A frame whose body is not decoded. */
export interface Frame<Type extends string = FrameType> {
  /** What the body is. */
  readonly type: Type;
  /** Its body. */
  readonly body: Uint8Array;
}

/** What a node says first. */
export interface Hello {
  /** Signed records of the agents that it speaks for: 0 to 64. */
  readonly records: readonly Uint8Array[];
  /** Messages that it takes before it has said what became of the first. */
  readonly maxMessages: number;
  /** Bytes of them; one that is longer is taken alone. */
  readonly maxBytes: number;
  /** Its wall time, in milliseconds since 1970-01-01 UTC; it may not say. */
  readonly wallTimeMs?: number;
}

/** What a node says of a message that it was sent. */
export type StatusCode =
  | "taken" // it has it, and will say more in receipts if they are wanted
  | "full" // it has no room: later it may have
  | "refused" // it will not take it
  | "handled"; // its handler is done with it; of an answer: it came, and no copy of the request will

/** By their number on the wire. */
const STATUS_CODES = ["taken", "full", "refused", "handled"] as const;

/** What became of a message at the other end. */
export interface Status {
  /** The message, 16 bytes. */
  readonly id: Bytes;
  /** What became of it. */
  readonly code: StatusCode;
  /** Why it was refused: 0 to 64 characters. */
  readonly reason: string;
}

/** Bytes before the body of a frame. */
export const FRAME_HEAD_LENGTH = 5;

/** Most statuses in one frame. */
export const MAX_STATUSES = 1_024;

/** Longest body of each type, in bytes. */
export const MAX_BODY: Readonly<Record<FrameType, number>> = {
  hello: 2_097_152,
  message: MAX_PAYLOAD_BYTES + 65_536,
  statuses: 131_072,
  receipts: 131_072,
  record: 32_768,
  opening: 131_072,
};

const VERSION = 1;
const MAX_RECORDS = 64;
const MAX_RECORD_BYTES = 32_768;
const MAX_REASON = 64;
/** Bytes of most statuses. */
const STATUS_ROOM = 20;
const helloReader = new FieldReader("fabric hello");
const statusReader = new FieldReader("fabric statuses");

/** Writes a frame whose type has its place among `types` as its number. */
export function encodeFrameOf<Type extends string>(
  types: readonly Type[],
  type: Type,
  body: Uint8Array,
): Bytes {
  return new Writer(FRAME_HEAD_LENGTH + body.length)
    .u8(types.indexOf(type)).u32(body.length).put(body).finish();
}

/** Appends what is before a body of `length` bytes. */
export function writeFrameHead(
  writer: Writer,
  type: FrameType,
  length: number,
): void {
  writer.u8(FRAME_TYPES.indexOf(type)).u32(length);
}

/** Writes a frame. */
export function encodeFrame(type: FrameType, body: Uint8Array): Bytes {
  return encodeFrameOf(FRAME_TYPES, type, body);
}

/** Writes the body of a hello. */
export function encodeHello(hello: Hello): Bytes {
  const { records, maxMessages, maxBytes, wallTimeMs } = hello;
  const fields = [VERSION, [...records], maxMessages, maxBytes];
  return encodeCbor(
    wallTimeMs === undefined ? fields : [...fields, wallTimeMs],
  );
}

/**
 * Reads the body of a hello.
 *
 * @throws {DecodeError} If it is malformed, or of another version.
 */
export function decodeHello(body: Uint8Array): Hello {
  const options = { maxDepth: 2, maxItems: MAX_RECORDS + 6 };
  const fields = helloReader.list(body, 5, options);
  const [version, records, messages, bytes, time] = fields;
  if (version !== VERSION) throw helloReader.malformed("want version 1");
  return {
    records: helloReader.array(records, MAX_RECORDS)
      .map((each) => helloReader.bytesUpTo(each, MAX_RECORD_BYTES)),
    maxMessages: helloReader.unsigned(messages),
    maxBytes: helloReader.unsigned(bytes),
    ...time !== undefined && { wallTimeMs: helloReader.unsigned(time) },
  };
}

/** Writes the body of 1 to 1,024 statuses. */
export function encodeStatuses(statuses: readonly Status[]): Bytes {
  const fields = statuses.map(({ id, code, reason }) => [
    id,
    STATUS_CODES.indexOf(code),
    reason.slice(0, MAX_REASON),
  ]);
  return encodeCbor(fields, STATUS_ROOM * (1 + statuses.length));
}

/**
 * Reads the body of statuses.
 *
 * @throws {DecodeError} If it is malformed.
 */
export function decodeStatuses(body: Uint8Array): readonly Status[] {
  return statusReader.list(body, MAX_STATUSES, {
    maxDepth: 2,
    maxItems: 4 * MAX_STATUSES + 1,
  }).map((each) => {
    const [id, code, reason] = statusReader.array(each, 3, 3);
    return {
      id: statusReader.bytes(id, MESSAGE_ID_LENGTH),
      code: statusReader.name(code, STATUS_CODES),
      reason: statusReader.text(reason, MAX_REASON),
    };
  });
}
