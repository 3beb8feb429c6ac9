import { BLOCK_FLAG } from "../bundle/block_flags.ts";
import type { Bundle } from "../bundle/bundle.ts";
import { blockOfType, withExtension } from "../bundle/extension_blocks.ts";

/**
 * For private use (RFC 9171 §9.1): a bundle with this block leaves every node only over contacts that are private. The block is empty; a
 * node that does not know it deletes the bundle, rather than let it leave otherwise.
 */
export const PRIVACY_BLOCK_TYPE = 193;

/** Whether `bundle` is marked: by the block being there, whatever it says. */
export function isStrictlyPrivate(bundle: Bundle): boolean {
  return blockOfType(bundle, PRIVACY_BLOCK_TYPE) !== undefined;
}

/** `bundle` with the mark; each of its fragments has it. */
export function withStrictPrivacy(bundle: Bundle): Bundle {
  if (isStrictlyPrivate(bundle)) return bundle;
  return withExtension(
    bundle,
    PRIVACY_BLOCK_TYPE,
    new Uint8Array(),
    BLOCK_FLAG.deleteBundle | BLOCK_FLAG.replicate,
  );
}
