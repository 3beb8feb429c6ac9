import type { HeaderField } from "./hpack_table.ts";
import { Http2Error } from "./http2_error.ts";
import { checkFields } from "./message_fields.ts";
import { ReceiveWindow } from "./receive_window.ts";

/** Which end of a connection this is. */
export type Http2Role = "client" | "server";

/** One stream that has not ended both ways, and the message that comes on it (RFC 9113 §8.1). */
export class Http2Stream {
  /** Odd: clients open them. */
  readonly id: number;
  /** What the peer may send. */
  readonly receiveWindow: ReceiveWindow;
  /** What we may send; negative after the peer has made its windows smaller. */
  sendWindow: number;
  /** Whether we have sent END_STREAM. */
  localEnded = false;
  /** Whether the peer has. */
  remoteEnded = false;
  /** `:method`, in a client. */
  method = "";
  /** Whether the fields of the message have come, which those of a 1xx are not. */
  #begun = false;
  /** Bytes that `content-length` still announces. */
  #announced: number | undefined;

  /** Opens it. */
  constructor(id: number, receiveBytes: number, sendBytes: number) {
    this.id = id;
    this.receiveWindow = new ReceiveWindow(receiveBytes);
    this.sendWindow = sendBytes;
  }

  /** Whether nothing of the message has come, or 1xx only. */
  get awaitsFields(): boolean {
    return !this.#begun;
  }

  /**
   * Takes fields that came to the end that is `role`.
   *
   * @throws {Http2Error} `protocolError` of the stream if the message is malformed.
   */
  takeFields(
    role: Http2Role,
    fields: readonly HeaderField[],
    endStream: boolean,
  ): void {
    if (this.#begun) {
      this.#check(endStream, "Trailers that do not end");
      checkFields("trailers", fields, this.id);
      return this.#count(0, endStream);
    }
    const section = role === "server" ? "request" : "response";
    const message = checkFields(section, fields, this.id);
    const { status = 200, contentLength } = message;
    if (status < 200) return this.#check(!endStream, "1xx that ends");
    this.#begun = true;
    const empty = this.method === "HEAD" || status === 304;
    if (!empty) this.#announced = contentLength;
    this.#count(0, endStream);
  }

  /**
   * Takes `length` bytes of content.
   *
   * @throws {Http2Error} As {@link takeFields}.
   */
  takeContent(length: number, endStream: boolean): void {
    this.#check(this.#begun, "DATA in front of HEADERS");
    this.#count(length, endStream);
  }

  #count(length: number, endStream: boolean): void {
    if (endStream) this.remoteEnded = true;
    if (this.#announced === undefined) return;
    this.#announced -= length;
    const fits = endStream ? this.#announced === 0 : this.#announced >= 0;
    this.#check(fits, "Content is not as long as its Content-Length");
  }

  #check(good: boolean, reason: string): void {
    if (good) return;
    throw new Http2Error("protocolError", reason, { streamId: this.id });
  }
}
