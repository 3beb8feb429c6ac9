import type { Bytes } from "../core/bytes/mod.ts";
import { fatal } from "./error.ts";
import { HANDSHAKE_TYPE } from "./messages/handshake_type.ts";

const HEADER_LENGTH = 4;
const MAX_BODY_LENGTH = 1 << 14;
/** Bodies that may be longer than 2^14 bytes. */
const MAX_BODY_LENGTH_OF: Readonly<Record<number, number>> = {
  [HANDSHAKE_TYPE.certificate]: 1 << 18,
  [HANDSHAKE_TYPE.compressedCertificate]: 1 << 18,
  [HANDSHAKE_TYPE.certificateRequest]: 1 << 16, // names of authorities
  [HANDSHAKE_TYPE.newSessionTicket]: (1 << 16) + 512,
};

/**
 * Joins handshake messages that were spread over records, and parts those that share one (RFC 8446 §5.1).
 *
 * It holds at most one message and one record.
 */
export class HandshakeReader {
  #bytes: Bytes = new Uint8Array(0);
  #start = 0;
  #end = 0;

  /** Whether no message is begun: only then may another kind of record come, or the keys change. */
  get isEmpty(): boolean {
    return this.#start === this.#end;
  }

  /**
   * Adds the content of a handshake record, which is copied.
   *
   * @throws {TlsError} `unexpected_message` if it is empty (RFC 8446 §5.1).
   */
  push(content: Uint8Array): void {
    if (content.length === 0) {
      throw fatal("unexpectedMessage", "Empty handshake record");
    }
    this.#makeRoom(content.length);
    this.#bytes.set(content, this.#end);
    this.#end += content.length;
  }

  /**
   * Takes the next message, header included, or gives `undefined` if its end has not come.
   *
   * @throws {TlsError} `illegal_parameter` if it says that it is longer than its type allows here.
   */
  next(): Bytes | undefined {
    const held = this.#bytes.subarray(this.#start, this.#end);
    if (held.length < HEADER_LENGTH) return undefined;
    const type = held[0]!;
    const length = held[1]! << 16 | held[2]! << 8 | held[3]!;
    if (length > (MAX_BODY_LENGTH_OF[type] ?? MAX_BODY_LENGTH)) {
      throw fatal("illegalParameter", `Handshake message of ${length} bytes`);
    }
    if (held.length < HEADER_LENGTH + length) return undefined;
    this.#start += HEADER_LENGTH + length;
    if (this.isEmpty) this.#release();
    return held.slice(0, HEADER_LENGTH + length);
  }

  #makeRoom(length: number): void {
    if (this.#end + length <= this.#bytes.length) return;
    const held = this.#bytes.subarray(this.#start, this.#end);
    const bytes = new Uint8Array(
      Math.max(held.length + length, 2 * held.length),
    );
    bytes.set(held);
    this.#bytes = bytes;
    this.#start = 0;
    this.#end = held.length;
  }

  #release(): void {
    this.#bytes = new Uint8Array(0);
    this.#start = 0;
    this.#end = 0;
  }
}
