import type { Bundle } from "../bundle/bundle.ts";
import type { CanonicalBlock } from "../bundle/canonical_block.ts";
import { encodeSecurityBlock } from "./security_block.ts";
import {
  confidentialityBlocksOf,
  integrityBlocksOf,
  type SecurityOperations,
} from "./security_operations.ts";

/**
 * `bundle` without the blocks `numbers`, and without what its security blocks say of them, as whoever comes next would miss a target
 * (RFC 9172 §5.1.1). What an encrypted integrity block says stays.
 *
 * @throws {BpsecError} `malformed` if a security block is.
 */
export function withoutBlocks(
  { primary, blocks }: Bundle,
  numbers: readonly number[],
): Bundle {
  const bundle = {
    primary,
    blocks: blocks.filter(({ number }) => !numbers.includes(number)),
  };
  const changed = new Map(
    [...confidentialityBlocksOf(bundle), ...integrityBlocksOf(bundle)]
      .map((found) => [found.block, withoutTargets(found, numbers)]),
  );
  return {
    primary,
    blocks: bundle.blocks.flatMap((block) => changed.get(block) ?? [block]),
  };
}

/** The block of `operations` without those on `numbers`; nothing if no other is left. */
export function withoutTargets(
  { block, security }: SecurityOperations,
  numbers: readonly number[],
): readonly CanonicalBlock[] {
  const { targets, results } = security;
  const left = targets.flatMap((target, i) =>
    numbers.includes(target) ? [] : i
  );
  if (left.length === targets.length) return [block];
  if (left.length === 0) return [];
  const data = encodeSecurityBlock({
    ...security,
    targets: left.map((i) => targets[i]!),
    results: left.map((i) => results[i]!),
  });
  return [{ ...block, data }];
}
