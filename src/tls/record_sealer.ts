import { borrow, type Bytes } from "../core/bytes/mod.ts";
import {
  CONTENT_TYPE,
  type ContentType,
  MAX_RECORD_CONTENT,
  PROTECTION_LENGTH,
  RECORD_HEADER_LENGTH,
  RECORD_VERSION,
  writeRecordHeader,
} from "./record.ts";
import type { RecordKeys } from "./record_keys.ts";

/** Makes the records of our direction: plaintext until it has keys. */
export class RecordSealer implements Disposable {
  #keys: RecordKeys | undefined;
  #maxContent = MAX_RECORD_CONTENT;

  /** Protects what follows with `keys`, and takes them over. */
  useKeys(keys: RecordKeys): void {
    this.#keys?.[Symbol.dispose]();
    this.#keys = keys;
  }

  /**
   * Puts at most `length` bytes in a record from now on, as the peer's `record_size_limit` asks (RFC 8449).
   *
   * @throws {RangeError} If `length` is not in 63 … 2^14.
   */
  limitContent(length: number): void {
    if (!(length >= 63 && length <= MAX_RECORD_CONTENT)) {
      throw new RangeError(`A record must hold 63 to 16384 bytes: ${length}`);
    }
    this.#maxContent = length;
  }

  /** Whether `length` further bytes of content would pass the suite's limit of records under one key (RFC 8446 §5.5). */
  updateDue(length: number): boolean {
    const keys = this.#keys;
    if (!keys) return false;
    const records = Math.ceil(length / this.#maxContent);
    return keys.sequence + records + 1 > keys.suite.maxRecords; // 1 for the KeyUpdate
  }

  /** Moves on to our next key, right after the KeyUpdate that says so. */
  updateKeys(): void {
    this.#keys?.update();
  }

  /**
   * The records that hold `content`, as many as it needs, in one array, which may be given back; empty application data makes one empty record.
   *
   * @param version `legacy_record_version` of unprotected records.
   */
  seal(
    type: ContentType,
    content: Uint8Array,
    version: number = RECORD_VERSION,
  ): Bytes {
    const count = Math.max(1, Math.ceil(content.length / this.#maxContent));
    const isPlain = !this.#keys || type === CONTENT_TYPE.changeCipherSpec;
    const overhead = RECORD_HEADER_LENGTH + (isPlain ? 0 : PROTECTION_LENGTH);
    const out = borrow(content.length + count * overhead);
    for (let i = 0, at = 0; i < count; i++) {
      const start = i * this.#maxContent;
      const part = content.subarray(start, start + this.#maxContent);
      at = isPlain
        ? writePlain(out, at, type, version, part)
        : this.#writeProtected(this.#keys!, out, at, type, part);
    }
    return out;
  }

  /** Wipes the keys; nothing can be sealed any more but in the clear. */
  [Symbol.dispose](): void {
    this.#keys?.[Symbol.dispose]();
  }

  #writeProtected(
    keys: RecordKeys,
    out: Bytes,
    at: number,
    type: ContentType,
    content: Uint8Array,
  ): number {
    const length = content.length + PROTECTION_LENGTH;
    const start = at + RECORD_HEADER_LENGTH;
    writeRecordHeader(
      out,
      at,
      CONTENT_TYPE.applicationData,
      RECORD_VERSION,
      length,
    );
    out.set(content, start);
    out[start + content.length] = type;
    keys.aead.seal(
      keys.nonce(),
      out.subarray(start, start + content.length + 1),
      out.subarray(at, start),
      out.subarray(start, start + length),
    );
    keys.advance();
    return start + length;
  }
}

function writePlain(
  out: Bytes,
  at: number,
  type: ContentType,
  version: number,
  content: Uint8Array,
): number {
  writeRecordHeader(out, at, type, version, content.length);
  out.set(content, at + RECORD_HEADER_LENGTH);
  return at + RECORD_HEADER_LENGTH + content.length;
}
