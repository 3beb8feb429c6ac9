/** Why a security operation cannot be done or checked. */
export type BpsecErrorCode =
  | "malformed" // a security block is not as RFC 9172 or RFC 9173 says, or breaks a rule of theirs
  | "unknown_context" // a security context that is not BIB-HMAC-SHA2 or BCB-AES-GCM
  | "no_target" // a target is not in the bundle
  | "no_key" // there is no key for the security source
  | "failed"; // the value that protects a target is another: the target or its key was changed

/** A security operation of a bundle that fails. */
export class BpsecError extends Error {
  /** `"BpsecError"`. */
  override readonly name = "BpsecError";
  /** What failed. */
  readonly code: BpsecErrorCode;

  /** Says what failed without keys or bytes of the bundle. */
  constructor(code: BpsecErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
