/** Why a store or a file failed. */
export type StorageErrorCode =
  | "full" // a limit of the store or of the disk is reached
  | "corrupt" // the file is not what we wrote
  | "closed" // used after disposal
  | "absent" // there is no such file
  | "exposed" // others may read the secret file
  | "io"; // any other failure of the disk, lock or permission

/** A failure of what keeps the data. */
export class StorageError extends Error {
  /** `"StorageError"`. */
  override readonly name = "StorageError";
  /** What failed. */
  readonly code: StorageErrorCode;

  /** Names what failed; `cause` keeps the system's own error. */
  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
