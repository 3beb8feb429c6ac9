/**
 * What a tunnel stream leads to, and the two messages that open it.
 *
 * The client's open request is the first thing on a stream; integers are big-endian:
 *
 * ```text
 * 1B  version, 0x01
 * 1B  address type, see ADDRESS_TYPE (the numbers of RFC 1928 §5)
 * nB  host: IPv4 4 bytes; IPv6 16 bytes; name 1B length (1 to 253) and that many ASCII bytes
 * 2B  port, 1 to 65535
 * ```
 *
 * There is one encoding per target: names are lower case without a trailing dot, an address is never sent as a name,
 * nor an IPv4 address as IPv4-mapped IPv6. The longest request takes 258 bytes.
 *
 * The server's open reply:
 *
 * ```text
 * 1B  version, 0x01
 * 1B  code, see OPEN_REPLY; a code that is not in the table is malformed
 * ```
 *
 * The bytes of the target follow `granted`; after any other code the server ends the stream. The client may send data
 * right behind its request: the server keeps it in the stream until the target is connected, and drops it if it refuses.
 *
 * @module
 */
import {
  type Bytes,
  DecodeError,
  equal,
  formatIp,
  parseIp,
  Reader,
  utf8,
  Writer,
} from "../../core/bytes/mod.ts";

/** Host and port of a TCP service. */
export interface Target {
  /** A lower-case domain name, dotted IPv4 or RFC 5952 IPv6 without brackets. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

/** A decoded message at the start of a stream. */
export interface DecodedOpen<T> {
  /** The message. */
  readonly value: T;
  /** Its length in bytes. */
  readonly length: number;
}

/** Version of the open request and reply. */
const OPEN_VERSION = 0x01;

/** Longest open request in bytes. */
export const OPEN_REQUEST_LIMIT = 258;

/** Forms of a host on the wire. */
export const ADDRESS_TYPE = {
  ipv4: 0x01, // 4 bytes
  name: 0x03, // 1 byte of length, then ASCII
  ipv6: 0x04, // 16 bytes
} as const;
/** One of {@link ADDRESS_TYPE}. */
export type AddressType = typeof ADDRESS_TYPE[keyof typeof ADDRESS_TYPE];

/** Answers to an open request; up to 0x06 they are the replies of RFC 1928 §6. */
export const OPEN_REPLY = {
  granted: 0x00, // connected: the target's bytes follow
  failed: 0x01, // none of the below
  not_allowed: 0x02, // the allow-list does not name the target
  network_unreachable: 0x03, // the server has no route
  host_unreachable: 0x04, // the name or the host does not answer
  refused: 0x05, // the host refuses the port
  timeout: 0x06, // the connection took too long
  limit: 0x80, // the server has too many connections
} as const;
/** The name of one of {@link OPEN_REPLY}. */
export type OpenReply = keyof typeof OPEN_REPLY;

const LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
const NAME_REGEXP = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
/** A last label that some resolver would read as a number, e.g. `127.1` or `0x7f000001`. */
const NUMERIC_REGEXP = /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/;
const AUTHORITY_REGEXP = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::([0-9]+))?$/;

/**
 * The canonical form of a host name or unbracketed IP address; `undefined` if it is neither.
 *
 * Names are ASCII (A-labels), at most 253 characters; those that end in a number are refused, since resolvers disagree on them.
 */
export function canonicalHost(text: string): string | undefined {
  const ip = parseIp(text);
  if (ip) return formatIp(ip);
  const name = text.toLowerCase().replace(/\.$/, "");
  return name.length <= 253 && NAME_REGEXP.test(name) &&
      !NUMERIC_REGEXP.test(name)
    ? name
    : undefined;
}

/**
 * The target that `host:port` names, IPv6 in brackets; `undefined` if the text is none.
 *
 * @param defaultPort The port if the text has none; without it the port is required.
 *
 * @example
 * ```ts
 * import { parseTarget } from "./target.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseTarget("Example.com:443"), { host: "example.com", port: 443 });
 * assertEquals(parseTarget("[::1]:80"), { host: "::1", port: 80 });
 * assertEquals(parseTarget("0x7f.1:80"), undefined);
 * ```
 */
export function parseTarget(
  text: string,
  defaultPort?: number,
): Target | undefined {
  const match = text.match(AUTHORITY_REGEXP);
  if (!match) return undefined;
  const [, bracketed, plain, digits] = match;
  if (bracketed !== undefined && !bracketed.includes(":")) return undefined;
  const host = canonicalHost(bracketed ?? plain!);
  const port = digits === undefined ? defaultPort : parsePort(digits);
  return host !== undefined && port !== undefined ? { host, port } : undefined;
}

