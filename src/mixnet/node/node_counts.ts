import { UNWRAP_DROPS } from "./unwrap_batch.ts";

/** Why a node drops a packet. */
export const NODE_DROPS = [
  ...UNWRAP_DROPS,
  "worker", // its unwrap worker failed
  "replayed", // seen before
  "replay_full", // the replay filter has no room for its epoch
  "replay_store", // the replay filter could not write it down
  "delay_cap", // its sender wants a delay above the cap
  "pool_full", // as many packets wait as may
  "egress", // the queue to its next node is full, or nobody knows that node
  "no_gateway", // it ends here, but we deliver nothing
  "undeliverable", // nobody takes what it carries
  "unknown_loop", // it is for ourselves, but no loop on its way
  "drain", // the node shuts down
] as const;

/** One of {@link NODE_DROPS}. */
export type NodeDrop = typeof NODE_DROPS[number];

/**
 * What became of a node's packets. At any moment, whatever happened,
 *
 * ```text
 * received + loopsSent + offered
 *   = forwarded + delivered + loopsReturned + all dropped + unwrapping + pooled
 * ```
 */
export interface NodeCounts {
  /** Packets off links. */
  readonly received: number;
  /** Loops that we made. */
  readonly loopsSent: number;
  /** Acknowledgements that our gateway made. */
  readonly offered: number;
  /** Packets given to the queue of their next node, our loops too. */
  readonly forwarded: number;
  /** Packets that ended here and whose payload was taken. */
  readonly delivered: number;
  /** Our loops that came back. */
  readonly loopsReturned: number;
  /** Packets that went no further. */
  readonly dropped: Readonly<Record<NodeDrop, number>>;
  /** Packets that are being unwrapped, or wait for it. */
  readonly unwrapping: number;
  /** Packets that wait in the pool. */
  readonly pooled: number;
}

/** No drops. */
export function noDrops(): Record<NodeDrop, number> {
  return Object.fromEntries(NODE_DROPS.map((reason) => [reason, 0])) as Record<
    NodeDrop,
    number
  >;
}
