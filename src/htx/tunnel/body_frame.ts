import { DecodeError } from "../../core/bytes/mod.ts";
import type { BodyLength } from "./connect.ts";

/** Longest chunk-size line in bytes, extensions included. */
const CHUNK_LINE_LIMIT = 256;

/** Largest chunk that is passed on: 2^40 − 1 bytes, ten hexadecimal digits. */
const CHUNK_SIZE_DIGITS = 10;

type ChunkState =
  | "size"
  | "extension"
  | "size_lf"
  | "data"
  | "data_cr"
  | "data_lf"
  | "end_cr"
  | "end_lf";

/**
 * Finds where the body of one message ends (RFC 9112 §6, §7.1), one byte of framing after the other, so that what was
 * passed on is always the start of a valid body.
 *
 * Trailer fields are refused: nobody behind this proxy asked for them.
 */
export class BodyFrame {
  #remaining: number;
  #done: boolean;
  readonly #chunked: boolean;
  #state: ChunkState = "size";
  #size = 0;
  #lineBytes = 0;
  #digits = 0;

  /** Starts before the first byte of a body. */
  constructor(body: BodyLength) {
    this.#chunked = body === "chunked";
    this.#remaining = body === "chunked" ? 0 : body;
    this.#done = body === 0;
  }

  /** Whether the body has ended. */
  get done(): boolean {
    return this.#done;
  }

  /**
   * How many of `bytes`, which follow those of the last call, belong to the body.
   *
   * @throws {DecodeError} If the chunked coding is malformed.
   */
  take(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && !this.#done) {
      if (this.#remaining > 0) {
        const n = Math.min(this.#remaining, bytes.length - at);
        this.#remaining -= n;
        at += n;
        if (this.#remaining === 0) this.#endData();
      } else {
        this.#step(bytes[at++]!);
      }
    }
    return at;
  }

  #endData(): void {
    if (this.#chunked) this.#state = "data_cr";
    else this.#done = true;
  }

  #step(byte: number): void {
    switch (this.#state) {
      case "size":
      case "extension":
        return this.#sizeLine(byte);
      case "size_lf":
        expect(byte, LF);
        this.#state = this.#size === 0 ? "end_cr" : "data";
        this.#remaining = this.#size;
        this.#size = this.#digits = this.#lineBytes = 0;
        return;
      case "data_cr":
      case "end_cr":
        expect(byte, CR);
        this.#state = this.#state === "data_cr" ? "data_lf" : "end_lf";
        return;
      case "data_lf":
        expect(byte, LF);
        this.#state = "size";
        return;
      case "end_lf":
        expect(byte, LF);
        this.#done = true;
    }
  }

  #sizeLine(byte: number): void {
    if (++this.#lineBytes > CHUNK_LINE_LIMIT) throw malformed("long line");
    if (byte === CR && this.#digits > 0) {
      this.#state = "size_lf";
    } else if (this.#state === "extension") {
      if (byte !== 0x09 && (byte < 0x20 || byte === 0x7f)) {
        throw malformed("control byte in an extension");
      }
    } else if (byte === SEMICOLON && this.#digits > 0) {
      this.#state = "extension";
    } else {
      const digit = hexDigit(byte);
      if (digit === undefined || ++this.#digits > CHUNK_SIZE_DIGITS) {
        throw malformed("size");
      }
      this.#size = this.#size * 16 + digit;
    }
  }
}

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;

function hexDigit(byte: number): number | undefined {
  const value = parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? undefined : value;
}

function expect(byte: number, wanted: number): void {
  if (byte !== wanted) throw malformed("line end");
}

function malformed(reason: string): DecodeError {
  return new DecodeError("chunked body", reason);
}
