import { DecodeError } from "../core/bytes/mod.ts";
import { cla, ContactError, type ContactErrorCode } from "../dtn/mod.ts";
import { HtxError, type HtxErrorCode } from "../htx/mod.ts";

/** What HTX says by other words; the rest is a peer that broke the protocol or does not want us. */
const CODE_OF: Partial<Record<HtxErrorCode, ContactErrorCode>> = {
  closed: "disconnected",
  reset: "disconnected",
  timeout: "timeout",
};

/** What a fault of a session, a stream or a message is to the node. */
export function contactErrorOf(cause: unknown): ContactError {
  if (cause instanceof DecodeError) {
    return new ContactError("violation", cause.message, { cause });
  }
  if (cause instanceof HtxError) {
    const code = CODE_OF[cause.code] ?? "violation";
    return new ContactError(code, cause.message, { cause });
  }
  return cla.contactErrorOf(cause);
}
