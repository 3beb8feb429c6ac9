import { BLOCK_FLAG } from "./block_flags.ts";
import { type Bundle, bundleSize, payloadOf } from "./bundle.ts";
import { BUNDLE_FLAG, withFlag } from "./bundle_flags.ts";
import type { CanonicalBlock } from "./canonical_block.ts";
import { BundleError } from "./error.ts";
import { uintSize } from "./uint.ts";

/**
 * Fragments of `bundle`, none of more than `maxBytes` (RFC 9171 §5.8); the bundle itself if it is no longer than that. The payloads are
 * views. The first has every extension block, the others those with the flag `replicate`.
 *
 * @throws {BundleError} `fragment` if the bundle must not be fragmented.
 * @throws {RangeError} If `maxBytes` has no room for a byte of the payload beside the other blocks.
 */
export function fragmentBundle(bundle: Bundle, maxBytes: number): Bundle[] {
  if (bundleSize(bundle) <= maxBytes) return [bundle];
  return [...fragmentsOf(bundle, maxBytes)];
}

/**
 * The fragments of `bundle` one by one, as {@link fragmentBundle} makes them, from the byte `at` of its payload on.
 *
 * @throws As {@link fragmentBundle}.
 */
export function* fragmentsOf(
  bundle: Bundle,
  maxBytes: number,
  at = 0,
): IterableIterator<Bundle> {
  if ((bundle.primary.flags & BUNDLE_FLAG.mustNotFragment) !== 0) {
    throw new BundleError("fragment", "The bundle must not be fragmented");
  }
  const payload = payloadOf(bundle);
  const replicated = bundle.blocks.filter(({ flags }, i) =>
    i === bundle.blocks.length - 1 || (flags & BLOCK_FLAG.replicate) !== 0
  );
  do {
    const blocks = at === 0 ? bundle.blocks : replicated;
    const empty = fragmentOf(bundle, blocks, at, 0);
    const room = maxBytes - bundleSize(empty);
    // the head of the payload grows with its length
    let length = Math.min(payload.length - at, room);
    while (length + uintSize(length) - 1 > room) length--;
    if (length < 1) {
      throw new RangeError(`No room for a payload in ${maxBytes} bytes`);
    }
    yield fragmentOf(bundle, blocks, at, length);
    at += length;
  } while (at < payload.length);
}

function fragmentOf(
  { primary, blocks: all }: Bundle,
  blocks: readonly CanonicalBlock[],
  at: number,
  length: number,
): Bundle {
  const payload = all.at(-1)!;
  const offset = (primary.fragment?.offset ?? 0) + at;
  const totalLength = primary.fragment?.totalLength ?? payload.data.length;
  return {
    primary: {
      ...primary,
      flags: withFlag(primary.flags, BUNDLE_FLAG.isFragment),
      fragment: { offset, totalLength },
    },
    blocks: blocks.with(-1, {
      ...payload,
      data: payload.data.subarray(at, at + length),
    }),
  };
}
