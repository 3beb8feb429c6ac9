import { concat } from "../../core/bytes/mod.ts";
import {
  type Connection,
  encodeResponseHead,
} from "../../core/transport/mod.ts";
import {
  ConnectionContact,
  type ConnectionContactOptions,
} from "../cla/connection_contact.ts";
import { ContactError } from "../cla/contact_error.ts";
import {
  PushDecoder,
  type PushDecoderOptions,
  type PushEvent,
} from "./push_decoder.ts";
import { type PushStatus, REASON_PHRASES, statusOf } from "./push_status.ts";

/** Options of {@link PushedContact}. */
export interface PushedContactOptions
  extends ConnectionContactOptions, PushDecoderOptions {
  /** Longest silence of a peer that waits for nothing. */
  readonly idleTimeoutMs: number;
}

/** An answer that waits for those before it, and for the node if it has no status yet. */
interface Answer {
  status: PushStatus | 100 | undefined;
  readonly isLast: boolean;
}

/** A peer that pushes bundles to us over one connection. Nothing goes back but answers, in the order of the requests. */
export class PushedContact extends ConnectionContact {
  /** Absent: HTTP push has no such thing. */
  readonly peerNodeId = undefined;
  /** None can be sent. */
  readonly maxBundleBytes = 0;
  readonly #options: PushedContactOptions;
  readonly #decoder: PushDecoder;
  readonly #answers: Answer[] = [];
  #cancelIdle = () => {};

  /** Takes over `connection`. */
  constructor(connection: Connection, options: PushedContactOptions) {
    super(connection, options);
    this.#options = options;
    this.#decoder = new PushDecoder(options);
    this.#awaitRequest();
  }

  protected override async roomToRead(): Promise<void> {
    while (!this.#hasRoom) await this.reader.sleep();
  }

  protected override get isReceiving(): boolean {
    return this.#decoder.isInside;
  }

  protected override take(bytes: Uint8Array): void {
    this.#awaitRequest();
    for (const event of this.#decoder.decode(bytes)) this.#answer(event);
    this.writer.wake();
  }

  protected override peerEnded(): void {
    if (this.#decoder.isInside) {
      throw new ContactError("disconnected", "The peer ended in a request");
    }
    this.beginEnding();
    this.linger();
  }

  /** Whoever was pushed to cannot push back on the same connection. */
  protected override queue(): never {
    throw new ContactError("tooLarge", "A listener of HTTP push sends nothing");
  }

  protected override writeNext(): Promise<void> | undefined {
    const answers = this.#takeSettled();
    return answers.length > 0 ? this.#write(answers) : undefined;
  }

  protected override get hasSaidAll(): boolean {
    return this.isEnding && this.#answers.length === 0;
  }

  /** Takes no more, not even what the peer is sending now; what waits for the node is still answered. */
  protected override beginEnding(): void {
    this.#decoder.stop();
    super.beginEnding();
  }

  protected override letGo(): void {
    this.#cancelIdle();
    this.#decoder.stop();
  }

  get #hasRoom(): boolean {
    if (this.error || this.isEnding) return true;
    return this.inbox.hasRoom &&
      this.#answers.length < this.#options.receiving.maxCount;
  }

  /** Leaves a peer that is silent for too long while we owe it nothing. */
  #awaitRequest(): void {
    this.#cancelIdle();
    const { clock, idleTimeoutMs } = this.#options;
    this.#cancelIdle = clock.setTimeout(() => {
      if (this.#answers.length > 0) return this.#awaitRequest();
      this.finish(new ContactError("timeout", "The peer sends nothing"));
    }, idleTimeoutMs);
  }

  #answer(event: PushEvent): void {
    if (event.kind === "continue") {
      this.#answers.push({ status: 100, isLast: false });
      return;
    }
    const { isLast } = event;
    if (event.kind === "refused") {
      this.counts.refusedByLayer++;
      this.#answers.push({ status: event.status, isLast });
      return;
    }
    const answer: Answer = { status: undefined, isLast };
    this.#answers.push(answer);
    const free = this.hold(event.free);
    this.deliver(event.bytes, (refusal) => {
      free();
      answer.status = statusOf(refusal);
      this.writer.wake();
    });
  }

  /** Takes the answers that are known, as far as none before them waits. */
  #takeSettled(): Answer[] {
    const waiting = this.#answers.findIndex(({ status }) =>
      status === undefined
    );
    return this.#answers.splice(
      0,
      waiting < 0 ? this.#answers.length : waiting,
    );
  }

  async #write(answers: readonly Answer[]): Promise<void> {
    await this.write(concat(...answers.map(encodeAnswer)));
    if (answers.some(({ isLast }) => isLast)) this.beginEnding();
    this.reader.wake();
  }
}

function encodeAnswer({ status, isLast }: Answer): Uint8Array {
  if (status === 100) {
    return encodeResponseHead({ status, reason: "Continue", fields: [] });
  }
  return encodeResponseHead({
    status: status!,
    reason: REASON_PHRASES[status!],
    fields: [
      ["Content-Length", "0"],
      ...isLast ? [["Connection", "close"] as const] : [],
    ],
  });
}
