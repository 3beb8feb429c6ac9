import type { Bundle } from "../bundle/bundle.ts";
import type { CanonicalBlock } from "../bundle/canonical_block.ts";
import { CborBuffer } from "../bundle/cbor_buffer.ts";
import { encodePrimaryBlock } from "../bundle/primary_block.ts";
import { uintSize } from "../bundle/uint.ts";
import { BpsecError } from "./error.ts";

/** What is protected beside the data of the target (RFC 9173 §3.3.3, §4.3.4). */
export const SCOPE_FLAG = {
  /** The primary block. */
  primary: 1,
  /** Type, number and flags of the target. */
  targetHeader: 2,
  /** Type, number and flags of the security block. */
  securityHeader: 4,
} as const;

/** Everything, the default of RFC 9173. */
export const FULL_SCOPE = 7;

/** Number of the primary block where blocks are targets. */
export const PRIMARY_TARGET = 0;

/** Type, number and flags of a security block, which may be protected too. */
export type BlockHeader = Pick<CanonicalBlock, "type" | "number" | "flags">;

/**
 * What `scope` adds to the target (RFC 9173 §3.7, §4.7.2). The primary block is taken with its check value, if it has one, as HDTN does:
 * the RFC leaves that open.
 */
export function scopeParts(
  bundle: Bundle,
  target: BlockHeader | undefined,
  security: BlockHeader,
  scope: number,
): Uint8Array[] {
  if (scope > FULL_SCOPE) {
    throw new BpsecError("malformed", "Scope flags that nobody has defined");
  }
  const parts: Uint8Array[] = [Uint8Array.of(scope)];
  // without a target the primary block is the target, and there but once
  if (target && (scope & SCOPE_FLAG.primary) !== 0) {
    parts.push(encodePrimaryBlock(bundle.primary));
  }
  if (target && (scope & SCOPE_FLAG.targetHeader) !== 0) {
    parts.push(headerOf(target));
  }
  if ((scope & SCOPE_FLAG.securityHeader) !== 0) parts.push(headerOf(security));
  return parts;
}

/** `data` as the head of a byte string and itself. */
export function byteStringParts(data: Uint8Array): Uint8Array[] {
  const buffer = new CborBuffer(uintSize(data.length));
  buffer.head(0x40, data.length);
  return [buffer.bytes, data];
}

/**
 * The block of `bundle` that is meant by `target`; `undefined` means the primary one.
 *
 * @throws {BpsecError} `no_target` if there is none.
 */
export function targetOf(
  { blocks }: Bundle,
  target: number,
): CanonicalBlock | undefined {
  if (target === PRIMARY_TARGET) return undefined;
  const block = blocks.find(({ number }) => number === target);
  if (block) return block;
  throw new BpsecError("no_target", `There is no block ${target}`);
}

function headerOf({ type, number, flags }: BlockHeader): Uint8Array {
  const buffer = new CborBuffer(
    uintSize(type) + uintSize(number) + uintSize(flags),
  );
  buffer.uint(type);
  buffer.uint(number);
  buffer.uint(flags);
  return buffer.bytes;
}
