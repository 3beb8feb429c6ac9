import {
  decodeResponseHead,
  fieldValue,
  type ResponseHead,
} from "../../core/transport/mod.ts";
import { HeadGatherer } from "./head_gatherer.ts";

/** What a peer answered to one request. */
export interface PushAnswer {
  /** Its status, 200 to 599. */
  readonly status: number;
  /** Whether no other answer can follow on the connection. */
  readonly isLast: boolean;
}

/** Longest body of an answer that is read to get at the next one. */
const MAX_BODY_BYTES = 65_536;

/** Takes the bytes of a connection as they come and gives the answers that they hold; bodies are let go. */
export class AnswerDecoder {
  readonly #head = new HeadGatherer(decodeResponseHead);
  #bodyLeft = 0;
  #isOver = false;

  /**
   * Gives the answers whose heads `bytes` complete; nothing more behind the last.
   *
   * @throws {ContactError} `violation` if it is no HTTP/1.1.
   */
  *decode(bytes: Uint8Array): Generator<PushAnswer, void> {
    for (let rest = bytes; !this.#isOver && rest.length > 0;) {
      const skipped = Math.min(this.#bodyLeft, rest.length);
      this.#bodyLeft -= skipped;
      rest = rest.subarray(skipped);
      if (rest.length === 0) return;
      const gathered = this.#head.add(rest);
      if (!gathered) return;
      rest = gathered.rest;
      const { status } = gathered.head;
      if (status < 200) continue;
      const bodyBytes = bodyBytesOf(gathered.head);
      this.#isOver = bodyBytes === undefined ||
        /close/i.test(fieldValue(gathered.head.fields, "connection") ?? "");
      this.#bodyLeft = bodyBytes ?? 0;
      yield { status, isLast: this.#isOver };
    }
  }
}

/** The length of an answer's body; `undefined` if it is too long, or told otherwise than by Content-Length. */
function bodyBytesOf({ status, fields }: ResponseHead): number | undefined {
  if (status === 204) return 0;
  const text = fieldValue(fields, "content-length");
  if (text === undefined || !/^[0-9]{1,5}$/.test(text)) return undefined;
  return Number(text) <= MAX_BODY_BYTES ? Number(text) : undefined;
}
