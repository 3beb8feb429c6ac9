import type { NetworkParameters } from "./network_parameters.ts";

/** When authorities do what for one epoch: wall time in milliseconds since 1970-01-01 UTC. */
export interface EpochSchedule {
  /** They say which descriptors they hold: three quarters of an epoch before it begins. */
  readonly rollMs: number;
  /**
   * The list of descriptors is closed: five eighths of an epoch before it begins, an eighth of an epoch before the time that its
   * beacon is of. So nobody can choose an identity key for the layer that it gives.
   */
  readonly closeMs: number;
  /** They vote on the list and the beacon: a quarter of an epoch before it begins, a quarter after the time that its beacon is of. */
  readonly voteMs: number;
  /** From then on none votes, and what was voted spreads. */
  readonly votedMs: number;
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
    rollMs: beginMs - lengthMs * 3 / 4,
    closeMs: beginMs - lengthMs * 5 / 8,
    voteMs: beginMs - lengthMs / 4,
    votedMs: beginMs - lengthMs / 6,
    signMs: beginMs - lengthMs / 8,
    beginMs,
    endMs: beginMs + lengthMs,
  };
}
