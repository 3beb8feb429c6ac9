/** Why a handshake or a transport message failed. */
export type NoiseErrorCode =
  | "rejected" // the peer's bytes are not what the holder of the expected keys sends now
  | "exhausted" // the key has used its last nonce
  | "closed"; // used after a failure or after dispose

const MESSAGE: Readonly<Record<NoiseErrorCode, string>> = {
  rejected: "Noise message rejected",
  exhausted: "Noise key exhausted: rekey or start a new handshake",
  closed: "Noise state is closed",
};

/**
 * A failure that the peer's bytes, or the end of a key's life, can cause.
 *
 * The message depends on the code alone: truncation, a bad tag, a low-order point and a malformed KEM key all read the same.
 * `cause` says which it was, for our own diagnosis only.
 */
export class NoiseError extends Error {
  /** `"NoiseError"`. */
  override readonly name = "NoiseError";
  /** What failed. */
  readonly code: NoiseErrorCode;

  /** Makes the error of `code`. */
  constructor(code: NoiseErrorCode, options?: ErrorOptions) {
    super(MESSAGE[code], options);
    this.code = code;
  }
}
