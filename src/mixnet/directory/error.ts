/** Why a descriptor or document is refused. */
export type DirectoryErrorCode =
  | "malformed" // the bytes are not of the form
  | "unsigned" // a descriptor's signature is not its key's
  | "under_signed" // fewer authorities than the threshold signed it
  | "wrong_network" // it is of another network
  | "stale" // its time is over, or there is a newer one
  | "future" // its time has not come
  | "late" // it came after what it is for was closed
  | "split" // two documents were seen for its epoch
  | "broken_chain" // it does not follow the document that we have of the epoch before
  | "not_admitted" // its signer is no authority, or no node that is registered
  | "full" // there is no room for it
  | "unreachable" // no directory answered
  | "refused"; // a directory answered with an error

/** A descriptor, vote or document that is refused, or cannot be had. */
export class DirectoryError extends Error {
  /** `"DirectoryError"`. */
  override readonly name = "DirectoryError";
  /** Why. */
  readonly code: DirectoryErrorCode;
  /** Of a split: both signed documents, which together convict the authorities that signed them. */
  readonly evidence: readonly Uint8Array[];

  /** Says why without text that a peer chose. */
  constructor(
    code: DirectoryErrorCode,
    message: string,
    options: ErrorOptions & { evidence?: readonly Uint8Array[] } = {},
  ) {
    super(message, options);
    this.code = code;
    this.evidence = options.evidence ?? [];
  }
}
