import { BLOCK_FLAG } from "./block_flags.ts";
import type { Bundle } from "./bundle.ts";
import { BLOCK_TYPE, type CanonicalBlock } from "./canonical_block.ts";

/** What becomes of a bundle with blocks that a node cannot process. */
export interface BlockFlagsOutcome {
  /** The bundle without the blocks that say so; `undefined` if one of them says that it is to be deleted. */
  readonly bundle: Bundle | undefined;
  /** Whether one of them asks for a status report of reception, with reason "block unsupported" or "block unintelligible". */
  readonly report: boolean;
}

/** Does to `bundle` what the flags of its extension blocks say of those that `canProcess` does not know (RFC 9171 §5.6 step 4). */
export function applyBlockFlags(
  bundle: Bundle,
  canProcess: (block: CanonicalBlock) => boolean,
): BlockFlagsOutcome {
  const kept: CanonicalBlock[] = [];
  let report = false;
  let isDeleted = false;
  for (const block of bundle.blocks) {
    if (block.type === BLOCK_TYPE.payload || canProcess(block)) {
      kept.push(block);
      continue;
    }
    if ((block.flags & BLOCK_FLAG.reportUnprocessed) !== 0) report = true;
    if ((block.flags & BLOCK_FLAG.deleteBundle) !== 0) isDeleted = true;
    if ((block.flags & BLOCK_FLAG.discardBlock) === 0) kept.push(block);
  }
  if (isDeleted) return { bundle: undefined, report };
  return kept.length === bundle.blocks.length
    ? { bundle, report }
    : { bundle: { primary: bundle.primary, blocks: kept }, report };
}
