/** Why an HTX session or stream failed. */
export type HtxErrorCode =
  | "malformed" // the peer's bytes do not decode
  | "violation" // the peer broke the protocol
  | "incompatible" // no suite or version in common
  | "unauthenticated" // a tag, key or ticket did not verify
  | "deviation" // the server is not as its origin was in pre-flight
  | "refused" // the server answered our ticket with its decoy
  | "limit" // the peer asked for more than we allow
  | "timeout" // a deadline passed
  | "reset" // the stream was reset
  | "closed"; // used after close, or the connection ended

/** A failure of an HTX session, handshake or stream. */
export class HtxError extends Error {
  /** `"HtxError"`. */
  override readonly name = "HtxError";
  /** What failed. */
  readonly code: HtxErrorCode;

  /** Says what failed without key, plaintext or text the peer chose. */
  constructor(code: HtxErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
