/** Why a contact failed. */
export type ContactErrorCode =
  | "unreachable" // nobody answered at the address
  | "disconnected" // the connection broke
  | "closed" // used after its end
  | "tooLarge" // the bundle is larger than the peer takes
  | "timeout" // the peer did not answer or read in time
  | "violation"; // the peer broke the protocol, or refused the contact

/** A failure of a contact, whatever its convergence layer. */
export class ContactError extends Error {
  /** `"ContactError"`. */
  override readonly name = "ContactError";
  /** What failed. */
  readonly code: ContactErrorCode;

  /** Names what failed; `cause` keeps the layer's own error. */
  constructor(
    code: ContactErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
  }
}
