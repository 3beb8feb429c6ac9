/** Why a connection failed. */
export type TransportErrorCode =
  | "unreachable" // nobody answered at the address
  | "in_use" // the address to listen at is taken
  | "reset" // the connection broke
  | "closed" // used after close
  | "malformed" // the peer's bytes break the carrier's framing
  | "limit"; // the peer sent more than we keep

/** A failure of the way, not of what travels on it. */
export class TransportError extends Error {
  /** `"TransportError"`. */
  override readonly name = "TransportError";
  /** What failed. */
  readonly code: TransportErrorCode;

  /** Names what failed; `cause` keeps the system's own error. */
  constructor(
    code: TransportErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
  }
}
