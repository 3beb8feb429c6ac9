import { TransportError } from "../../core/transport/mod.ts";
import { ContactError } from "../cla/contact_error.ts";
import { TcpclError } from "./error.ts";

/** What a fault of the session or of its connection is to the node. */
export function contactErrorOf(cause: unknown): ContactError {
  if (cause instanceof ContactError) return cause;
  if (cause instanceof TcpclError) {
    const code = cause.code === "timeout" ? "timeout" : "violation";
    return new ContactError(code, cause.message, { cause });
  }
  if (cause instanceof TransportError && cause.code === "unreachable") {
    return new ContactError("unreachable", cause.message, { cause });
  }
  if (cause instanceof DOMException && cause.name === "TimeoutError") {
    return new ContactError("timeout", cause.message, { cause });
  }
  return new ContactError("disconnected", "The connection broke", { cause });
}
