/**
 * HTTP/1.1 message heads (RFC 9112 §2–§5): the start line and the fields up to the empty line.
 *
 * @module
 */
import { type Bytes, DecodeError } from "../bytes/mod.ts";

/** Longest head in bytes that is decoded; a longer one is malformed. */
export const HTTP_HEAD_LIMIT = 16_384;

/** Header fields in order, names as sent. */
export type HttpFields = readonly (readonly [name: string, value: string])[];

/** The head of a request. */
export interface RequestHead {
  /** The method, e.g. `GET`. */
  readonly method: string;
  /** The request target as sent, e.g. `/path?query` or `host:443`. */
  readonly target: string;
  /** The header fields. */
  readonly fields: HttpFields;
}

/** The head of a response. */
export interface ResponseHead {
  /** The status code, 100 to 599. */
  readonly status: number;
  /** The reason phrase, possibly empty. */
  readonly reason: string;
  /** The header fields. */
  readonly fields: HttpFields;
}

/** A decoded head and how many bytes it took, empty line included. */
export interface Decoded<Head> {
  /** The head. */
  readonly head: Head;
  /** Its length in bytes. */
  readonly length: number;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const REQUEST_LINE_REGEXP = new RegExp(
  `^(${TOKEN}) ([\\x21-\\x7e]+) HTTP/1\\.[01]$`,
);
const STATUS_LINE_REGEXP =
  /^HTTP\/1\.[01] ([1-5][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
const FIELD_REGEXP = new RegExp(`^(${TOKEN}):([\\t\\x20-\\x7e\\x80-\\xff]*)$`);

/**
 * Decodes the request head that `bytes` start with; `undefined` means that more bytes are needed.
 *
 * @throws {DecodeError} If it breaks RFC 9112 or exceeds {@link HTTP_HEAD_LIMIT}.
 */
export function decodeRequestHead(
  bytes: Uint8Array,
): Decoded<RequestHead> | undefined {
  const lines = headLines(bytes, "HTTP request");
  if (!lines) return undefined;
  const match = lines.start.match(REQUEST_LINE_REGEXP);
  if (!match) throw new DecodeError("HTTP request", "malformed request line");
  return {
    head: { method: match[1]!, target: match[2]!, fields: lines.fields },
    length: lines.length,
  };
}

/**
 * Decodes the response head that `bytes` start with; `undefined` means that more bytes are needed.
 *
 * @throws {DecodeError} If it breaks RFC 9112 or exceeds {@link HTTP_HEAD_LIMIT}.
 */
export function decodeResponseHead(
  bytes: Uint8Array,
): Decoded<ResponseHead> | undefined {
  const lines = headLines(bytes, "HTTP response");
  if (!lines) return undefined;
  const match = lines.start.match(STATUS_LINE_REGEXP);
  if (!match) throw new DecodeError("HTTP response", "malformed status line");
  return {
    head: {
      status: Number(match[1]),
      reason: match[2] ?? "",
      fields: lines.fields,
    },
    length: lines.length,
  };
}

/**
 * Encodes a request head.
 *
 * @throws {TypeError} If it would not decode, so that nothing in it can forge a line.
 */
export function encodeRequestHead(
  { method, target, fields }: RequestHead,
): Bytes {
  const line = `${method} ${target} HTTP/1.1`;
  if (!REQUEST_LINE_REGEXP.test(line)) {
    throw new TypeError("Want a method and a target without spaces");
  }
  return encodeHead(line, fields);
}

/**
 * Encodes a response head.
 *
 * @throws {TypeError} If it would not decode, so that nothing in it can forge a line.
 */
export function encodeResponseHead(
  { status, reason, fields }: ResponseHead,
): Bytes {
  const line = `HTTP/1.1 ${status} ${reason}`;
  if (!STATUS_LINE_REGEXP.test(line)) {
    throw new TypeError("Want a status of 100 to 599 and a printable reason");
  }
  return encodeHead(line, fields);
}

/** The value of the only field called `name`, in any case; `undefined` if it is absent or repeated. */
export function fieldValue(
  fields: HttpFields,
  name: string,
): string | undefined {
  const wanted = name.toLowerCase();
  const found = fields.filter(([field]) => field.toLowerCase() === wanted);
  return found.length === 1 ? found[0]![1] : undefined;
}

function encodeHead(start: string, fields: HttpFields): Bytes {
  const lines = fields.map(([name, value]) => {
    const line = `${name}: ${value}`;
    if (!FIELD_REGEXP.test(line)) {
      throw new TypeError(`Invalid header field "${name}"`);
    }
    return line;
  });
  const text = [start, ...lines, "", ""].join("\r\n");
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function headLines(bytes: Uint8Array, what: string) {
  const end = endOfHead(bytes);
  if (end > HTTP_HEAD_LIMIT || end < 0 && bytes.length >= HTTP_HEAD_LIMIT) {
    throw new DecodeError(what, `head longer than ${HTTP_HEAD_LIMIT} bytes`);
  }
  if (end < 0) return undefined;
  let text = "";
  for (let i = 0; i < end - 4; i++) text += String.fromCharCode(bytes[i]!);
  const [start, ...rest] = text.split("\r\n");
  const fields = rest.map((line) => {
    const match = line.match(FIELD_REGEXP);
    if (!match) throw new DecodeError(what, "malformed header field");
    return [match[1]!, trim(match[2]!)] as const;
  });
  return { start: start!, fields, length: end };
}

/** Without the white space of RFC 9110 §5.6.3 at both ends; a regular expression would take quadratic time. */
function trim(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isSpace(value.charCodeAt(start))) start++;
  while (start < end && isSpace(value.charCodeAt(end - 1))) end--;
  return value.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Offset after the first CR LF CR LF, or −1; a call for each byte that arrives must stay cheap whatever they are. */
function endOfHead(bytes: Uint8Array): number {
  const limit = Math.min(bytes.length, HTTP_HEAD_LIMIT + 1);
  for (let i = 3; i < limit; i++) {
    if (
      bytes[i] === 10 && bytes[i - 1] === 13 && bytes[i - 2] === 10 &&
      bytes[i - 3] === 13
    ) return i + 1;
  }
  return -1;
}
