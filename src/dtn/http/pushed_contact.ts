import type { Clock } from "../../core/async/mod.ts";
import { concat } from "../../core/bytes/mod.ts";
import {
  type Address,
  type Connection,
  encodeResponseHead,
} from "../../core/transport/mod.ts";
import { AdaptiveReader } from "../cla/adaptive_reader.ts";
import { ContactError, contactErrorOf } from "../cla/contact_error.ts";
import {
  type Contact,
  type ContactCounts,
  noContactCounts,
  type ReceivedBundle,
  type SendOutcome,
} from "../cla/convergence_layer.ts";
import { Inbox } from "../cla/inbox.ts";
import { Wakeup } from "../cla/wakeup.ts";
import type { WindowOptions } from "../cla/window.ts";
import {
  PushDecoder,
  type PushDecoderOptions,
  type PushEvent,
} from "./push_decoder.ts";
import { type PushStatus, REASON_PHRASES, statusOf } from "./push_status.ts";

/** Options of {@link PushedContact}. */
export interface PushedContactOptions extends PushDecoderOptions {
  /** Bundles of the peer that may wait for the node. */
  readonly receiving: WindowOptions;
  /** Longest silence of a peer that waits for nothing. */
  readonly idleTimeoutMs: number;
  /** Longest write. */
  readonly stallTimeoutMs: number;
  readonly clock: Clock;
}

/** An answer that waits for those before it, and for the node if it has no status yet. */
interface Answer {
  status: PushStatus | 100 | undefined;
  readonly isLast: boolean;
}

/** How long the peer's end is waited for after ours, and the node after the peer's. */
const LINGER_MS = 2_000;

/** A peer that pushes bundles to us over one connection. Nothing goes back but answers, in the order of the requests. */
export class PushedContact implements Contact {
  /** As {@link Contact.remoteAddress}. */
  readonly remoteAddress: Address;
  /** Absent: HTTP push has no such thing. */
  readonly peerNodeId = undefined;
  /** None can be sent. */
  readonly maxBundleBytes = 0;
  /** As {@link Contact.counts}. */
  readonly counts: ContactCounts = noContactCounts();
  /** As {@link Contact.closed}. */
  readonly closed: Promise<void>;
  readonly #connection: Connection;
  readonly #options: PushedContactOptions;
  readonly #decoder: PushDecoder;
  readonly #inbox: Inbox;
  readonly #writer = new Wakeup();
  readonly #reader = new Wakeup();
  readonly #answers: Answer[] = [];
  /** Gives back the room of bundles that the node has not decided about. */
  readonly #held = new Set<() => void>();
  #isEnding = false;
  #error: ContactError | undefined;

  /** Takes over `connection`. */
  constructor(connection: Connection, options: PushedContactOptions) {
    this.#connection = connection;
    this.#options = options;
    this.remoteAddress = connection.remoteAddress;
    this.#decoder = new PushDecoder(options);
    this.#inbox = new Inbox(options.receiving);
    this.closed = this.#run();
  }

  /** As {@link Contact.received}. */
  get received(): AsyncIterable<ReceivedBundle> {
    return this.#inbox;
  }

  /** Rejects: whoever was pushed to cannot push back on the same connection. */
  send(): Promise<SendOutcome> {
    return Promise.reject(
      this.#error ??
        new ContactError("tooLarge", "A listener of HTTP push sends nothing"),
    );
  }

  /** As {@link Contact.end}; what the peer is sending now gets no answer. */
  async end(): Promise<void> {
    this.#end();
    await this.closed;
  }

  /** As {@link Contact.close}. */
  close(): void {
    this.#finish(new ContactError("closed", "The contact was closed"));
  }

