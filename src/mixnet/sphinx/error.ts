/** Why a Sphinx packet, SURB or payload is refused; a node counts its drops by these. */
export type SphinxErrorCode =
  | "length" // not as long as the geometry says
  | "weak_point" // alpha has low order: it agrees on zero with every key
  | "mac" // the header is not for this key, or was changed
  | "flag" // the header asks for neither forwarding nor delivery
  | "version" // the sender speaks another version
  | "delay" // the delay is longer than 2^53 − 1 ns
  | "payload" // what comes out is no message: it was changed on its way
  | "surb"; // these bytes are no SURB

/** A Sphinx packet, SURB or payload that is refused. */
export class SphinxError extends Error {
  /** `"SphinxError"`. */
  override readonly name = "SphinxError";
  /** Why. */
  readonly code: SphinxErrorCode;

  /** Says why without any byte of the packet. */
  constructor(code: SphinxErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
