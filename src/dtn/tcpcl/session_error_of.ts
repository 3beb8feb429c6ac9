import { ContactError, contactErrorOf } from "../cla/contact_error.ts";
import { TcpclError } from "./error.ts";

/** What a fault of the session or of its connection is to the node. */
export function sessionErrorOf(cause: unknown): ContactError {
  if (!(cause instanceof TcpclError)) return contactErrorOf(cause);
  const code = cause.code === "timeout" ? "timeout" : "violation";
  return new ContactError(code, cause.message, { cause });
}
