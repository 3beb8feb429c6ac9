/** Why a session of TCPCL failed. */
export type TcpclErrorCode =
  | "malformed" // the peer's bytes do not decode
  | "version" // it speaks another version
  | "unknown" // a message type or critical session extension that we do not know
  | "violation" // a message out of place
  | "limit" // more than we allow
  | "rejected" // the peer rejected a message of ours
  | "refused" // the peer did not take the contact
  | "insecure" // one side wants TLS and the other has none
  | "timeout"; // the peer fell silent

/** A failure of a TCPCL session (RFC 9174). */
export class TcpclError extends Error {
  /** `"TcpclError"`. */
  override readonly name = "TcpclError";
  /** What failed. */
  readonly code: TcpclErrorCode;

  /** Says what was wanted and got, without text that the peer chose. */
  constructor(code: TcpclErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
