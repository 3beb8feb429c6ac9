import { BLOCK_FLAG } from "../bundle/block_flags.ts";
import { type Bundle, bundleSize, payloadOf } from "../bundle/bundle.ts";
import { BUNDLE_FLAG, withFlag } from "../bundle/bundle_flags.ts";
import { BLOCK_TYPE } from "../bundle/canonical_block.ts";
import { fragmentsOf } from "../bundle/fragment.ts";
import { isEncrypted } from "../bundle/security_target.ts";
import type { SentOutcome } from "./neighbour.ts";
import { COPIES_BLOCK_TYPE } from "./outgoing_bundle.ts";
import { encodeStored } from "./stored_bundle.ts";

/** What becomes of fragments. */
export interface FragmentSending {
  /** Most bytes of a fragment. */
  readonly maxBytes: number;
  /** Bytes of the payload that the neighbour has already. */
  readonly taken: number;
  /** Sends one. */
  readonly send: (bytes: Uint8Array) => Promise<SentOutcome>;
  /** The neighbour has this much of the payload. */
  readonly onTaken: (taken: number) => void;
}

const PAYLOAD = 1;
/** As many as nodes put together, ours too. */
const MAX_FRAGMENTS = 4_096;
/** What a fragment has beside the blocks and the payload of its whole: offset, length of the whole and a longer head. */
const OVERHEAD = 32;
/** Under way at once, so that answers need not be waited for one by one. */
const AT_ONCE = 16;

/** What every node changes, and every fragment needs: without its age or hops it would not end, without its copies not be sent on. */
const REPLICATED: ReadonlySet<number> = new Set([
  BLOCK_TYPE.previousNode,
  BLOCK_TYPE.bundleAge,
  BLOCK_TYPE.hopCount,
  COPIES_BLOCK_TYPE,
]);

/**
 * `bundle` as it may be fragmented for who takes `maxBytes`, with what every fragment needs in each; `undefined` if it must not be, if that
 * would be more than 4,096 fragments, or if what encrypts its payload would not be in each (RFC 9172 §3.8).
 */
export function fragmentable(
  bundle: Bundle,
  maxBytes: number,
): Bundle | undefined {
  const { primary, blocks } = bundle;
  if ((primary.flags & BUNDLE_FLAG.mustNotFragment) !== 0) return undefined;
  const payload = payloadOf(bundle).length;
  const room = maxBytes - (bundleSize(bundle) - payload + OVERHEAD);
  if (room < 1 || payload > room * MAX_FRAGMENTS) return undefined;
  const everywhere = blocks.map((block) =>
    REPLICATED.has(block.type) && !isEncrypted(bundle, block.number)
      ? { ...block, flags: withFlag(block.flags, BLOCK_FLAG.replicate) }
      : block
  );
  const inEach = everywhere.filter(({ flags }) =>
    (flags & BLOCK_FLAG.replicate) !== 0
  );
  const canDecrypt = isEncrypted(bundle, PAYLOAD) ===
    isEncrypted({ primary, blocks: inEach }, PAYLOAD);
  return canDecrypt ? { primary, blocks: everywhere } : undefined;
}

/**
 * Sends what is left of `bundle`, which {@link fragmentable} gave, in fragments (RFC 9171 §5.8); the outcome is `sent` if all of them are,
 * else that of the first that is not, after which no more are begun.
 */
export async function sendFragments(
  bundle: Bundle,
  { maxBytes, taken, send, onTaken }: FragmentSending,
): Promise<SentOutcome> {
  const start = bundle.primary.fragment?.offset ?? 0;
  const underWay: { outcome: Promise<SentOutcome>; end: number }[] = [];
  let result: SentOutcome = "sent";
  const settle = async () => {
    const { outcome, end } = underWay.shift()!;
    const settled = await outcome;
    if (result !== "sent") return;
    result = settled;
    if (settled === "sent") onTaken(end);
  };
  for (const fragment of fragmentsOf(bundle, maxBytes, taken)) {
    if (underWay.length >= AT_ONCE) await settle();
    if (result !== "sent") break;
    const { offset } = fragment.primary.fragment!;
    const outcome = send(encodeStored(fragment));
    outcome.catch(() => {}); // the first that fails is thrown, those behind it as well are not
    underWay.push({
      outcome,
      end: offset - start + payloadOf(fragment).length,
    });
  }
  while (underWay.length > 0) await settle();
  return result;
}
