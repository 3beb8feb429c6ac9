/** Thrown when bytes do not form the value being decoded. */
export class DecodeError extends RangeError {
  /** `"DecodeError"`. */
  override readonly name = "DecodeError";

  /**
   * Names the value and says what is wrong with its bytes, never quoting them.
   *
   * @param what The value being decoded, e.g. `"htx frame"`.
   * @param reason What is wrong.
   */
  constructor(what: string, reason: string) {
    super(`Cannot decode ${what}: ${reason}`);
  }
}
