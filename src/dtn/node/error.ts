import type { PutOutcome } from "../store/bundle_store.ts";

/** Why a node did not take a bundle of an application. */
export type DtnNodeErrorCode =
  | Exclude<PutOutcome, "stored"> // what the store says
  | "closed" // the node has been closed
  | "registered"; // another application is registered in the endpoint

/** A node that could not do what an application asked. */
export class DtnNodeError extends Error {
  /** `"DtnNodeError"`. */
  override readonly name = "DtnNodeError";
  /** Why. */
  readonly code: DtnNodeErrorCode;

  /** Says why. */
  constructor(code: DtnNodeErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