/** The port that 1 to 5 decimal digits name, 1 to 65535; `undefined` otherwise. */
export function parsePort(digits: string): number | undefined {
  const port = /^[0-9]{1,5}$/.test(digits) ? Number(digits) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/** `host:port`, IPv6 in brackets; without the port if it is `defaultPort`. */
export function formatTarget(
  { host, port }: Target,
  defaultPort?: number,
): string {
  const authority = host.includes(":") ? `[${host}]` : host;
  return port === defaultPort ? authority : `${authority}:${port}`;
}

/**
 * Encodes an open request.
 *
 * @throws {TypeError} If the host is not in canonical form or the port is out of range.
 */
export function encodeOpenRequest(target: Target): Bytes {
  if (canonicalHost(target.host) !== target.host) {
    throw new TypeError(
      `Target host must be canonical: got "${target.host}"`,
    );
  }
  if (parsePort(`${target.port}`) === undefined) {
    throw new TypeError(`Target port must be in 1..65535: got ${target.port}`);
  }
  const w = new Writer().u8(OPEN_VERSION);
  const ip = parseIp(target.host);
  if (ip) {
    w.u8(ip.length === 4 ? ADDRESS_TYPE.ipv4 : ADDRESS_TYPE.ipv6).put(ip);
  } else {
    const name = utf8(target.host);
    w.u8(ADDRESS_TYPE.name).u8(name.length).put(name);
  }
  return w.u16(target.port).finish();
}

/**
 * Decodes the open request that `bytes` start with; `undefined` means that more bytes are needed.
 *
 * @throws {DecodeError} If it is malformed or not in its one encoding.
 */
export function decodeOpenRequest(
  bytes: Uint8Array,
): DecodedOpen<Target> | undefined {
  const what = "open request";
  checkVersion(bytes, what);
  const hostLength = hostSize(bytes.subarray(1), what);
  if (hostLength === undefined) return undefined;
  const length = 1 + hostLength + 2;
  if (bytes.length < length) return undefined;
  const r = new Reader(bytes.subarray(1, length), what);
  const host = canonicalHost(readHost(r));
  const port = r.u16();
  r.end();
  if (host === undefined || port === 0) {
    throw new DecodeError(what, "no such host or port");
  }
  const value = { host, port };
  if (!equal(encodeOpenRequest(value), bytes.subarray(0, length))) {
    throw new DecodeError(what, "host not in canonical form");
  }
  return { value, length };
}

/** Encodes an open reply. */
export function encodeOpenReply(reply: OpenReply): Bytes {
  return Uint8Array.of(OPEN_VERSION, OPEN_REPLY[reply]);
}

/**
 * Decodes the open reply that `bytes` start with; `undefined` means that more bytes are needed.
 *
 * @throws {DecodeError} If the version or code is unknown.
 */
export function decodeOpenReply(
  bytes: Uint8Array,
): DecodedOpen<OpenReply> | undefined {
  checkVersion(bytes, "open reply");
  if (bytes.length < 2) return undefined;
  for (const [name, code] of Object.entries(OPEN_REPLY)) {
    if (code === bytes[1]) return { value: name as OpenReply, length: 2 };
  }
  throw new DecodeError("open reply", "unknown code");
}

/**
 * Bytes taken by the address type and host that `bytes` start with; `undefined` means that more bytes are needed.
 *
 * @throws {DecodeError} If the type is unknown or a name is empty or longer than 253 bytes.
 */
export function hostSize(bytes: Uint8Array, what: string): number | undefined {
  switch (bytes[0]) {
    case undefined:
      return undefined;
    case ADDRESS_TYPE.ipv4:
      return 1 + 4;
    case ADDRESS_TYPE.ipv6:
      return 1 + 16;
    case ADDRESS_TYPE.name: {
      const size = bytes[1];
      if (size === undefined) return undefined;
      if (size < 1 || size > 253) throw new DecodeError(what, "name length");
      return 2 + size;
    }
    default:
      throw new DecodeError(what, "unknown address type");
  }
}

/** Reads the address type and host whose size {@link hostSize} gave; a name may not be canonical. */
export function readHost(r: Reader): string {
  switch (r.u8()) {
    case ADDRESS_TYPE.name:
      return String.fromCharCode(...r.take(r.u8()));
    case ADDRESS_TYPE.ipv4:
      return formatIp(r.take(4));
    default:
      return formatIp(r.take(16));
  }
}

function checkVersion(bytes: Uint8Array, what: string): void {
  if (bytes.length > 0 && bytes[0] !== OPEN_VERSION) {
    throw new DecodeError(what, "unknown version");
  }
}
