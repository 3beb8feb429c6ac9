/** Why a fingerprint, capture or profile could not be made. */
export type UtlsErrorCode =
  | "profile" // a profile's JSON does not fit the schema, or contradicts itself
  | "unknown_version" // no profile for this browser version
  | "capture"; // a capture holds no hello, or its frames do not decode

/** A failure of a profile or a capture. Malformed wire bytes throw `DecodeError` instead. */
export class UtlsError extends Error {
  /** `"UtlsError"`. */
  override readonly name = "UtlsError";
  /** What failed. */
  readonly code: UtlsErrorCode;

  /** Says what failed. */
  constructor(code: UtlsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
