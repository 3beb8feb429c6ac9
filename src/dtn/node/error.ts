import type { PutOutcome } from "../store/bundle_store.ts";

/** Why a node did not take a bundle of an application. */
export type DtnNodeErrorCode =
  | Exclude<PutOutcome, "stored"> // what the store says
  | "closed" // the node has been closed
  | "unprocessable" // it has a block that nobody may pass on unread, has had all its hops, or was for the router
  | "security" // the security policy wants what cannot be done, or has not been
  | "registered"; // another application is registered in the endpoint

/** A node that could not do what an application asked. */
export class DtnNodeError extends Error {
  /** `"DtnNodeError"`. */
  override readonly name = "DtnNodeError";
  /** Why. */
  readonly code: DtnNodeErrorCode;

  /** Says why. */
  constructor(code: DtnNodeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
