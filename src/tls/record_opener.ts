import { type Bytes, concat } from "../core/bytes/mod.ts";
import { CryptoError } from "../core/crypto/mod.ts";
import { fatal } from "./error.ts";
import {
  CONTENT_TYPE,
  type ContentType,
  MAX_PROTECTED_LENGTH,
  MAX_RECORD_CONTENT,
  RECORD_HEADER_LENGTH,
} from "./record.ts";
import type { RecordKeys } from "./record_keys.ts";

/** A record without its protection and padding. */
export interface OpenRecord {
  /** What it holds. */
  readonly type: ContentType;
  /** Its content, in the bytes that were fed, or, if it was not encrypted, good until the next record is asked for. */
  readonly content: Uint8Array;
}

const EMPTY = new Uint8Array(0);
const MAJOR_VERSION = 3;

/** Cuts the peer's bytes into records and opens them, one at a time, so that keys can change between two. */
export class RecordOpener implements Disposable {
  #keys: RecordKeys | undefined;
  #input: Uint8Array = EMPTY;
  /** The first `#heldLength` bytes are the start of a record whose rest was not fed yet. */
  #held: Uint8Array = EMPTY;
  #heldLength = 0;
  #skippableBytes = 0;
  #hasOpened = false;

  /** Expects what follows under `keys`, and takes them over. */
  useKeys(keys: RecordKeys): void {
    this.#keys?.[Symbol.dispose]();
    this.#keys = keys;
  }

  /** Moves on to the peer's next key. */
  updateKeys(): void {
    this.#keys?.update();
  }

  /**
   * Drops encrypted records that do not open, until one does or `bytes` of them have come: the early data that a server
   * refused (RFC 8446 §4.2.10).
   */
  skipEarlyData(bytes: number): void {
    this.#skippableBytes = bytes;
  }

  /**
   * Adds bytes of the peer, which are overwritten by what records hold. They must not change until {@link next} has given
   * `undefined`, or {@link keep} was called, nor while the content of a record is in use.
   */
  feed(bytes: Uint8Array): void {
    this.#input = this.#input.length > 0 ? concat(this.#input, bytes) : bytes;
  }

