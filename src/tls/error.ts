import { DecodeError } from "../core/bytes/mod.ts";
import { CryptoError } from "../core/crypto/mod.ts";
import { ALERT, type AlertName } from "./alert.ts";

/** Who ended the connection, and why. */
export type TlsErrorCode =
  | "sent_alert" // the peer's bytes broke the protocol, and we said so
  | "received_alert" // the peer ended the connection with an alert
  | "truncated"; // the connection ended without close_notify

/** A failure of a TLS connection. */
export class TlsError extends Error {
  /** `"TlsError"`. */
  override readonly name = "TlsError";
  /** Who ended it, and why. */
  readonly code: TlsErrorCode;
  /** The alert that was sent or received; `undefined` if the peer's is not of {@link ALERT}, or nothing was said. */
  readonly alert: AlertName | undefined;

  /** Says what failed without key or plaintext. */
  constructor(
    code: TlsErrorCode,
    alertName: AlertName | undefined,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    this.alert = alertName;
  }
}

/** An error that makes us send the alert and end the connection. */
export function fatal(
  alertName: AlertName,
  message: string,
  options?: ErrorOptions,
): TlsError {
  return new TlsError(
    "sent_alert",
    alertName,
    `${message} (${alertName}, ${ALERT[alertName]})`,
    options,
  );
}

/**
 * What `cause`, thrown by the peer's bytes, is to the connection: malformed bytes are `decode_error`, keys that fail their
 * checks `illegal_parameter` (RFC 8446 §6.2, §4.2.8), and what should not happen `internal_error`.
 */
export function asFatal(cause: unknown): TlsError {
  if (cause instanceof TlsError) return cause;
  if (cause instanceof DecodeError) {
    return fatal("decodeError", cause.message, { cause });
  }
  if (cause instanceof CryptoError) {
    return fatal("illegalParameter", "Peer's key is not valid", { cause });
  }
  return fatal("internalError", "Cannot go on", { cause });
}
