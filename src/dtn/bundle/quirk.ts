/** Ways in which others break RFC 9171 and can still be understood. */
export const QUIRKS = [
  "long_heads", // integers and lengths that are not in their shortest form
  "indefinite_lengths", // blocks, endpoint IDs and byte strings of indefinite length
  "dtn_none_as_text", // `dtn:none` as the text "none" rather than 0
  "dtn_without_slash", // `dtn://node` without the slash that ends a node name, as bp7-rs wrote before 0.10
  "contradictory_flags", // processing control flags that RFC 9171 §4.2.3 and §4.2.4 forbid together
] as const;

/** One of {@link QUIRKS}. */
export type Quirk = typeof QUIRKS[number];

/** How strictly a bundle is taken, and how much of it. */
export interface BundleOptions {
  /**
   * What is tolerated beyond RFC 9171; {@link QUIRKS} is everything that can be.
   *
   * @default {[]}
   */
  readonly quirks?: readonly Quirk[];
  /**
   * Most blocks after the primary one.
   *
   * @default {256}
   */
  readonly maxBlocks?: number;
}
