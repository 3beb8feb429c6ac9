/**
 * How a ticket travels: in a cookie, the query or the form body of a browser-like HTTP/1.1 request (Betanet 1.1 §5.2).
 *
 * ```text
 * cookie   GET  /path                   Cookie: <cookieName>=<ticket>
 * query    GET  /path?bn1=<ticket>
 * body     POST /path                   application/x-www-form-urlencoded: bn1=<ticket>
 * ```
 *
 * A ticket is written in base64url without padding: 172 to 226 characters.
 *
 * @module
 */
import {
  type Bytes,
  concat,
  decodeBase64Url,
  DecodeError,
  encodeBase64Url,
  utf8,
} from "../core/bytes/mod.ts";
import {
  type Decoded,
  decodeRequestHead,
  fieldValue,
  type HttpFields,
  type RequestHead,
} from "../core/transport/mod.ts";
import { type Profile, profileOf } from "../utls/mod.ts";
import {
  FORM,
  formFields,
  pageFields,
  upgradeFields,
} from "./browser_fields.ts";

/** The carriers, in the order in which policies are written. */
export const CARRIERS = ["cookie", "query", "body"] as const;
/** One of {@link CARRIERS}. */
export type Carrier = typeof CARRIERS[number];

/** Longest head in bytes that is searched for a ticket; browsers stay far below. */
export const MAX_TICKET_HEAD_LENGTH = 8192;

const MIN_TEXT_LENGTH = 172; // 129 bytes
const MAX_TEXT_LENGTH = 226; // 169 bytes
const PARAMETER = "bn1";
const PATH_REGEXP = /^\/[\x21\x22\x24-\x7e]*$/;
const HOST_REGEXP = /^[A-Za-z0-9.:[\]-]+$/;
/** What a cookie may be called: a token of RFC 9110 §5.6.2. */
export const COOKIE_NAME_REGEXP = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const REQUEST_LINE = "GET / HTTP/1.1\r\n";
const FORM_START_REGEXP = /^(?:b|bn|bn1|bn1=[A-Za-z0-9_-]*)?$/;

/** What {@link makeTicketRequest} puts together. */
export interface TicketRequestOptions {
  /** Where the ticket goes. */
  readonly carrier: Carrier;
  /** The ticket, see {@link makeTicket}. */
  readonly payload: Uint8Array;
  /** The `Host` field, e.g. `example.org` or `127.0.0.1:9000`. */
  readonly host: string;
  /** Path to ask for, which may have a query of its own; `/` by default. */
  readonly path?: string;
  /** Name of the cookie; `__Host-` is a recommended prefix. */
  readonly cookieName: string;
  /** The fields of a WebSocket handshake (RFC 6455 §4.1), such as `Upgrade`; they replace fields of the same name. Not with `body`. */
  readonly upgrade?: HttpFields;
  /** The browser whose fields go with it; the newest known by default. */
  readonly profile?: Profile;
}

/** A request whose head the caller encodes, and the body to send behind it. */
export interface OutgoingTicketRequest {
  /** The head. */
  readonly head: RequestHead;
  /** The form, or no bytes. */
  readonly body: Bytes;
}

/** A request that carries one ticket, not yet verified. */
export interface TicketRequest {
  /** The ticket's payload. */
  readonly payload: Bytes;
  /** The head it came in. */
  readonly head: RequestHead;
  /** How many bytes the request took, body included; the inner handshake starts behind them. */
  readonly length: number;
}

/** No ticket: nothing that looks like one, or something that looks like one and is none. */
export type NoTicket = "none" | "malformed";

/**
 * Puts a ticket into a request with the fields of the browser, in its order.
 *
 * @throws {TypeError} If host, path or cookie name have characters that do not belong there, or `body` meets `upgrade`.
 */
export function makeTicketRequest(
  options: TicketRequestOptions,
): OutgoingTicketRequest {
  const { carrier, host, upgrade, profile = profileOf("latest") } = options;
  if (upgrade && carrier === "body") {
    throw new TypeError("A WebSocket handshake has no body for a ticket");
  }
  const { target, cookie, body } = placeTicket(options);
  if (carrier === "body") {
    const form = { path: target, length: body.length };
    const fields = formFields(host, profile, form);
    return { head: { method: "POST", target, fields }, body };
  }
  const fields = upgrade
    ? upgradeFields(host, profile, upgrade)
    : pageFields(host, profile);
  if (cookie !== undefined) fields.push(["Cookie", cookie]);
  return { head: { method: "GET", target, fields }, body };
}

/** Where in a request the ticket goes. */
export interface PlacedTicket {
  /** Path and query. */
  readonly target: string;
  /** The `Cookie` field, for the cookie carrier. */
  readonly cookie: string | undefined;
  /** The form, or no bytes. */
  readonly body: Bytes;
}

/**
 * Puts a ticket into the parts of a request of any version of HTTP.
 *
 * @throws {TypeError} If host, path or cookie name have characters that do not belong there.
 */
export function placeTicket(options: TicketRequestOptions): PlacedTicket {
  const { carrier, payload, host, path = "/", cookieName } = options;
  checkText("host", host, HOST_REGEXP);
  checkText("path", path, PATH_REGEXP);
  checkText("cookie name", cookieName, COOKIE_NAME_REGEXP);
  const text = encodeBase64Url(payload);
  const parameter = `${PARAMETER}=${text}`;
  return {
    target: carrier === "query"
      ? `${path}${path.includes("?") ? "&" : "?"}${parameter}`
      : path,
    cookie: carrier === "cookie" ? `${cookieName}=${text}` : undefined,
    body: utf8(carrier === "body" ? parameter : ""),
  };
}

