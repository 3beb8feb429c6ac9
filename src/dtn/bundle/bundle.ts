/**
 * Bundles (RFC 9171 §4.1): `0x9f ‖ primary block ‖ blocks, the payload last ‖ 0xff`.
 *
 * @module
 */
import type { Bytes } from "../../core/bytes/mod.ts";
import { BLOCK_FLAG } from "./block_flags.ts";
import { BUNDLE_FLAG } from "./bundle_flags.ts";
import {
  BLOCK_TYPE,
  type CanonicalBlock,
  canonicalBlockSize,
  readCanonicalBlock,
  writeCanonicalBlock,
} from "./canonical_block.ts";
import { CborBuffer } from "./cbor_buffer.ts";
import { CborCursor } from "./cbor_cursor.ts";
import { CRC_LENGTH } from "./crc.ts";
import { BundleError } from "./error.ts";
import {
  type PrimaryBlock,
  primaryBlockSize,
  primaryFlagsFault,
  readPrimaryBlock,
  writePrimaryBlock,
} from "./primary_block.ts";
import type { BundleOptions } from "./quirk.ts";
import { isUint } from "./uint.ts";

/** A bundle. */
export interface Bundle {
  /** Whence, whither, when. */
  readonly primary: PrimaryBlock;
  /** The other blocks; the last is the payload. */
  readonly blocks: readonly CanonicalBlock[];
}

const START = 0x9f;
const BREAK = 0xff;
const MAX_BLOCKS = 256;

/**
 * The bytes of `bundle`: those that {@link decodeBundle} took it from, if it had no quirks.
 *
 * @param into Memory to write to, of which the bytes are a view until it is written to again; memory that nobody else writes to by
 *   default, and where it is too short. Bundles of up to 512 bytes then share an `ArrayBuffer` of 4 KiB with others: none of them is to
 *   be transferred to another thread.
 * @throws {BundleError} If it breaks a rule of RFC 9171 that {@link decodeBundle} would find.
 * @throws {RangeError} If a number is no integer or out of range.
 */
export function encodeBundle(
  bundle: Bundle,
  options: BundleOptions = {},
  into?: Bytes,
): Bytes {
  checkBundle(bundle, options);
  checkIntegers(bundle);
  const size = bundleSize(bundle);
  const hasRoom = into !== undefined && into.length >= size;
  const buffer = new CborBuffer(hasRoom ? into : size);
  buffer.byte(START);
  writePrimaryBlock(buffer, bundle.primary);
  for (const block of bundle.blocks) writeCanonicalBlock(buffer, block);
  buffer.byte(BREAK);
  return hasRoom ? into.subarray(0, size) : buffer.bytes;
}

/** Bytes of `bundle` when it is encoded. */
export function bundleSize({ primary, blocks }: Bundle): number {
  let size = 2 + primaryBlockSize(primary);
  for (const block of blocks) size += canonicalBlockSize(block);
  return size;
}

/**
 * The bundle that `bytes` hold; the data of its blocks are views of them. Check values are checked. What extension blocks hold is not
 * looked at, as it may be encrypted.
 *
 * @throws {BundleError} If they hold none, or more.
 */
export function decodeBundle(
  bytes: Uint8Array,
  options: BundleOptions = {},
): Bundle {
  const cursor = new CborCursor(bytes, options.quirks);
  if (cursor.peek() !== START) {
    throw new BundleError(
      bytes.length === 0 ? "truncated" : "cbor",
      "A bundle is an array of indefinite length",
    );
  }
  cursor.at = 1;
  if (cursor.peek() === BREAK) {
    throw new BundleError("block", "A bundle has a primary block");
  }
  const primary = readPrimaryBlock(cursor);
  const maxBlocks = options.maxBlocks ?? MAX_BLOCKS;
  const blocks: CanonicalBlock[] = [];
  while (!cursor.atBreak()) {
    if (blocks.length >= maxBlocks) {
      throw new BundleError("limit", `More than ${maxBlocks} blocks`);
    }
    blocks.push(readCanonicalBlock(cursor));
  }
  cursor.end();
  const bundle = { primary, blocks };
  checkBundle(bundle, options);
  return bundle;
}

