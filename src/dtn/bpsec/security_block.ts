/**
 * Abstract security blocks (RFC 9172 §3.6): the data of integrity and confidentiality blocks, items one after the other.
 *
 * ```text
 * [target …]                 numbers of blocks, 0 the primary one
 * context id                 1 BIB-HMAC-SHA2, 2 BCB-AES-GCM
 * flags                      1: parameters follow
 * security source            endpoint ID
 * [[id, value] …]            parameters, if flag 1
 * [[[id, value] …] …]        results of each target
 * ```
 *
 * The contexts of RFC 9173 have integers and byte strings as values; blocks with others are refused.
 *
 * @module
 */
import type { Bytes } from "../../core/bytes/mod.ts";
import { CborBuffer } from "../bundle/cbor_buffer.ts";
import { CborCursor } from "../bundle/cbor_cursor.ts";
import type { Eid } from "../bundle/eid.ts";
import { eidSize, readEid, writeEid } from "../bundle/eid_codec.ts";
import { BundleError } from "../bundle/error.ts";
import { uintSize } from "../bundle/uint.ts";
import { BpsecError } from "./error.ts";

/** Security contexts of RFC 9173. */
export const SECURITY_CONTEXT = { bibHmacSha2: 1, bcbAesGcm: 2 } as const;

/** The value of a parameter or result. */
export type SecurityValue = number | Uint8Array;

/** An id and a value. */
export type SecurityItem = readonly [id: number, value: SecurityValue];

/** What an integrity or confidentiality block says. */
export interface SecurityBlock {
  /** Numbers of the blocks that it protects, at least one, none twice. */
  readonly targets: readonly number[];
  /** {@link SECURITY_CONTEXT} or another number. */
  readonly contextId: number;
  /** Who has added it. */
  readonly source: Eid;
  /** For all targets. */
  readonly parameters: readonly SecurityItem[];
  /** For each target. */
  readonly results: readonly (readonly SecurityItem[])[];
}

const HAS_PARAMETERS = 1;
/** As many as a bundle has blocks. */
const MAX_TARGETS = 257;
/** Most parameters of a block or results of a target. */
const MAX_ITEMS = 16;

/** The data of a block that says `block`. */
export function encodeSecurityBlock(block: SecurityBlock): Bytes {
  const { targets, source, parameters, results } = block;
  const flags = parameters.length > 0 ? HAS_PARAMETERS : 0;
  let size = uintSize(targets.length) + uintSize(block.contextId) + 1 +
    eidSize(source) + uintSize(results.length);
  for (const target of targets) size += uintSize(target);
  if (flags) size += itemsSize(parameters);
  for (const items of results) size += itemsSize(items);
  const buffer = new CborBuffer(size);
  buffer.array(targets.length);
  for (const target of targets) buffer.uint(target);
  buffer.uint(block.contextId);
  buffer.uint(flags);
  writeEid(buffer, source);
  if (flags) writeItems(buffer, parameters);
  buffer.array(results.length);
  for (const items of results) writeItems(buffer, items);
  return buffer.bytes;
}

/**
 * What the block with `data` says; byte strings are views.
 *
 * @throws {BpsecError} `malformed`.
 */
export function decodeSecurityBlock(data: Uint8Array): SecurityBlock {
  try {
    return read(new CborCursor(data));
  } catch (cause) {
    if (!(cause instanceof BundleError)) throw cause;
    throw new BpsecError("malformed", "Malformed security block", { cause });
  }
}

/**
 * The integer with `id` in `items`, `fallback` without one.
 *
 * @throws {BpsecError} `malformed` if it is a byte string.
 */
export function integerIn(
  items: readonly SecurityItem[],
  id: number,
  fallback: number,
): number {
  const value = itemOf(items, id) ?? fallback;
  if (typeof value === "number") return value;
  throw new BpsecError("malformed", `Item ${id} is no integer`);
}

/**
 * The byte string with `id` in `items`.
 *
 * @throws {BpsecError} `malformed` if it is an integer.
 */
export function bytesIn(
  items: readonly SecurityItem[],
  id: number,
): Uint8Array | undefined {
  const value = itemOf(items, id);
  if (typeof value !== "number") return value;
  throw new BpsecError("malformed", `Item ${id} is no byte string`);
}

function itemOf(
  items: readonly SecurityItem[],
  id: number,
): SecurityValue | undefined {
  return items.find(([each]) => each === id)?.[1];
}

function read(cursor: CborCursor): SecurityBlock {
  const targets: number[] = [];
  for (let left = countOf(cursor, MAX_TARGETS); left > 0; left--) {
    targets.push(cursor.uint());
  }
  if (targets.length === 0 || new Set(targets).size < targets.length) {
    throw new BpsecError("malformed", "Want targets, each once");
  }
  const contextId = cursor.uint();
  const flags = cursor.uint();
  const source = readEid(cursor);
  const parameters = flags & HAS_PARAMETERS ? readItems(cursor) : [];
  const results: SecurityItem[][] = [];
  for (let left = countOf(cursor, MAX_TARGETS); left > 0; left--) {
    results.push(readItems(cursor));
  }
  cursor.end();
  if (results.length !== targets.length) {
    throw new BpsecError("malformed", "Want results for each target");
  }
  return { targets, contextId, source, parameters, results };
}

function readItems(cursor: CborCursor): SecurityItem[] {
  const items: SecurityItem[] = [];
  for (let left = countOf(cursor, MAX_ITEMS); left > 0; left--) {
    if (cursor.array() !== 2) {
      throw new BpsecError("malformed", "A parameter or result has two items");
    }
    const id = cursor.uint();
    const isInteger = cursor.peek() >> 5 === 0;
    const value = isInteger ? cursor.uint() : cursor.byteString();
    if (itemOf(items, id) !== undefined) {
      throw new BpsecError("malformed", "A parameter or result is there twice");
    }
    items.push([id, value]);
  }
  return items;
}

function countOf(cursor: CborCursor, max: number): number {
  const count = cursor.array();
  if (count <= max) return count;
  throw new BpsecError("malformed", `More than ${max} items: got ${count}`);
}

function writeItems(buffer: CborBuffer, items: readonly SecurityItem[]): void {
  buffer.array(items.length);
  for (const [id, value] of items) {
    buffer.array(2);
    buffer.uint(id);
    if (typeof value === "number") buffer.uint(value);
    else buffer.byteString(value);
  }
}

function itemsSize(items: readonly SecurityItem[]): number {
  let size = uintSize(items.length);
  for (const [id, value] of items) {
    size += 1 + uintSize(id) +
      (typeof value === "number"
        ? uintSize(value)
        : uintSize(value.length) + value.length);
  }
  return size;
}
