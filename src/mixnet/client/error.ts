/** Why a client could not do what it was asked. */
export type MixClientErrorCode =
  | "queue_full" // the bounded send queue has no room for the whole message
  | "deadline" // not everything was acknowledged, or no answer came, in time
  | "closed" // the client is closed
  | "no_route" // the directory has no document, gateway or mix for a route now
  | "answered" // a message can be replied to once
  | "expired"; // the reply was not taken before it, or every way back, expired

const MESSAGE: Readonly<Record<MixClientErrorCode, string>> = {
  queue_full: "The send queue has no room for the message",
  deadline: "The message was not acknowledged or answered in time",
  closed: "The client is closed",
  no_route: "The directory has no route now",
  answered: "The message was replied to already",
  expired: "The reply expired before it was taken",
};

/** A failure of the mixnet client that is not its caller's mistake. */
export class MixClientError extends Error {
  /** `"MixClientError"`. */
  override readonly name = "MixClientError";
  /** What failed. */
  readonly code: MixClientErrorCode;

  /** Makes the error of `code`. */
  constructor(code: MixClientErrorCode, options?: ErrorOptions) {
    super(MESSAGE[code], options);
    this.code = code;
  }
}
