/** Why a part of the fabric failed. */
export const FABRIC_ERRORS = [
  "malformed", // bytes do not decode
  "unauthenticated", // a signature or tag does not verify, or it is another agent's
  "expired", // too late, or not yet valid
  "unknown_agent", // no record of it
  "stale", // a newer record is known
  "full", // a limit is reached
  "too_large", // more bytes than allowed
  "unreachable", // no way to the agent worked until the deadline
  "invalid", // a value does not fit the schema of its service
  "refused", // the other agent does not want it
  "failed", // the handler of the other agent threw
  "conflict", // a name is another agent's
  "closed", // used after close
  "group_epoch", // a message for another group, or another epoch of it
  "group_key_package", // a Welcome for another key package
  "group_member", // not a member of the group any more
  "unknown_group", // no group of the agent
] as const;

/** One of {@link FABRIC_ERRORS}. */
export type FabricErrorCode = typeof FABRIC_ERRORS[number];

/** A failure of the fabric that another agent, the network or the store can cause. */
export class FabricError extends Error {
  /** `"FabricError"`. */
  override readonly name = "FabricError";
  /** What failed. */
  readonly code: FabricErrorCode;

  /** Says what failed without key, plaintext or text that the peer chose. */
  constructor(code: FabricErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
