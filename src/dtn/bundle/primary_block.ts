/**
 * The primary block (RFC 9171 §4.3.1).
 *
 * ```text
 * [7, flags, crc type, destination, source, report-to, [creation time in ms, sequence], lifetime in ms
 *  ‖ fragment offset, total length      if flag 0x1
 *  ‖ check value, 2 or 4 bytes          if the crc type is 1 or 2]
 * ```
 *
 * @module
 */
import type { Bytes } from "../../core/bytes/mod.ts";
import { BUNDLE_FLAG, REPORT_FLAGS } from "./bundle_flags.ts";
import { CborBuffer } from "./cbor_buffer.ts";
import type { CborCursor } from "./cbor_cursor.ts";
import { CRC_LENGTH, type CrcType } from "./crc.ts";
import { readCrc, readCrcType, writeCrc } from "./crc_field.ts";
import type { Eid } from "./eid.ts";
import { eidSize, readEid, writeEid } from "./eid_codec.ts";
import { BundleError } from "./error.ts";
import { type Uint, uintSize } from "./uint.ts";

/** When a bundle was made, and how often within that millisecond (RFC 9171 §4.2.7). */
export interface CreationTimestamp {
  /** DTN time in milliseconds since 2000-01-01 UTC; 0 by a node without a clock. */
  readonly timeMs: Uint;
  /** Tells bundles of the same source and time apart. */
  readonly sequence: Uint;
}

/** Which part of its payload a fragment has (RFC 9171 §5.8). */
export interface FragmentRange {
  /** Where it begins, in bytes. */
  readonly offset: number;
  /** Bytes of the whole payload. */
  readonly totalLength: number;
}

/** What a bundle says about itself; never changed on the way. */
export interface PrimaryBlock {
  /** {@link BUNDLE_FLAG}s. */
  readonly flags: number;
  /** How the block itself is checked. */
  readonly crcType: CrcType;
  /** Where it goes. */
  readonly destination: Eid;
  /** Who made it; a null endpoint if nobody is to know. */
  readonly source: Eid;
  /** Whom status reports go to. */
  readonly reportTo: Eid;
  /** When it was made. */
  readonly creation: CreationTimestamp;
  /** How long it is of use, in milliseconds after its creation. */
  readonly lifetimeMs: Uint;
  /** Which part it is; there if and only if `flags` has `isFragment`. */
  readonly fragment?: FragmentRange;
}

const VERSION = 7;

/** The CBOR form of `block`, check value included. */
export function encodePrimaryBlock(block: PrimaryBlock): Bytes {
  const buffer = new CborBuffer(primaryBlockSize(block));
  writePrimaryBlock(buffer, block);
  return buffer.bytes;
}

/** Bytes of the CBOR form of `block`. */
export function primaryBlockSize(block: PrimaryBlock): number {
  const { crcType, creation, fragment } = block;
  const crcLength = CRC_LENGTH[crcType];
  return 3 + uintSize(block.flags) + eidSize(block.destination) +
    eidSize(block.source) + eidSize(block.reportTo) + 1 +
    uintSize(creation.timeMs) + uintSize(creation.sequence) +
    uintSize(block.lifetimeMs) +
    (fragment === undefined
      ? 0
      : uintSize(fragment.offset) + uintSize(fragment.totalLength)) +
    (crcLength && crcLength + 1);
}

/** Appends the CBOR form of `block`. */
export function writePrimaryBlock(
  buffer: CborBuffer,
  block: PrimaryBlock,
): void {
  const { crcType, creation, fragment } = block;
  const start = buffer.at;
  buffer.array(8 + (fragment ? 2 : 0) + (crcType ? 1 : 0));
  buffer.byte(VERSION);
  buffer.uint(block.flags);
  buffer.byte(crcType);
  writeEid(buffer, block.destination);
  writeEid(buffer, block.source);
  writeEid(buffer, block.reportTo);
  buffer.byte(0x82);
  buffer.uint(creation.timeMs);
  buffer.uint(creation.sequence);
  buffer.uint(block.lifetimeMs);
  if (fragment) {
    buffer.uint(fragment.offset);
    buffer.uint(fragment.totalLength);
  }
  if (crcType) writeCrc(buffer, crcType, start);
}

/** Reads the primary block. */
export function readPrimaryBlock(cursor: CborCursor): PrimaryBlock {
  const start = cursor.at;
  const count = cursor.array();
  const version = cursor.uint();
  if (version !== VERSION) {
    throw new BundleError("version", `Want version 7: got ${version}`);
  }
  const flags = cursor.uint();
  const crcType = readCrcType(cursor);
  const isFragment = (flags & BUNDLE_FLAG.isFragment) !== 0;
  const want = 8 + (isFragment ? 2 : 0) + (crcType ? 1 : 0);
  if (count >= 0 && count !== want) {
    throw new BundleError(
      "flags",
      `A primary block with these flags has ${want} items: got ${count}`,
    );
  }
  const destination = readEid(cursor);
  const source = readEid(cursor);
  const reportTo = readReportTo(cursor, source);
  const creation = readCreationTimestamp(cursor);
  const lifetimeMs = cursor.wideUint();
  const fragment = isFragment
    ? { offset: cursor.uint(), totalLength: cursor.uint() }
    : undefined;
  if (crcType) readCrc(cursor, crcType, start);
  cursor.endArray(count);
  const block = {
    flags,
    crcType,
    destination,
    source,
    reportTo,
    creation,
    lifetimeMs,
  };
  return fragment === undefined ? block : { ...block, fragment };
}

/** Reads a creation timestamp. */
export function readCreationTimestamp(cursor: CborCursor): CreationTimestamp {
  const count = cursor.array();
  if (count >= 0 && count !== 2) {
    throw new BundleError("cbor", "A creation timestamp has two items");
  }
  const timestamp = {
    timeMs: cursor.wideUint(),
    sequence: cursor.wideUint(),
  };
  cursor.endArray(count);
  return timestamp;
}

/** Which rule of RFC 9171 §4.2.3 the flags of `block` break. */
export function primaryFlagsFault(block: PrimaryBlock): string | undefined {
  const { flags } = block;
  const reports = (flags & REPORT_FLAGS) !== 0;
  const mustNotFragment = (flags & BUNDLE_FLAG.mustNotFragment) !== 0;
  if (reports && (flags & BUNDLE_FLAG.adminRecord) !== 0) {
    return "An administrative record asks for status reports";
  }
  if (mustNotFragment && (flags & BUNDLE_FLAG.isFragment) !== 0) {
    return "A fragment says that it must not be fragmented";
  }
  if (!block.source.isNull) return undefined;
  if (reports) return "A bundle without a source asks for status reports";
  return mustNotFragment
    ? undefined
    : "A bundle without a source must not be fragmented";
}

/** Most bundles name their source there, whose bytes then need not be understood twice. */
function readReportTo(cursor: CborCursor, source: Eid): Eid {
  const { bytes, at } = cursor;
  const length = eidSize(source);
  if (cursor.quirks.length > 0 || at + length > bytes.length) {
    return readEid(cursor); // with quirks, the source may have been longer
  }
  for (let i = at; i < at + length; i++) {
    if (bytes[i] !== bytes[i - length]) return readEid(cursor);
  }
  cursor.at = at + length;
  return source;
}
