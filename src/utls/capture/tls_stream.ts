/**
 * The hellos of one direction of a TLS connection, from its records (RFC 8446 §5.1):
 *
 * ```text
 * 1B  type: 20 change_cipher_spec, 21 alert, 22 handshake, 23 application data
 * 2B  version, 0x0300 to 0x0304
 * 2B  length, at most 2^14 + 2^11 (TLS 1.2, encrypted)
 * nB  fragment
 * ```
 *
 * TLS may start after something else, as it does behind a SOCKS or HTTP proxy: at the start of a chunk.
 *
 * @module
 */
import { type Bytes, concat } from "../../core/bytes/mod.ts";
import { CLIENT_HELLO } from "../client_hello.ts";
import { SERVER_HELLO } from "../server_hello.ts";
import { HelloMessages } from "./hello_messages.ts";

/** Most bytes that may precede TLS. */
export const MAX_PREAMBLE_BYTES = 65_536;

const MAX_FRAGMENT_BYTES = 16_384 + 2_048;
const HEADER_LENGTH = 5;
const TYPE = { changeCipherSpec: 20, alert: 21, handshake: 22 } as const;

/** Follows one direction of a connection. */
export class TlsStream {
  readonly #hellos = new HelloMessages();
  #preambleBytes = 0;
  #start: Uint8Array | undefined = new Uint8Array(0); // undefined once TLS has started
  #header: number[] = [];
  #left = 0; // bytes of the record under way
  #isOver = false;

  /** Whether no hello can follow. */
  get isOver(): boolean {
    return this.#isOver || this.#hellos.isOver;
  }

  /** Whether what may be a record with a hello has come. */
  get hasStarted(): boolean {
    return this.#start === undefined;
  }

  /** How many hellos were complete. */
  get helloCount(): number {
    return this.#hellos.count;
  }

  /** Whether a hello was too long to be put together. */
  get isOversized(): boolean {
    return this.#hellos.isOversized;
  }

  /** Takes the next bytes of the stream, and returns the hellos that they complete. */
  push(chunk: Uint8Array): Bytes[] {
    const bytes = this.#start ? this.#findStart(this.#start, chunk) : chunk;
    return bytes ? this.#records(bytes) : [];
  }

  #findStart(before: Uint8Array, chunk: Uint8Array): Uint8Array | undefined {
    const candidates = [concat(before, chunk), chunk];
    const found = candidates.find(mayStartTls);
    if (found === undefined || found.length <= HEADER_LENGTH) {
      this.#preambleBytes += chunk.length;
      this.#isOver = this.#preambleBytes > MAX_PREAMBLE_BYTES;
      this.#start = found ?? new Uint8Array(0);
      return undefined;
    }
    this.#start = undefined;
    return found;
  }

  #records(bytes: Uint8Array): Bytes[] {
    const messages: Bytes[] = [];
    let at = 0;
    while (at < bytes.length && !this.isOver) {
      if (this.#left === 0) {
        this.#header.push(bytes[at++]!);
        if (this.#header.length === HEADER_LENGTH) this.#open();
        continue;
      }
      const part = bytes.subarray(at, at + this.#left);
      if (this.#header[0] === TYPE.handshake) {
        messages.push(...this.#hellos.push(part));
      }
      at += part.length;
      this.#left -= part.length;
      if (this.#left === 0) this.#header = [];
    }
    return messages;
  }

  /** Starts the record of the header just read; an empty one ends with it. */
  #open(): void {
    const [type, major, , high, low] = this.#header as [
      number,
      number,
      number,
      number,
      number,
    ];
    this.#left = high << 8 | low;
    this.#isOver = type < TYPE.changeCipherSpec || type > TYPE.handshake ||
      major !== 3 || this.#left > MAX_FRAGMENT_BYTES;
    if (this.#left === 0) this.#header = [];
  }
}

/** Whether `bytes`, as far as they go, start as a record with a hello does. */
export function mayStartTls(bytes: Uint8Array): boolean {
  const [type, major, minor, , , message] = bytes;
  return (type ?? TYPE.handshake) === TYPE.handshake && (major ?? 3) === 3 &&
    (minor ?? 0) <= 4 &&
    [CLIENT_HELLO, SERVER_HELLO].includes(message ?? CLIENT_HELLO);
}
