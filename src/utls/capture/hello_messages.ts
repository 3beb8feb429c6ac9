import { type Bytes, Writer } from "../../core/bytes/mod.ts";
import { CLIENT_HELLO } from "../client_hello.ts";
import { SERVER_HELLO } from "../server_hello.ts";

/** Longest hello that is put together; browsers send about 2,000 bytes. */
export const MAX_HELLO_BYTES = 65_536;

/** Most hellos that one side sends: before and after a HelloRetryRequest. */
export const MAX_HELLOS = 2;

/** Puts together the hellos at the start of a stream of handshake messages. */
export class HelloMessages {
  #message = new Writer();
  #head: number[] = [];
  #count = 0;
  #isOver = false;
  #isOversized = false;

  /** Whether no hello can follow: {@link MAX_HELLOS} or another message came, or one of more than {@link MAX_HELLO_BYTES}. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** How many hellos were complete. */
  get count(): number {
    return this.#count;
  }

  /** Whether a hello claimed more than {@link MAX_HELLO_BYTES}. */
  get isOversized(): boolean {
    return this.#isOversized;
  }

  /** Takes the next bytes, and returns the messages that they complete. */
  push(bytes: Uint8Array): Bytes[] {
    const messages: Bytes[] = [];
    let at = 0;
    while (at < bytes.length && !this.#isOver) {
      while (this.#head.length < 4 && at < bytes.length) {
        this.#head.push(bytes[at]!);
        this.#message.u8(bytes[at++]!);
      }
      if (this.#head.length < 4) break;
      const length = this.#length();
      if (length === undefined) break;
      const missing = length - this.#message.length;
      const part = bytes.subarray(at, at + missing);
      this.#message.put(part);
      at += part.length;
      if (part.length < missing) break;
      messages.push(this.#message.finish());
      this.#isOver = ++this.#count >= MAX_HELLOS;
      this.#message = new Writer();
      this.#head = [];
    }
    return messages;
  }

  /** Length of the message under way with its header; `undefined` ends it all. */
  #length(): number | undefined {
    const [type, high, middle, low] = this.#head as [
      number,
      number,
      number,
      number,
    ];
    const isHello = type === CLIENT_HELLO || type === SERVER_HELLO;
    const length = 4 + (high << 16 | middle << 8 | low);
    if (isHello && length <= MAX_HELLO_BYTES) return length;
    this.#isOver = true;
    this.#isOversized = isHello;
    return undefined;
  }
}