  /** Closes it, and waits until that is done. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.closed;
  }

  async #run(): Promise<void> {
    await Promise.all([
      this.#readAll().catch((error) => this.#finish(contactErrorOf(error))),
      this.#writeAll().catch((error) => this.#finish(contactErrorOf(error))),
    ]);
    this.#finish(new ContactError("closed", "The contact has ended"));
    await this.#connection.closed;
  }

  async #readAll(): Promise<void> {
    const reader = new AdaptiveReader(this.#connection);
    for (;;) {
      while (!this.#hasRoom) await this.#reader.sleep();
      const bytes = await this.#read(reader);
      if (bytes === null) break;
      this.counts.bytesIn += bytes.length;
      for (const event of this.#decoder.decode(bytes)) this.#take(event);
    }
    if (this.#decoder.isInside) {
      throw new ContactError("disconnected", "The peer ended in a request");
    }
    this.#end();
    this.#linger();
  }

  /** What came next; a peer is left that is silent for too long while we owe it nothing. */
  async #read(reader: AdaptiveReader): Promise<Uint8Array | null> {
    const { clock, idleTimeoutMs } = this.#options;
    const onIdle = () => {
      if (this.#answers.length === 0) {
        this.#finish(new ContactError("timeout", "The peer sends nothing"));
      } else cancel = clock.setTimeout(onIdle, idleTimeoutMs);
    };
    let cancel = clock.setTimeout(onIdle, idleTimeoutMs);
    try {
      return await reader.read();
    } finally {
      cancel();
    }
  }

  get #hasRoom(): boolean {
    if (this.#error || this.#isEnding) return true;
    return this.#inbox.hasRoom &&
      this.#answers.length < this.#options.receiving.maxCount;
  }

  #take(event: PushEvent): void {
    if (event.kind === "continue") {
      this.#answers.push({ status: 100, isLast: false });
      return this.#writer.wake();
    }
    const { isLast } = event;
    if (event.kind === "refused") {
      this.counts.refusedByLayer++;
      this.#answers.push({ status: event.status, isLast });
      return this.#writer.wake();
    }
    const answer: Answer = { status: undefined, isLast };
    this.#answers.push(answer);
    this.counts.received++;
    const { bytes, free } = event;
    this.#held.add(free);
    this.#inbox.deliver(bytes, (refusal) => {
      this.#held.delete(free);
      free();
      if (refusal) this.counts.refusedByNode++;
      answer.status = statusOf(refusal);
      this.#reader.wake();
      this.#writer.wake();
    });
  }

  async #writeAll(): Promise<void> {
    for (let isLast = false; !isLast;) {
      const batch = this.#settled();
      if (batch.length > 0) {
        await this.#write(concat(...batch.map(encodeAnswer)));
        isLast = batch.some((answer) => answer.isLast);
        this.#reader.wake();
      } else if (this.#error || this.#isEnding && this.#answers.length === 0) {
        break;
      } else await this.#writer.sleep();
    }
    this.#end();
    this.#linger();
    await this.#connection.closeWrite();
  }

  /** One side has ended: the other gets so long. */
  #linger(): void {
    const cancel = this.#options.clock.setTimeout(
      () => this.#finish(new ContactError("closed", "The contact has ended")),
      LINGER_MS,
    );
    void this.#connection.closed.then(cancel);
  }

  /** Takes the answers that are known, as far as none before them waits. */
  #settled(): Answer[] {
    const waiting = this.#answers.findIndex(({ status }) =>
      status === undefined
    );
    return this.#answers.splice(
      0,
      waiting < 0 ? this.#answers.length : waiting,
    );
  }

  async #write(bytes: Uint8Array): Promise<void> {
    const { clock, stallTimeoutMs } = this.#options;
    const cancel = clock.setTimeout(() => {
      this.#finish(new ContactError("timeout", "The peer reads nothing"));
    }, stallTimeoutMs);
    try {
      await this.#connection.write(bytes);
    } finally {
      cancel();
    }
    this.counts.bytesOut += bytes.length;
  }

  /** Takes no more; what waits for the node is still answered. */
  #end(): void {
    this.#isEnding = true;
    this.#decoder.stop();
    this.#writer.wake();
    this.#reader.wake();
  }

  #finish(error: ContactError): void {
    if (this.#error) return;
    this.#error = error;
    this.#decoder.stop();
    for (const free of this.#held) free();
    this.#inbox.close();
    this.#connection.close();
    this.#writer.wake();
    this.#reader.wake();
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
