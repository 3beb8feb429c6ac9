/**
 * What an HTTP/1.1 proxy is asked: CONNECT (RFC 9110 §9.3.6) and `http://` requests in absolute form (RFC 9112 §3.2.2).
 *
 * One proxy connection carries one request: both ends are told `Connection: close`, so no framing mistake can run one
 * request into the next. What is ambiguous (RFC 9112 §6.3) is refused, never repaired. The proxy stands in for its user:
 * it adds neither `Via` nor `Forwarded` and leaves `Max-Forwards` alone.
 *
 * @module
 */
import {
  type Bytes,
  concat,
  DecodeError,
  equal,
  utf8,
} from "../../core/bytes/mod.ts";
import {
  decodeRequestHead,
  encodeRequestHead,
  encodeResponseHead,
  type HttpFields,
  type RequestHead,
} from "../../core/transport/mod.ts";
import type { Credentials } from "./socks5.ts";
import { formatTarget, parseTarget, type Target } from "./target.ts";

/** How many bytes of body follow a head, or that they come in chunks. */
export type BodyLength = number | "chunked";

/** What one request head asks for. */
export type ProxyRequest =
  | {
    /** A tunnel to `target`. */
    readonly kind: "connect";
    /** Where to. */
    readonly target: Target;
    /** Length of the head in bytes. */
    readonly length: number;
  }
  | {
    /** One plain HTTP request to pass on. */
    readonly kind: "http";
    /** Where to. */
    readonly target: Target;
    /** The head for the origin: origin form, hop-by-hop fields gone, `Connection: close`. */
    readonly head: Bytes;
    /** The body that follows. */
    readonly body: BodyLength;
    /** Length of the head in bytes. */
    readonly length: number;
  }
  | {
    /** The credentials are missing or wrong. */
    readonly kind: "unauthorized";
    /** Length of the head in bytes. */
    readonly length: number;
  };

/** Fields that concern one hop only (RFC 9110 §7.6.1 and the customary `Proxy-Connection`). */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "upgrade",
];
/** Fields that no `Connection` field may strike out, since the framing and routing hang on them. */
const ESSENTIAL = ["content-length", "host", "transfer-encoding"];

const ABSOLUTE_FORM_REGEXP = /^http:\/\/([^/?#@]+)(\/[^#]*|\?[^#]*)?$/i;
const CONTENT_LENGTH_REGEXP = /^[0-9]{1,15}$/;

/**
 * Decodes the proxy request whose head `bytes` start with; `undefined` means that more bytes are needed.
 *
 * @throws {DecodeError} If the head is malformed, ambiguous, or asks for neither a tunnel nor an `http:` URL: answer 400.
 */
export function decodeProxyRequest(
  bytes: Uint8Array,
  credentials?: Credentials,
): ProxyRequest | undefined {
  const decoded = decodeRequestHead(bytes);
  if (!decoded) return undefined;
  const { head, length } = decoded;
  checkHost(head, isHttp11(bytes));
  const body = bodyLength(head.fields, isHttp11(bytes));
  if (credentials && !isAuthorized(head.fields, credentials)) {
    return { kind: "unauthorized", length };
  }
  if (head.method === "CONNECT") {
    if (body !== 0) throw malformed("CONNECT with a body");
    const target = parseTarget(head.target);
    if (!target) throw malformed("CONNECT target is not host:port");
    return { kind: "connect", target, length };
  }
  return { kind: "http", ...forwardedHead(head), body, length };
}

/** The fields of `fields` that go on to the next hop. */
export function endToEndFields(fields: HttpFields): HttpFields {
  const named = values(fields, "connection")
    .flatMap((value) => value.toLowerCase().split(","))
    .map((name) => name.trim())
    .filter((name) => !ESSENTIAL.includes(name));
  const dropped = new Set([...HOP_BY_HOP, ...named]);
  return fields.filter(([name]) => !dropped.has(name.toLowerCase()));
}

/** Statuses with which the proxy itself answers. */
export type ProxyStatus = 400 | 403 | 407 | 502 | 503 | 504;

const REASON: Readonly<Record<ProxyStatus, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  407: "Proxy Authentication Required",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** A whole response that says why a request was not served, after which the connection ends. */
export function encodeProxyError(status: ProxyStatus, detail: string): Bytes {
  const body = utf8(`${status} ${REASON[status]}: ${detail}\n`);
  const head = encodeResponseHead({
    status,
    reason: REASON[status],
    fields: [
      ["Content-Type", "text/plain; charset=utf-8"],
      ["Content-Length", `${body.length}`],
      ["Connection", "close"],
      ...(status === 407
        ? [["Proxy-Authenticate", 'Basic realm="betanet"'] as const]
        : []),
    ],
  });
  return concat(head, body);
}

/** The answer to a CONNECT whose tunnel stands. */
export function encodeConnectGranted(): Bytes {
  return encodeResponseHead({
    status: 200,
    reason: "Connection established",
    fields: [],
  });
}

function forwardedHead(
  { method, target: url, fields }: RequestHead,
): { target: Target; head: Bytes } {
  const match = url.match(ABSOLUTE_FORM_REGEXP);
  const target = match ? parseTarget(match[1]!, 80) : undefined;
  if (!match || !target) throw malformed("target is not an http: URL");
  const path = match[2] ?? "";
  // RFC 9112 §3.2.4: a bare authority asks about the server as a whole.
  const origin = method === "OPTIONS" && path === ""
    ? "*"
    : path.startsWith("/")
    ? path
    : `/${path}`;
  const head = encodeRequestHead({
    method,
    target: origin,
    fields: [
      ["Host", formatTarget(target, 80)],
      ...endToEndFields(fields).filter(([name]) =>
        name.toLowerCase() !== "host"
      ),
      ["Connection", "close"],
    ],
  });
  return { target, head };
}

function bodyLength(fields: HttpFields, http11: boolean): BodyLength {
  const lengths = values(fields, "content-length");
  const codings = values(fields, "transfer-encoding");
  if (codings.length > 0) {
    if (lengths.length > 0) throw malformed("two ways to frame the body");
    if (codings.length > 1 || codings[0]!.toLowerCase() !== "chunked") {
      throw malformed("unknown transfer coding");
    }
    if (!http11) throw malformed("transfer coding in HTTP/1.0");
    return "chunked";
  }
  if (lengths.length === 0) return 0;
  if (lengths.length > 1 || !CONTENT_LENGTH_REGEXP.test(lengths[0]!)) {
    throw malformed("Content-Length");
  }
  return Number(lengths[0]);
}

function checkHost({ fields }: RequestHead, http11: boolean): void {
  const count = values(fields, "host").length;
  if (count > 1 || count < 1 && http11) throw malformed("want one Host field");
}

function isAuthorized(fields: HttpFields, credentials: Credentials): boolean {
  const sent = values(fields, "proxy-authorization");
  const match = sent.length === 1
    ? sent[0]!.match(/^basic +([A-Za-z0-9+/]*={0,2})$/i)
    : null;
  if (!match) return false;
  const { username, password } = credentials;
  const wanted = utf8(`${username}:${password}`).toBase64();
  return equal(utf8(match[1]!), utf8(wanted));
}

/** Whether the request line of a decoded head ends in `HTTP/1.1`. */
function isHttp11(bytes: Uint8Array): boolean {
  return bytes[bytes.indexOf(13) - 1] === 0x31;
}

function values(fields: HttpFields, name: string): string[] {
  return fields.filter(([field]) => field.toLowerCase() === name)
    .map(([, value]) => value);
}

function malformed(reason: string): DecodeError {
  return new DecodeError("proxy request", reason);
}
