/**
 * Endpoint IDs in CBOR (RFC 9171 §4.2.5.1, RFC 9758 §6.1).
 *
 * ```text
 * [1, 0]                             dtn:none
 * [1, "//node/demux"]                dtn
 * [2, [allocator << 32 | node, service]]   ipn, two elements
 * [2, [allocator, node, service]]          ipn, three elements
 * ```
 *
 * @module
 */
import type { Bytes } from "../../core/bytes/mod.ts";
import { CborBuffer } from "./cbor_buffer.ts";
import { CborCursor } from "./cbor_cursor.ts";
import { Eid } from "./eid.ts";
import { BundleError } from "./error.ts";
import type { BundleOptions } from "./quirk.ts";
import { uintSize } from "./uint.ts";

const SCHEME = { dtn: 1, ipn: 2 } as const;

/** The CBOR form of `eid`. */
export function encodeEid(eid: Eid): Bytes {
  const buffer = new CborBuffer(eidSize(eid));
  writeEid(buffer, eid);
  return buffer.bytes;
}

/**
 * The endpoint ID that `bytes` hold.
 *
 * @throws {BundleError} If they hold none, or more.
 */
export function decodeEid(bytes: Uint8Array, options: BundleOptions = {}): Eid {
  const cursor = new CborCursor(bytes, options.quirks);
  const eid = readEid(cursor);
  cursor.end();
  return eid;
}

/** Bytes of the CBOR form of `eid`. */
export function eidSize(eid: Eid): number {
  if (eid.scheme === "dtn") {
    return eid.ssp === "none"
      ? 3
      : 2 + uintSize(eid.ssp.length) + eid.ssp.length;
  }
  return eid.elements === 3
    ? 3 + uintSize(eid.allocator) + uintSize(eid.nodeNumber) +
      uintSize(eid.service)
    : 3 + uintSize(qualifiedNode(eid)) + uintSize(eid.service);
}

/** Appends the CBOR form of `eid`. */
export function writeEid(buffer: CborBuffer, eid: Eid): void {
  buffer.byte(0x82);
  if (eid.scheme === "dtn") {
    buffer.byte(SCHEME.dtn);
    if (eid.ssp === "none") buffer.byte(0);
    else buffer.ascii(eid.ssp);
    return;
  }
  buffer.byte(SCHEME.ipn);
  if (eid.elements === 3) {
    buffer.byte(0x83);
    buffer.uint(eid.allocator);
    buffer.uint(eid.nodeNumber);
  } else {
    buffer.byte(0x82);
    buffer.uint(qualifiedNode(eid));
  }
  buffer.uint(eid.service);
}

/** Reads the next endpoint ID. */
export function readEid(cursor: CborCursor): Eid {
  const count = cursor.array();
  if (count >= 0 && count !== 2) throw malformed();
  const scheme = cursor.uint();
  if (scheme !== SCHEME.dtn && scheme !== SCHEME.ipn) {
    throw new BundleError("eid", `Unknown scheme ${scheme}`);
  }
  const eid = scheme === SCHEME.ipn ? readIpn(cursor) : readDtn(cursor);
  cursor.endArray(count);
  return eid;
}

function readDtn(cursor: CborCursor): Eid {
  const first = cursor.peek();
  if (first >> 5 === 0) {
    if (cursor.uint() !== 0) throw malformed();
    return Eid.NONE;
  }
  const ssp = cursor.text();
  if (ssp === "none" && !cursor.quirks.includes("dtn_none_as_text")) {
    throw new BundleError("eid", "dtn:none must be written as 0");
  }
  return Eid.dtn(ssp, cursor.quirks.includes("dtn_without_slash"));
}

function readIpn(cursor: CborCursor): Eid {
  const count = cursor.array();
  if (count === 3) {
    return Eid.ipn(cursor.uint(), cursor.uint(), cursor.uint(), 3);
  }
  if (count >= 0 && count !== 2) throw malformed();
  const first = cursor.wideUint();
  const second = cursor.uint();
  if (count < 0 && !cursor.atBreak()) {
    const third = cursor.uint();
    cursor.endArray(count);
    return Eid.ipn(Number(first), second, third, 3);
  }
  if (typeof first === "number" && first < 0x100000000) {
    return Eid.ipn(0, first, second);
  }
  const wide = BigInt(first);
  return Eid.ipn(Number(wide >> 32n), Number(wide & 0xffffffffn), second);
}

/** The fully qualified node number (RFC 9758 §3.3.1). */
function qualifiedNode({ allocator, nodeNumber }: Eid): number | bigint {
  if (allocator === 0) return nodeNumber;
  const wide = BigInt(allocator) << 32n | BigInt(nodeNumber);
  return wide <= Number.MAX_SAFE_INTEGER ? Number(wide) : wide;
}

function malformed(): BundleError {
  return new BundleError("eid", "Malformed endpoint ID");
}
