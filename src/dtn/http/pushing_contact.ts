import type { Clock, WaitOptions } from "../../core/async/mod.ts";
import { concat } from "../../core/bytes/mod.ts";
import {
  type Address,
  type Connection,
  encodeRequestHead,
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
import { Window, type WindowOptions } from "../cla/window.ts";
import { AnswerDecoder, type PushAnswer } from "./answer_decoder.ts";
import type { PushPlace } from "./push_place.ts";
import { refusalOf } from "./push_status.ts";

/** Options of {@link PushingContact}. */
export interface PushingContactOptions
  extends Pick<PushPlace, "host" | "path"> {
  /** Most bytes of a bundle. */
  readonly maxBundleBytes: number;
  /** Bundles that may be under way. */
  readonly sending: WindowOptions;
  /** Longest time without progress while bundles are under way. */
  readonly stallTimeoutMs: number;
  readonly clock: Clock;
}

interface Outgoing {
  readonly bundle: Uint8Array;
  readonly resolve: (outcome: SendOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** What is gathered for one write, and the parts in which larger bundles are written. */
const GATHER_BYTES = 65_536;
const PART_BYTES = 1_048_576;
/** How long the peer's end is waited for after ours. */
const LINGER_MS = 2_000;

/**
 * Pushes bundles over one connection, each as a request. They follow each other without waiting for answers (RFC 9112 §9.3.2): a
 * bundle whose answer is lost may be sent again, as nodes know those that they have.
 */
export class PushingContact implements Contact {
  /** As {@link Contact.remoteAddress}. */
  readonly remoteAddress: Address;
  /** Absent: HTTP push has no such thing. */
  readonly peerNodeId = undefined;
  /** As {@link Contact.maxBundleBytes}: what we take ourselves. */
  readonly maxBundleBytes: number;
  /** As {@link Contact.counts}. */
  readonly counts: ContactCounts = noContactCounts();
  /** As {@link Contact.closed}. */
  readonly closed: Promise<void>;
  readonly #connection: Connection;
  readonly #options: PushingContactOptions;
  readonly #decoder = new AnswerDecoder();
  /** Always empty: the peer sends answers only. */
  readonly #inbox = new Inbox({ maxCount: 0, maxBytes: 0 });
  readonly #window: Window;
  readonly #writer = new Wakeup();
  /** Not written yet. */
  readonly #outgoing = new Set<Outgoing>();
  /** Written, at least in part, and not answered, in order. */
  readonly #asked: Outgoing[] = [];
  #cancelWatch: (() => void) | undefined;
  #isEnding = false;
  #error: ContactError | undefined;

  /** Takes over `connection`. */
  constructor(connection: Connection, options: PushingContactOptions) {
    this.#connection = connection;
    this.#options = options;
    this.remoteAddress = connection.remoteAddress;
    this.maxBundleBytes = options.maxBundleBytes;
    this.#window = new Window(options.sending);
    this.closed = this.#run();
  }

  /** Nothing comes: it ends with the contact. */
  get received(): AsyncIterable<ReceivedBundle> {
    return this.#inbox;
  }

  /** As {@link Contact.send}; acknowledged by status 200. */
  async send(
    bundle: Uint8Array,
    { signal }: WaitOptions = {},
  ): Promise<SendOutcome> {
    signal?.throwIfAborted();
    this.#checkOpen();
    if (bundle.length > this.maxBundleBytes) {
      throw new ContactError(
        "tooLarge",
        `Want at most ${this.maxBundleBytes} bytes: got ${bundle.length}`,
      );
    }
    await this.#window.enter(bundle.length, { signal });
    const { promise, resolve, reject } = Promise.withResolvers<SendOutcome>();
    const outgoing = { bundle, resolve, reject };
    const onAbort = () => {
      // Beyond here it counts as under way until it is answered.
      if (this.#outgoing.delete(outgoing)) this.#window.leave(bundle.length);
      reject(signal!.reason);
    };
    try {
      signal?.throwIfAborted();
      this.#checkOpen();
    } catch (error) {
      this.#window.leave(bundle.length);
      throw error;
    }
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#outgoing.add(outgoing);
    this.#writer.wake();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** As {@link Contact.end}. */
  async end(): Promise<void> {
    this.#isEnding = true;
    this.#writer.wake();
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
    await this.#connection.closed;
  }

  async #readAll(): Promise<void> {
    const reader = new AdaptiveReader(this.#connection);
    for (;;) {
      const bytes = await reader.read();
      if (bytes === null) break;
      this.counts.bytesIn += bytes.length;
      for (const answer of this.#decoder.decode(bytes)) this.#settle(answer);
    }
    this.#finish(new ContactError("disconnected", "The peer has ended"));
  }

  #settle({ status, isLast }: PushAnswer): void {
    const outgoing = this.#asked.shift();
    if (!outgoing) {
      throw new ContactError("violation", "An answer that nobody asked for");
    }
    const reason = refusalOf(status);
    if (reason) this.counts.refusedByPeer++;
    else this.counts.sent++;
    this.#window.leave(outgoing.bundle.length);
    outgoing.resolve(
      reason ? { kind: "refused", reason } : { kind: "acknowledged" },
    );
    this.#watch();
    this.#writer.wake();
    if (isLast) {
      throw new ContactError("disconnected", "The peer ends the connection");
    }
  }

  async #writeAll(): Promise<void> {
    for (;;) {
      const batch = this.#gather();
      if (batch.length > 0) await this.#writeBatch(batch);
      else if (this.#error || this.#isEnding && this.#asked.length === 0) break;
      else await this.#writer.sleep();
    }
    const cancel = this.#options.clock.setTimeout(
      () => this.#connection.close(),
      LINGER_MS,
    );
    void this.#connection.closed.then(cancel);
    await this.#connection.closeWrite();
  }

  /** The bundles that one write takes: several small ones, or one. */
  #gather(): Outgoing[] {
    const batch = [];
    let length = 0;
    for (const outgoing of this.#outgoing) {
      length += outgoing.bundle.length;
      if (batch.length > 0 && length > GATHER_BYTES) break;
      batch.push(outgoing);
      this.#outgoing.delete(outgoing);
    }
    this.#asked.push(...batch);
    return batch;
  }

  async #writeBatch(batch: readonly Outgoing[]): Promise<void> {
    const parts = batch.flatMap(({ bundle }) => [this.#head(bundle), bundle]);
    const chunks = batch.length > 1 ? [concat(...parts)] : parts;
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += PART_BYTES) {
        this.#watch();
        const part = chunk.subarray(at, at + PART_BYTES);
        await this.#connection.write(part);
        this.counts.bytesOut += part.length;
      }
    }
    this.#watch();
  }

  #head(bundle: Uint8Array): Uint8Array {
    const { host, path } = this.#options;
    return encodeRequestHead({
      method: "POST",
      target: path,
      fields: [
        ["Host", host],
        ["Content-Type", "application/cbor"],
        ["Content-Length", `${bundle.length}`],
      ],
    });
  }

  /** There was progress: the time without any begins again while something is under way. */
  #watch(): void {
    this.#cancelWatch?.();
    this.#cancelWatch = undefined;
    if (this.#asked.length === 0 || this.#error) return;
    const { clock, stallTimeoutMs } = this.#options;
    this.#cancelWatch = clock.setTimeout(() => {
      this.#finish(
        new ContactError("timeout", "The peer neither reads nor answers"),
      );
    }, stallTimeoutMs);
  }

  #checkOpen(): void {
    if (this.#error) throw this.#error;
    if (this.#isEnding) {
      throw new ContactError("closed", "The contact is ending");
    }
  }

  #finish(error: ContactError): void {
    if (this.#error) return;
    this.#error = this.#isEnding && error.code === "disconnected"
      ? new ContactError("closed", "The contact has ended", { cause: error })
      : error;
    this.#cancelWatch?.();
    this.#window.close(error);
    for (const { reject } of [...this.#asked, ...this.#outgoing]) reject(error);
    this.#asked.length = 0;
    this.#outgoing.clear();
    this.#inbox.close();
    this.#connection.close();
    this.#writer.wake();
  }
}
