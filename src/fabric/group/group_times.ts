/** Times of a {@link GroupSession}, in milliseconds. */
export interface GroupTimes {
  /** How long an epoch must be the newest before its member decides for it; 2 s by default. */
  readonly ackMs?: number;
  /** How often a member says to another, drawn by chance, what its newest epoch is; 60 s by default. */
  readonly tipMs?: number;
  /** Longest pause, drawn by chance, before a commit that lost is made again, for each time that it lost; 2 s by default. */
  readonly retryMs?: number;
  /** How long each member leaves what all want, such as removing one that leaves, to the one before it; 3 s by default. */
  readonly turnMs?: number;
  /** How long a member is not asked again what it has; 5 s by default. */
  readonly askMs?: number;
  /** How long the names of messages that were read are remembered; a day by default. */
  readonly seenMs?: number;
}

/** {@link GroupTimes} that hold if nothing else is said. */
export const GROUP_TIMES: Required<GroupTimes> = {
  ackMs: 2_000,
  tipMs: 60_000,
  retryMs: 2_000,
  turnMs: 3_000,
  askMs: 5_000,
  seenMs: 86_400_000,
};