/**
 * Looks for the one ticket in the first bytes of a connection; `undefined` means that more bytes are needed.
 *
 * Bytes that cannot become a ticket request give `none` at once, without waiting for the rest of the head.
 * Of several carriers in one request none counts, and only the first request of a connection can carry a ticket.
 *
 * @param bytes Everything received so far.
 * @param searched How many of them an earlier call had that wanted more: lines it checked are not checked again.
 */
export function findTicket(
  bytes: Uint8Array,
  cookieName: string,
  searched = 0,
): TicketRequest | NoTicket | undefined {
  let decoded: Decoded<RequestHead> | undefined;
  try {
    decoded = decodeRequestHead(bytes);
    if (!decoded) return mayBecomeRequest(bytes, searched) ? undefined : "none";
  } catch (error) {
    if (error instanceof DecodeError) return "none";
    throw error;
  }
  const { head, length } = decoded;
  if (length > MAX_TICKET_HEAD_LENGTH) return "none";
  const form = bytes.subarray(length);
  const found = ticketIn(head, form, cookieName);
  return typeof found === "object"
    ? { payload: found.payload, head, length: length + found.formLength }
    : found;
}

/** A ticket, and how many bytes of the form it took. */
export interface FoundTicket {
  /** The ticket's payload. */
  readonly payload: Bytes;
  /** Bytes of the form; 0 if it was in the head. */
  readonly formLength: number;
}

/**
 * Looks for the one ticket in a request of any version of HTTP; `undefined` means that more of the form is needed.
 *
 * @param form What came behind the head so far.
 */
export function ticketIn(
  { method, target, fields }: RequestHead,
  form: Uint8Array,
  cookieName: string,
): FoundTicket | NoTicket | undefined {
  const texts = [...cookies(fields, cookieName), ...parameters(target)];
  if (method === "POST") {
    return texts.length > 0 ? "malformed" : findInForm(fields, form);
  }
  if (method !== "GET" || texts.length === 0) return "none";
  return texts.length === 1 ? foundTicket(texts[0]!, 0) : "malformed";
}

function findInForm(
  fields: HttpFields,
  form: Uint8Array,
): FoundTicket | NoTicket | undefined {
  const size = formLength(fields);
  if (size === undefined) return "none";
  const body = form.subarray(0, size);
  const text = String.fromCharCode(...body);
  if (!FORM_START_REGEXP.test(text)) return "none";
  if (body.length < size) return undefined;
  return foundTicket(text.slice(PARAMETER.length + 1), size);
}

/** Length of a form body that can be a ticket's. */
function formLength(fields: HttpFields): number | undefined {
  const names = new Set(fields.map(([name]) => name.toLowerCase()));
  if (names.has("transfer-encoding") || names.has("expect")) return undefined;
  if (fieldValue(fields, "Content-Type")?.toLowerCase() !== FORM) {
    return undefined;
  }
  const text = fieldValue(fields, "Content-Length") ?? "";
  const length = /^[1-9][0-9]{2}$/.test(text) ? Number(text) : 0;
  const ticket = length - PARAMETER.length - 1;
  return ticket >= MIN_TEXT_LENGTH && ticket <= MAX_TEXT_LENGTH
    ? length
    : undefined;
}

function foundTicket(
  text: string,
  formLength: number,
): FoundTicket | NoTicket {
  if (text.length < MIN_TEXT_LENGTH || text.length > MAX_TEXT_LENGTH) {
    return "malformed";
  }
  try {
    return { payload: decodeBase64Url(text), formLength };
  } catch (error) {
    if (error instanceof DecodeError) return "malformed";
    throw error;
  }
}

/** Whether the head that `bytes` start with, cut short, can still become that of a ticket request, if it could at `searched`. */
function mayBecomeRequest(bytes: Uint8Array, searched: number): boolean {
  if (bytes.length > MAX_TICKET_HEAD_LENGTH) return false;
  const start = String.fromCharCode(...bytes.subarray(0, 5));
  if (
    !["GET ", "POST "].some((m) => start.startsWith(m) || m.startsWith(start))
  ) {
    return false;
  }
  const length = bytes.subarray(searched).lastIndexOf(10) + 1;
  if (length === 0) return true;
  const known = bytes.subarray(0, searched).lastIndexOf(10) + 1;
  const lines = bytes.subarray(known, searched + length);
  const before = known > 0 ? REQUEST_LINE : "";
  return decodeRequestHead(concat(utf8(before), lines, utf8("\r\n"))) !==
    undefined;
}

function cookies(fields: HttpFields, cookieName: string): string[] {
  return fields
    .filter(([name]) => name.toLowerCase() === "cookie")
    .flatMap(([, value]) => value.split(";"))
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${cookieName}=`))
    .map((pair) => pair.slice(cookieName.length + 1));
}

function parameters(target: string): string[] {
  const query = target.indexOf("?");
  if (query < 0) return [];
  return target.slice(query + 1).split("&")
    .filter((pair) => pair.startsWith(`${PARAMETER}=`))
    .map((pair) => pair.slice(PARAMETER.length + 1));
}

function checkText(what: string, text: string, form: RegExp): void {
  if (!form.test(text)) throw new TypeError(`Invalid ${what} "${text}"`);
}
