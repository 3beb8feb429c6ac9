/** Why a part of the mixnet failed. */
export const MIXNET_ERRORS = [
  "unauthenticated", // a handshake message or a frame does not verify
  "malformed", // a frame verified, but what it holds does not decode
  "truncated", // the peer ended in the middle of a frame
  "refused", // we do not want this peer
  "timeout", // a deadline passed
  "disconnected", // the connection broke, or ended during the handshake
  "closed", // used after close
] as const;

/** One of {@link MIXNET_ERRORS}. */
export type MixnetErrorCode = typeof MIXNET_ERRORS[number];

/** A failure of the mixnet that a peer, or the network between, can cause. */
export class MixnetError extends Error {
  /** `"MixnetError"`. */
  override readonly name = "MixnetError";
  /** What failed. */
  readonly code: MixnetErrorCode;

  /** Says what failed without key, plaintext or text that the peer chose. */
  constructor(code: MixnetErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
