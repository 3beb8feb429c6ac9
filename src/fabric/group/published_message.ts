import { type Bytes, encodeCbor } from "../../core/bytes/mod.ts";
import { FieldReader } from "../field_reader.ts";
import {
  MESSAGE_ID_LENGTH,
  PRIORITIES,
  type Priority,
} from "../message/message.ts";

/** What a member publishes, as the application messages of MLS carry it. */
export interface PublishedMessage {
  /** Its name, 16 bytes: the same if it is sent again in another epoch. */
  readonly id: Bytes;
  /** What it is about: 1 to 128 characters. */
  readonly type: string;
  /** How urgent it is. */
  readonly priority: Priority;
  /** What it carries. */
  readonly payload: Bytes;
}

const MAX_TYPE = 128;
const MAX_PAYLOAD_BYTES = 1024 * 1024;
const read = new FieldReader("published message");

/**
 * Encodes what a member publishes.
 *
 * ```text
 * CBOR array, deterministic: 16B id, type, priority (0 low … 3 critical), payload
 * ```
 *
 * @throws {RangeError} If a field is out of range.
 */
export function encodePublished(message: PublishedMessage): Bytes {
  const { id, type, priority, payload } = message;
  const bytes = encodeCbor([id, type, PRIORITIES.indexOf(priority), payload]);
  try {
    decodePublished(bytes);
  } catch (cause) {
    const text = "A type has 1 to 128 characters, a payload at most 1 MiB";
    throw new RangeError(text, { cause });
  }
  return bytes;
}

/**
 * Decodes what a member published; it keeps nothing of `bytes`.
 *
 * @throws {DecodeError} If it is malformed.
 */
export function decodePublished(bytes: Uint8Array): PublishedMessage {
  const options = { maxDepth: 1, maxItems: 5 };
  const [id, type, priority, payload] = read.items(bytes, 4, options);
  return {
    id: read.bytes(id!, MESSAGE_ID_LENGTH),
    type: read.text(type!, MAX_TYPE, 1),
    priority: read.name(priority!, PRIORITIES),
    payload: read.bytesUpTo(payload!, MAX_PAYLOAD_BYTES),
  };
}
