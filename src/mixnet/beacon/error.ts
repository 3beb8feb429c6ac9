/** Why a source has no component to give, though it was asked for one that should be there. */
export type BeaconErrorCode =
  | "unreachable" // no answer came, or not in time
  | "refused" // the answer is another status than 200, or an error of JSON-RPC
  | "malformed" // the answer is too long, or not of the form
  | "unverified"; // a hash or signature in the answer does not verify

/** A failure of a beacon's source. */
export class BeaconError extends Error {
  /** `"BeaconError"`. */
  override readonly name = "BeaconError";
  /** What failed. */
  readonly code: BeaconErrorCode;

  /** Says what failed without text that the source chose. */
  constructor(code: BeaconErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
