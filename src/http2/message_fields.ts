import { Http2Error } from "./http2_error.ts";
import type { HeaderField } from "./hpack_table.ts";

/** What a field section belongs to. */
export type Section = "request" | "response" | "trailers";

/** What a field section says about its stream. */
export interface Message {
  /** `:status` of a response. */
  readonly status?: number;
  /** `:method` of a request. */
  readonly method?: string;
  /** `content-length`. */
  readonly contentLength?: number;
}

const PSEUDO_FIELDS: Readonly<Record<Section, readonly string[]>> = {
  request: [":method", ":scheme", ":authority", ":path"],
  response: [":status"],
  trailers: [],
};
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);
const NAME_REGEXP = /^:?[\x21-\x39\x3b-\x40\x5b-\x7e]+$/;
// deno-lint-ignore no-control-regex -- these are what a value must not have
const BAD_VALUE_REGEXP = /[\x00\r\n]|^[ \t]|[ \t]$/;

/**
 * Checks the fields of one section (RFC 9113 §8.2, §8.3).
 *
 * @throws {Http2Error} `protocolError` of the stream if the message is malformed.
 */
export function checkFields(
  section: Section,
  fields: readonly HeaderField[],
  streamId: number,
): Message {
  const pseudo = new Map<string, string>();
  const contentLengths = new Set<string>();
  let hosts: string | undefined;
  let regular = false;
  const check = (good: boolean, reason: string) => {
    if (!good) throw new Http2Error("protocolError", reason, { streamId });
  };
  for (const [name, value] of fields) {
    check(NAME_REGEXP.test(name), "Field name has forbidden characters");
    check(!BAD_VALUE_REGEXP.test(value), "Field value is malformed");
    if (name.startsWith(":")) {
      const expected = PSEUDO_FIELDS[section].includes(name);
      check(!regular, "Pseudo-field behind a field");
      check(expected && !pseudo.has(name), "Pseudo-field out of place");
      pseudo.set(name, value);
      continue;
    }
    regular = true;
    check(!CONNECTION_FIELDS.has(name), "Field of a connection");
    check(name !== "te" || value === "trailers", "TE other than trailers");
    if (name === "content-length") contentLengths.add(value);
    if (name === "host") hosts = value;
  }
  const authority = pseudo.get(":authority") ?? hosts;
  check(hosts === undefined || hosts === authority, "Host is not :authority");
  check(isComplete(section, pseudo), "Pseudo-field missing or malformed");
  const [length] = contentLengths;
  const digits = length === undefined || /^[0-9]{1,15}$/.test(length);
  check(contentLengths.size < 2 && digits, "Content-Length is malformed");
  return {
    ...(pseudo.has(":status") && { status: Number(pseudo.get(":status")) }),
    ...(pseudo.has(":method") && { method: pseudo.get(":method")! }),
    ...(length !== undefined && { contentLength: Number(length) }),
  };
}

function isComplete(
  section: Section,
  pseudo: ReadonlyMap<string, string>,
): boolean {
  if (section === "trailers") return true;
  if (section === "response") {
    const status = pseudo.get(":status") ?? "";
    return /^[1-9][0-9]{2}$/.test(status) && status !== "101";
  }
  const method = pseudo.get(":method");
  const path = pseudo.get(":path");
  if (!method) return false;
  if (method === "CONNECT") {
    return pseudo.has(":authority") && path === undefined &&
      !pseudo.has(":scheme");
  }
  const target = path?.startsWith("/") ||
    (method === "OPTIONS" && path === "*");
  return !!pseudo.get(":scheme") && !!target;
}
