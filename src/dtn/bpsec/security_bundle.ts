import type { Bundle } from "../bundle/bundle.ts";
import { BUNDLE_FLAG } from "../bundle/bundle_flags.ts";
import { BLOCK_TYPE, type CanonicalBlock } from "../bundle/canonical_block.ts";
import { CRC_TYPE } from "../bundle/crc.ts";
import { BpsecError } from "./error.ts";
import { PRIMARY_TARGET } from "./scope.ts";

/** Whether `block` is an integrity or a confidentiality block. */
export function isSecurityBlock({ type }: CanonicalBlock): boolean {
  return type === BLOCK_TYPE.integrity || type === BLOCK_TYPE.confidentiality;
}

/** `bundle` with `block` behind the security blocks that it begins with. */
export function withSecurityBlock(
  { primary, blocks }: Bundle,
  block: CanonicalBlock,
): Bundle {
  const at = blocks.findIndex((each) => !isSecurityBlock(each));
  return { primary, blocks: blocks.toSpliced(at, 0, block) };
}

/** `bundle` without the check values of `targets`, as what protects them takes their place (RFC 9172 §3.8). */
export function withoutChecks(
  { primary, blocks }: Bundle,
  targets: readonly number[],
): Bundle {
  const crcType = CRC_TYPE.none;
  return {
    primary: targets.includes(PRIMARY_TARGET)
      ? { ...primary, crcType }
      : primary,
    blocks: blocks.map((block) =>
      targets.includes(block.number) ? { ...block, crcType } : block
    ),
  };
}

/**
 * Fails if `bundle` is a fragment, which gets no security blocks (RFC 9172 §5.2).
 *
 * @throws {BpsecError} `malformed`.
 */
export function checkWhole({ primary }: Bundle): void {
  if ((primary.flags & BUNDLE_FLAG.isFragment) !== 0) {
    throw new BpsecError("malformed", "A fragment gets no security blocks");
  }
}
