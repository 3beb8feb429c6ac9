/**
 * Extension blocks of RFC 9171 §4.4, whose data is the CBOR form of
 *
 * ```text
 * previous node   endpoint ID of the node that sent the bundle last
 * bundle age      milliseconds since its creation
 * hop count       [limit 1 … 255, count]
 * ```
 *
 * @module
 */
import type { Bytes } from "../../core/bytes/mod.ts";
import type { Bundle } from "./bundle.ts";
import { BLOCK_TYPE, type CanonicalBlock } from "./canonical_block.ts";
import { CborBuffer } from "./cbor_buffer.ts";
import { CborCursor } from "./cbor_cursor.ts";
import type { Eid } from "./eid.ts";
import { encodeEid, readEid } from "./eid_codec.ts";
import { BundleError } from "./error.ts";
import { isEncrypted } from "./security_target.ts";
import { uintSize } from "./uint.ts";

/** How many nodes forwarded a bundle, and how many may (RFC 9171 §4.4.3). */
export interface HopCount {
  /** Most hops, 1 … 255. */
  readonly limit: number;
  /** Hops so far. */
  readonly count: number;
}

const MAX_HOP_LIMIT = 255;

/** The first block of `type` in `bundle`. */
export function blockOfType(
  { blocks }: Bundle,
  type: number,
): CanonicalBlock | undefined {
  for (const block of blocks) if (block.type === type) return block;
}

/**
 * Who sent `bundle` last; `undefined` if nothing that we can read says so.
 *
 * @throws {BundleError} `extension` if the block is malformed.
 */
export function previousNodeOf(bundle: Bundle): Eid | undefined {
  return readExtension(bundle, BLOCK_TYPE.previousNode, readEid);
}

/**
 * The age of `bundle` when it was sent last, in milliseconds; `undefined` if it has none, or it is encrypted.
 *
 * @throws {BundleError} `extension` if the block is malformed.
 */
export function bundleAgeOf(bundle: Bundle): number | undefined {
  return readExtension(bundle, BLOCK_TYPE.bundleAge, (cursor) => cursor.uint());
}

/**
 * The hops of `bundle`; `undefined` if it does not count them, or they are encrypted.
 *
 * @throws {BundleError} `extension` if the block is malformed.
 */
export function hopCountOf(bundle: Bundle): HopCount | undefined {
  return readExtension(bundle, BLOCK_TYPE.hopCount, (cursor) => {
    const length = cursor.array();
    const [limit, count] = [cursor.uint(), cursor.uint()];
    if (length !== 2 || limit < 1 || limit > MAX_HOP_LIMIT) {
      throw new BundleError("extension", "A hop limit is 1 to 255");
    }
    return { limit, count };
  });
}

/** `bundle` with `eid` as the node that sends it. */
export function withPreviousNode(bundle: Bundle, eid: Eid): Bundle {
  return withExtension(bundle, BLOCK_TYPE.previousNode, encodeEid(eid));
}

/** `bundle` with an age of `ageMs`, an integer. */
export function withBundleAge(bundle: Bundle, ageMs: number): Bundle {
  return withExtension(bundle, BLOCK_TYPE.bundleAge, encodeBundleAge(ageMs));
}

/** `bundle` with the hops of `hopCount`. */
export function withHopCount(bundle: Bundle, hopCount: HopCount): Bundle {
  return withExtension(bundle, BLOCK_TYPE.hopCount, encodeHopCount(hopCount));
}

/** The data of a bundle age block. */
export function encodeBundleAge(ageMs: number): Bytes {
  if (!Number.isSafeInteger(ageMs) || ageMs < 0) {
    throw new RangeError(`An age is an integer from 0: got ${ageMs}`);
  }
  const buffer = new CborBuffer(uintSize(ageMs));
  buffer.uint(ageMs);
  return buffer.bytes;
}

/** The data of a hop count block. */
export function encodeHopCount({ limit, count }: HopCount): Bytes {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_HOP_LIMIT) {
    throw new RangeError(`A hop limit is 1 to 255: got ${limit}`);
  }
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new RangeError(`A hop count is an integer from 0: got ${count}`);
  }
  const buffer = new CborBuffer(1 + uintSize(limit) + uintSize(count));
  buffer.array(2);
  buffer.uint(limit);
  buffer.uint(count);
  return buffer.bytes;
}

/**
 * `bundle` with `data` in its first block of `type`, else in a new one before the payload, with the lowest number that is free and the
 * check of the primary block.
 *
 * @param flags Of a new block.
 */
export function withExtension(
  bundle: Bundle,
  type: number,
  data: Uint8Array,
  flags = 0,
): Bundle {
  const { primary, blocks } = bundle;
  const index = blocks.findIndex((block) => block.type === type);
  if (index >= 0) {
    return { primary, blocks: blocks.with(index, { ...blocks[index]!, data }) };
  }
  const { crcType } = primary;
  const number = freeBlockNumber(blocks);
  const block = { type, number, flags, crcType, data };
  return { primary, blocks: blocks.toSpliced(-1, 0, block) };
}

/** The lowest number from 2 that no block has. */
export function freeBlockNumber(blocks: readonly CanonicalBlock[]): number {
  let number = 2;
  while (blocks.some((block) => block.number === number)) number++;
  return number;
}

function readExtension<T>(
  bundle: Bundle,
  type: number,
  read: (cursor: CborCursor) => T,
): T | undefined {
  const block = blockOfType(bundle, type);
  if (!block || isEncrypted(bundle, block.number)) return undefined;
  try {
    const cursor = new CborCursor(block.data);
    const value = read(cursor);
    cursor.end();
    return value;
  } catch (cause) {
    if (!(cause instanceof BundleError)) throw cause;
    throw new BundleError("extension", `A block of type ${type} is malformed`, {
      cause,
    });
  }
}
