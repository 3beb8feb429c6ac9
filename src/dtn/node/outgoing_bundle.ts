import { BLOCK_FLAG } from "../bundle/block_flags.ts";
import type { Bundle } from "../bundle/bundle.ts";
import { BLOCK_TYPE } from "../bundle/canonical_block.ts";
import { CborBuffer } from "../bundle/cbor_buffer.ts";
import { CborCursor } from "../bundle/cbor_cursor.ts";
import type { Eid } from "../bundle/eid.ts";
import { BundleError } from "../bundle/error.ts";
import {
  blockOfType,
  bundleAgeOf,
  hopCountOf,
  withBundleAge,
  withExtension,
  withHopCount,
  withPreviousNode,
} from "../bundle/extension_blocks.ts";
import { isEncrypted } from "../bundle/security_target.ts";
import { uintSize } from "../bundle/uint.ts";

/** For private use (RFC 9171 §9.1): how many copies of a bundle the neighbour may make, an integer; spray and wait needs it. */
export const COPIES_BLOCK_TYPE = 192;

/** What changes in a bundle when it leaves. */
export interface Departure {
  /** We, who send it; absent if the neighbour is not to learn that from the bundle. */
  readonly nodeId: Eid | undefined;
  /** How long it was here, in milliseconds. */
  readonly residenceMs: number;
  /** How many copies the neighbour may make; as it was if absent. */
  readonly copies?: number;
}

/** `bundle` as it leaves (RFC 9171 §5.4): with us, or nobody, as the previous node, its age and hops counted on, if it has them. */
export function departing(
  bundle: Bundle,
  { nodeId, residenceMs, copies }: Departure,
): Bundle {
  let next = isHidden(bundle, BLOCK_TYPE.previousNode)
    ? bundle
    : nodeId
    ? withPreviousNode(bundle, nodeId)
    : withoutPreviousNode(bundle);
  const age = bundleAgeOf(bundle);
  if (age !== undefined) {
    next = withBundleAge(next, age + Math.max(0, Math.floor(residenceMs)));
  }
  return copies === undefined ? next : withCopies(next, copies);
}

function withoutPreviousNode({ primary, blocks }: Bundle): Bundle {
  const { previousNode } = BLOCK_TYPE;
  return {
    primary,
    blocks: blocks.filter(({ type }) => type !== previousNode),
  };
}

/**
 * `bundle` with its hops counted on, as it comes in; `undefined` if it has had all that it may.
 *
 * @throws {BundleError} `extension` if its block is malformed.
 */
export function withNextHop(bundle: Bundle): Bundle | undefined {
  const hops = hopCountOf(bundle);
  if (!hops) return bundle;
  const count = hops.count + 1;
  return count > hops.limit
    ? undefined
    : withHopCount(bundle, { limit: hops.limit, count });
}

/** How many copies of `bundle` we may make; absent where nobody says so. */
export function copiesOf(bundle: Bundle): number | undefined {
  const block = blockOfType(bundle, COPIES_BLOCK_TYPE);
  if (!block) return undefined;
  try {
    const cursor = new CborCursor(block.data);
    const copies = cursor.uint();
    cursor.end();
    return copies;
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    return undefined;
  }
}

/** Whether `bundle` has a block of `type` that is encrypted: we can only leave it as it is. */
function isHidden(bundle: Bundle, type: number): boolean {
  const block = blockOfType(bundle, type);
  return block !== undefined && isEncrypted(bundle, block.number);
}

function withCopies(bundle: Bundle, copies: number): Bundle {
  const buffer = new CborBuffer(uintSize(copies));
  buffer.uint(copies);
  return withExtension(
    bundle,
    COPIES_BLOCK_TYPE,
    buffer.bytes,
    BLOCK_FLAG.discardBlock,
  );
}
