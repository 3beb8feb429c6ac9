/** Block processing control flags (RFC 9171 §4.2.4); what is not here is kept and ignored. */
export const BLOCK_FLAG = {
  /** The block goes into every fragment. */
  replicate: 0x01,
  /** Report a block that cannot be processed. */
  reportUnprocessed: 0x02,
  /** Delete the bundle if the block cannot be processed. */
  deleteBundle: 0x04,
  /** Discard the block if it cannot be processed. */
  discardBlock: 0x10,
} as const;
