/**
 * The server side of SOCKS5 (RFC 1928), CONNECT only, with optional username and password (RFC 1929).
 *
 * ```text
 * greeting   05 | n | n methods              → 05 | method
 * password   01 | n | username | n | password → 01 | status
 * request    05 | command | 00 | address type | host | port → 05 | reply | 00 | 01 | 0.0.0.0 | 0
 * ```
 *
 * BND.ADDR and BND.PORT are always zero: the address that the far end uses is its own affair.
 *
 * @module
 */
import {
  type Bytes,
  DecodeError,
  equal,
  Reader,
  utf8,
} from "../../core/bytes/mod.ts";
import {
  ADDRESS_TYPE,
  canonicalHost,
  hostSize,
  OPEN_REPLY,
  type OpenReply,
  readHost,
  type Target,
} from "./target.ts";

/** What a local proxy asks of its clients. */
export interface Credentials {
  /** 1 to 255 UTF-8 bytes, without a colon. */
  readonly username: string;
  /** 1 to 255 UTF-8 bytes. */
  readonly password: string;
}

/** What follows from one message of the client. */
export interface Socks5Step {
  /** Bytes of the client that the message took. */
  readonly length: number;
  /** What to send back now; for a target, nothing until it is known how opening it went. */
  readonly send?: Bytes;
  /** What the client wants to reach: answer it with {@link encodeSocks5Reply}. */
  readonly target?: Target;
  /** Set if the conversation ends after `send`. */
  readonly refusal?: "unauthorized" | "unsupported" | "malformed";
}

const VERSION = 0x05;
const PASSWORD_VERSION = 0x01;
const METHOD = { none: 0x00, password: 0x02, unacceptable: 0xff } as const;
const CONNECT = 0x01;
const REPLY = {
  failed: 0x01,
  command_not_supported: 0x07,
  address_type_not_supported: 0x08,
} as const;

/** One client's handshake: call {@link next} with what has come until it gives a target or a refusal. */
export class Socks5Handshake {
  readonly #credentials: Credentials | undefined;
  #state: "greeting" | "password" | "request" | "done" = "greeting";

  /** Requires `credentials` if they are given, otherwise no authentication. */
  constructor(credentials?: Credentials) {
    this.#credentials = credentials;
  }

  /**
   * Takes one message from the start of `bytes`; `undefined` means that more bytes are needed.
   *
   * @throws {DecodeError} If the bytes are not SOCKS5: there is nothing to answer.
   * @throws {TypeError} If the handshake is over.
   */
  next(bytes: Uint8Array): Socks5Step | undefined {
    switch (this.#state) {
      case "greeting":
        return this.#greeting(bytes);
      case "password":
        return this.#password(bytes);
      case "request":
        return this.#request(bytes);
      case "done":
        throw new TypeError("Socks5Handshake is over");
    }
  }

  #greeting(bytes: Uint8Array): Socks5Step | undefined {
    const what = "SOCKS5 greeting";
    checkByte(bytes, 0, VERSION, what);
    const length = 2 + (bytes[1] ?? 0);
    if (bytes.length < 2 || bytes.length < length) return undefined;
    const wanted = this.#credentials ? METHOD.password : METHOD.none;
    if (!bytes.subarray(2, length).includes(wanted)) {
      this.#state = "done";
      const send = Uint8Array.of(VERSION, METHOD.unacceptable);
      return { length, send, refusal: "unauthorized" };
    }
    this.#state = this.#credentials ? "password" : "request";
    return { length, send: Uint8Array.of(VERSION, wanted) };
  }

  #password(bytes: Uint8Array): Socks5Step | undefined {
    checkByte(bytes, 0, PASSWORD_VERSION, "SOCKS5 password");
    if (bytes.length < 2) return undefined;
    const passwordAt = 2 + bytes[1]!;
    if (bytes.length <= passwordAt) return undefined;
    const length = passwordAt + 1 + bytes[passwordAt]!;
    if (bytes.length < length) return undefined;
    const { username, password } = this.#credentials!;
    const named = equal(bytes.subarray(2, passwordAt), utf8(username));
    const known = equal(bytes.subarray(passwordAt + 1, length), utf8(password));
    if (named && known) {
      this.#state = "request";
      return { length, send: Uint8Array.of(PASSWORD_VERSION, 0x00) };
    }
    this.#state = "done";
    const send = Uint8Array.of(PASSWORD_VERSION, 0x01);
    return { length, send, refusal: "unauthorized" };
  }

  #request(bytes: Uint8Array): Socks5Step | undefined {
    const what = "SOCKS5 request";
    checkByte(bytes, 0, VERSION, what);
    checkByte(bytes, 2, 0x00, what);
    if (bytes.length < 4) return undefined;
    if (bytes[1] !== CONNECT) {
      return this.#refuse(bytes, REPLY.command_not_supported, "unsupported");
    }
    const types: readonly number[] = Object.values(ADDRESS_TYPE);
    if (!types.includes(bytes[3]!)) {
      const reply = REPLY.address_type_not_supported;
      return this.#refuse(bytes, reply, "unsupported");
    }
    const size = hostSize(bytes.subarray(3), what);
    if (size === undefined || bytes.length < 3 + size + 2) return undefined;
    const length = 3 + size + 2;
    const r = new Reader(bytes.subarray(3, length), what);
    const host = canonicalHost(readHost(r));
    const port = r.u16();
    r.end();
    if (host === undefined || port === 0) {
      return this.#refuse(bytes, REPLY.failed, "malformed");
    }
    this.#state = "done";
    return { length, target: { host, port } };
  }

  #refuse(
    { length }: Uint8Array,
    code: number,
    refusal: "unsupported" | "malformed",
  ): Socks5Step {
    this.#state = "done";
    return { length, send: encodeReply(code), refusal };
  }
}

/** The reply of RFC 1928 §6 to a request; codes it does not have become general failure. */
export function encodeSocks5Reply(reply: OpenReply): Bytes {
  return encodeReply(reply === "limit" ? REPLY.failed : OPEN_REPLY[reply]);
}

function encodeReply(code: number): Bytes {
  return Uint8Array.of(VERSION, code, 0, ADDRESS_TYPE.ipv4, 0, 0, 0, 0, 0, 0);
}

function checkByte(bytes: Uint8Array, at: number, value: number, what: string) {
  if (bytes.length > at && bytes[at] !== value) {
    throw new DecodeError(what, `unexpected byte at offset ${at}`);
  }
}
