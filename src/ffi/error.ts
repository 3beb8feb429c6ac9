/** Why a native library cannot be used. */
export type FfiErrorCode =
  | "not_permitted" // this program may not load it
  | "not_found" // it is not installed, or not for this platform
  | "unsupported" // it is too old, or built without what we need
  | "failed"; // a call failed that no argument explains, such as for want of memory

/** A native library that is missing, unfit, or failed. */
export class FfiError extends Error {
  /** `"FfiError"`. */
  override readonly name = "FfiError";
  /** What is wrong. */
  readonly code: FfiErrorCode;

  /** Makes an error whose `message` names the library. */
  constructor(code: FfiErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