/** The payload of `bundle`. */
export function payloadOf({ blocks }: Bundle): Uint8Array {
  return blocks[blocks.length - 1]!.data;
}

/** The rules about how blocks, flags and fields go together (RFC 9171 §4.1, §4.2.3, §4.2.4, §4.3). */
function checkBundle({ primary, blocks }: Bundle, options: BundleOptions) {
  const last = blocks.length - 1;
  if (last < 0) throw new BundleError("block", "A bundle has a payload block");
  for (let i = 0; i <= last; i++) checkBlock(blocks, i);
  const { fragment } = primary;
  if (
    (fragment !== undefined) !==
      ((primary.flags & BUNDLE_FLAG.isFragment) !== 0)
  ) {
    throw new BundleError("flags", "A fragment has an offset and a flag");
  }
  if (
    fragment !== undefined &&
    fragment.offset + blocks[last]!.data.length > fragment.totalLength
  ) {
    throw new BundleError("fragment", "A fragment ends behind its whole");
  }
  const fault = primaryFlagsFault(primary) ?? blockFlagsFault(primary, blocks);
  if (fault && !options.quirks?.includes("contradictory_flags")) {
    throw new BundleError("flags", fault);
  }
}

function checkBlock(blocks: readonly CanonicalBlock[], index: number): void {
  const { type, number } = blocks[index]!;
  if (type === 0 || number === 0) {
    throw new BundleError("block", "Types and numbers of blocks begin at 1");
  }
  if ((type === BLOCK_TYPE.payload) !== (number === 1)) {
    throw new BundleError("block", "The payload block, and no other, is 1");
  }
  if ((type === BLOCK_TYPE.payload) !== (index === blocks.length - 1)) {
    throw new BundleError("block", "The payload block, and no other, is last");
  }
  const isSingle = type === BLOCK_TYPE.previousNode ||
    type === BLOCK_TYPE.bundleAge || type === BLOCK_TYPE.hopCount;
  for (let i = 0; i < index; i++) {
    if (blocks[i]!.number === number) {
      throw new BundleError("block", `Two blocks have the number ${number}`);
    }
    if (isSingle && blocks[i]!.type === type) {
      throw new BundleError("block", `Two blocks have the type ${type}`);
    }
  }
}

function blockFlagsFault(
  { flags, source }: PrimaryBlock,
  blocks: readonly CanonicalBlock[],
): string | undefined {
  if ((flags & BUNDLE_FLAG.adminRecord) === 0 && !source.isNull) return;
  for (const block of blocks) {
    if ((block.flags & BLOCK_FLAG.reportUnprocessed) !== 0) {
      return "A block asks for reports that its bundle cannot ask for";
    }
  }
}

function checkIntegers({ primary, blocks }: Bundle): void {
  const { creation, lifetimeMs, fragment } = primary;
  checkNumber("a bundle's flags", primary.flags);
  checkCrcType(primary.crcType);
  if (
    !isUint(creation.timeMs) || !isUint(creation.sequence) ||
    !isUint(lifetimeMs)
  ) {
    throw new RangeError(
      "Times and sequence numbers are integers in 0..2^64-1, as bigint only above 2^53-1",
    );
  }
  if (fragment) {
    checkNumber("a fragment's offset", fragment.offset);
    checkNumber("a payload's length", fragment.totalLength);
  }
  for (const block of blocks) {
    checkNumber("a block's type", block.type);
    checkNumber("a block's number", block.number);
    checkNumber("a block's flags", block.flags);
    checkCrcType(block.crcType);
  }
}

function checkCrcType(type: number): void {
  if (CRC_LENGTH[type] === undefined) {
    throw new RangeError(`A CRC type is 0, 1 or 2: got ${type}`);
  }
}

function checkNumber(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`Want an integer for ${what}: got ${value}`);
  }
}
