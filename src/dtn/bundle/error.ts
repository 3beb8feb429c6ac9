/** Why bytes are no bundle, or no part of one. */
export type BundleErrorCode =
  | "truncated" // the bytes end too early
  | "trailing" // bytes follow what should be the last
  | "cbor" // not CBOR, not in its deterministic form, or of another type than the RFC says
  | "version" // not version 7
  | "eid" // no endpoint ID of the schemes dtn and ipn
  | "flags" // processing control flags that contradict each other, the source or the fields present
  | "crc_type" // not 0, 1 or 2
  | "crc" // the check value is another
  | "block" // numbers, types or order of blocks
  | "extension" // the data of an extension block is not what its type says
  | "admin_record" // the payload is no administrative record
  | "fragment" // a fragment beyond the end of its whole
  | "limit"; // more than this implementation takes

/** A bundle, or part of one, that is not as RFC 9171 says. */
export class BundleError extends Error {
  /** `"BundleError"`. */
  override readonly name = "BundleError";
  /** What is wrong. */
  readonly code: BundleErrorCode;

  /** Says what is wrong without bytes of the bundle. */
  constructor(code: BundleErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
