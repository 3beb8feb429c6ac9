/** Why a cryptographic operation failed. */
export type CryptoErrorCode =
  | "unauthenticated" // a tag did not verify
  | "weak_key" // the shared secret is all zero
  | "invalid_key"; // a key fails the checks its standard asks for

/** A failure caused by the peer's bytes, not by our caller. */
export class CryptoError extends Error {
  /** `"CryptoError"`. */
  override readonly name = "CryptoError";
  /** What failed. */
  readonly code: CryptoErrorCode;

  /** Makes an error that says no more than its code. */
  constructor(
    code: CryptoErrorCode,
    message: string = code,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
  }
}