  /** Copies what was fed and not yet taken, for whoever stops before {@link next} gives `undefined`. */
  keep(): void {
    if (this.#input.length > 0) this.#input = this.#input.slice();
  }

  /**
   * Opens the next record, or gives `undefined` if its end was not fed yet.
   *
   * @throws {TlsError} `bad_record_mac`, `record_overflow` or `unexpected_message` (RFC 8446 §5.1, §5.2, §5.4).
   */
  next(): OpenRecord | undefined {
    let record;
    while ((record = this.#nextRecord())) {
      const opened = this.#open(record);
      if (opened) return opened;
    }
    return undefined;
  }

  /** Wipes the keys; nothing can be opened any more. */
  [Symbol.dispose](): void {
    this.#keys?.[Symbol.dispose]();
    this.#input = EMPTY;
  }

  /** One whole record, header included. */
  #nextRecord(): Uint8Array | undefined {
    if (this.#heldLength > 0) return this.#completeHeld();
    const input = this.#input;
    if (input.length >= RECORD_HEADER_LENGTH) {
      const length = recordLength(input);
      if (input.length >= length) {
        this.#input = input.subarray(length);
        return input.subarray(0, length);
      }
    }
    this.#hold(input.length);
    return undefined;
  }

  #completeHeld(): Uint8Array | undefined {
    this.#hold(RECORD_HEADER_LENGTH - this.#heldLength);
    if (this.#heldLength < RECORD_HEADER_LENGTH) return undefined;
    const length = recordLength(this.#held);
    this.#hold(length - this.#heldLength);
    if (this.#heldLength < length) return undefined;
    this.#heldLength = 0;
    return this.#held.subarray(0, length);
  }

  /** Moves up to `length` bytes of the input behind those held. */
  #hold(length: number): void {
    const part = this.#input.subarray(0, Math.max(0, length));
    if (part.length === 0) return;
    if (this.#held.length === 0) {
      this.#held = new Uint8Array(RECORD_HEADER_LENGTH + MAX_PROTECTED_LENGTH);
    }
    this.#held.set(part, this.#heldLength);
    this.#heldLength += part.length;
    this.#input = this.#input.subarray(part.length);
  }

  #open(record: Uint8Array): OpenRecord | undefined {
    const type = record[0] as ContentType;
    const content = record.subarray(RECORD_HEADER_LENGTH);
    const keys = this.#keys;
    if (type === CONTENT_TYPE.applicationData) {
      if (keys) return this.#openProtected(keys, record);
      this.#skip(content.length, "unexpected_message");
      return undefined;
    }
    // A peer that could not follow our first flight has no keys to encrypt its alert with; later ones must be authentic.
    const isEarlyAlert = type === CONTENT_TYPE.alert && !this.#hasOpened;
    if (keys && type !== CONTENT_TYPE.changeCipherSpec && !isEarlyAlert) {
      throw fatal("unexpectedMessage", "Record is not encrypted");
    }
    return { type, content };
  }

  #openProtected(
    keys: RecordKeys,
    record: Uint8Array,
  ): OpenRecord | undefined {
    const header = record.subarray(0, RECORD_HEADER_LENGTH);
    const sealed = record.subarray(RECORD_HEADER_LENGTH) as Bytes;
    const isHeld = record.buffer === this.#held.buffer; // what comes next takes its place
    let inner;
    try {
      const out = isHeld ? undefined : sealed;
      inner = keys.aead.open(keys.nonce(), sealed, header, out);
    } catch (cause) {
      if (!(cause instanceof CryptoError)) throw cause;
      this.#skip(sealed.length, "bad_record_mac", cause);
      return undefined;
    }
    keys.advance();
    this.#hasOpened = true;
    this.#skippableBytes = 0;
    return unpad(inner);
  }

  #skip(
    bytes: number,
    otherwise: "unexpected_message" | "bad_record_mac",
    cause?: CryptoError,
  ): void {
    if (bytes > 0 && bytes <= this.#skippableBytes) {
      this.#skippableBytes -= bytes;
      return;
    }
    throw otherwise === "bad_record_mac"
      ? fatal("badRecordMac", "Record does not open", { cause })
      : fatal("unexpectedMessage", "Application data before any keys");
  }
}

/** Whole length of the record that `header` starts. */
function recordLength(header: Uint8Array): number {
  const type = header[0]!;
  const length = header[3]! << 8 | header[4]!;
  if (header[1] !== MAJOR_VERSION) { // as OpenSSL and BoringSSL
    throw fatal("protocolVersion", `Record of major version ${header[1]}`);
  }
  if (
    type < CONTENT_TYPE.changeCipherSpec || type > CONTENT_TYPE.applicationData
  ) {
    throw fatal("unexpectedMessage", `Unknown record type ${type}`); // §5
  }
  const limit = type === CONTENT_TYPE.applicationData // before any keys it is early data
    ? MAX_PROTECTED_LENGTH
    : MAX_RECORD_CONTENT;
  if (length > limit) {
    throw fatal("recordOverflow", `Record of ${length} bytes`); // §5.1, §5.2
  }
  return RECORD_HEADER_LENGTH + length;
}

/** Takes the padding and the content type off (RFC 8446 §5.4). */
function unpad(inner: Uint8Array): OpenRecord {
  if (inner.length > MAX_RECORD_CONTENT + 1) {
    throw fatal("recordOverflow", `Record holds ${inner.length} bytes`);
  }
  let end = inner.length - 1;
  while (end >= 0 && inner[end] === 0) end--;
  if (end < 0) throw fatal("unexpectedMessage", "Record without a type");
  const type = inner[end] as ContentType;
  if (type < CONTENT_TYPE.alert || type > CONTENT_TYPE.applicationData) {
    throw fatal("unexpectedMessage", `Encrypted record of type ${type}`); // §5
  }
  return { type, content: inner.subarray(0, end) };
}
