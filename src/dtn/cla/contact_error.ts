import { TransportError } from "../../core/transport/mod.ts";

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

/** That a contact takes no more bundles to be sent, as a side wants to end it. */
export function endingError(): ContactError {
  return new ContactError("closed", "The contact is ending");
}

/** What a fault of the way is to the node: `unreachable`, `timeout`, or else `disconnected`. */
export function contactErrorOf(cause: unknown): ContactError {
  if (cause instanceof ContactError) return cause;
  if (cause instanceof TransportError && cause.code === "unreachable") {
    return new ContactError("unreachable", cause.message, { cause });
  }
  if (cause instanceof DOMException && cause.name === "TimeoutError") {
    return new ContactError("timeout", cause.message, { cause });
  }
  return new ContactError("disconnected", "The connection broke", { cause });
}
