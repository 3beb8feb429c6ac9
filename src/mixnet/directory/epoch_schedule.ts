import type { NetworkParameters } from "./directory_document.ts";

/** When authorities do what for one epoch: wall time in milliseconds since 1970-01-01 UTC. */
export interface EpochSchedule {
  /** They vote: a quarter of an epoch before it begins, half of one after the time that its beacon is of. */
  readonly voteMs: number;
  /** From then on none votes, and what was voted spreads. */
  readonly closeMs: number;
  /** They sign: an eighth of an epoch before it begins. */
  readonly signMs: number;
  /** It begins. */
  readonly beginMs: number;
  /** It is over. */
  readonly endMs: number;
}

/** The schedule of `epoch`. */
export function epochSchedule(
  epoch: number,
  { epochSeconds }: Pick<NetworkParameters, "epochSeconds">,
): EpochSchedule {
  const lengthMs = epochSeconds * 1000;
  const beginMs = epoch * lengthMs;
  return {
    voteMs: beginMs - lengthMs / 4,
    closeMs: beginMs - lengthMs / 6,
    signMs: beginMs - lengthMs / 8,
    beginMs,
    endMs: beginMs + lengthMs,
  };
}
