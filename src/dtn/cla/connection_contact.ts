import type { Clock, WaitOptions } from "../../core/async/mod.ts";
import type { Bytes } from "../../core/bytes/mod.ts";
import type { Address, Connection } from "../../core/transport/mod.ts";
import { AdaptiveReader } from "./adaptive_reader.ts";
import { ContactError, contactErrorOf, endingError } from "./contact_error.ts";
import {
  type Contact,
  type ContactCounts,
  noContactCounts,
  type ReceivedBundle,
  type SendOutcome,
} from "./convergence_layer.ts";
import { Inbox, type Settle } from "./inbox.ts";
import { type Outgoing, OutgoingBundles } from "./outgoing.ts";
import { Wakeup } from "./wakeup.ts";
import type { WindowOptions } from "./window.ts";

/** Options of {@link ConnectionContact}. */
export interface ConnectionContactOptions {
  /** Bundles that may be under way to the peer, until their outcome. */
  readonly sending: WindowOptions;
  /** Bundles of the peer that may wait for the node. */
  readonly receiving: WindowOptions;
  /** Longest time without progress while the peer has something to read or to answer, or is in the middle of a bundle. */
  readonly stallTimeoutMs: number;
  readonly clock: Clock;
}

/** The parts in which {@link ConnectionContact.write} writes, each of which is progress. */
const PART_BYTES = 1_048_576;
/** How long the peer's end is waited for after ours. */
const LINGER_MS = 2_000;

/**
 * What contacts over a connection share: a loop that reads, a loop that writes, the windows, and one end for all of it. A layer says
 * what bytes that came mean ({@link take}), what leaves next ({@link writeNext}) and when nothing more does ({@link hasSaidAll}).
 */
export abstract class ConnectionContact implements Contact {
  /** As {@link Contact.peerNodeId}. */
  abstract readonly peerNodeId: string | undefined;
  /** As {@link Contact.maxBundleBytes}. */
  abstract readonly maxBundleBytes: number;
  /** As {@link Contact.remoteAddress}. */
  readonly remoteAddress: Address;
  /** As {@link Contact.counts}. */
  readonly counts: ContactCounts = noContactCounts();
  /** As {@link Contact.closed}. */
  readonly closed: Promise<void>;
  protected readonly connection: Connection;
  protected readonly inbox: Inbox;
  /** Woken when {@link roomToRead} or {@link writeNext} may find something else than before. */
  protected readonly reader = new Wakeup();
  protected readonly writer = new Wakeup();
  /** Whether no new bundles are taken to be sent. */
  protected isEnding = false;
  readonly #options: ConnectionContactOptions;
  readonly #outgoing: OutgoingBundles;
  /** Gives back the room of bundles that the node has not decided about. */
  readonly #held = new Set<() => void>();
  #isWriting = false;
  #cancelStall: (() => void) | undefined;
  #error: ContactError | undefined;

  /** Takes over `connection`; the loops start when the constructors are through. */
  constructor(connection: Connection, options: ConnectionContactOptions) {
    this.connection = connection;
    this.#options = options;
    this.remoteAddress = connection.remoteAddress;
    this.inbox = new Inbox(options.receiving);
    this.#outgoing = new OutgoingBundles(options.sending, this.counts);
    this.closed = Promise.resolve().then(() => this.#run());
  }

  /** As {@link Contact.received}. */
  get received(): AsyncIterable<ReceivedBundle> {
    return this.inbox;
  }

  /** As {@link Contact.send}. */
  async send(
    bundle: Uint8Array,
    options: WaitOptions = {},
  ): Promise<SendOutcome> {
    options.signal?.throwIfAborted();
    this.checkOpen();
    const { length } = bundle;
    if (length > this.maxBundleBytes) {
      throw new ContactError(
        "tooLarge",
        `Want at most ${this.maxBundleBytes} bytes: got ${length}`,
      );
    }
    return await this.#outgoing.send(
      bundle,
      options,
      () => this.checkOpen(),
      (outgoing) => {
        this.writer.wake();
        return this.queue(outgoing);
      },
    );
  }

  /** As {@link Contact.end}. */
  async end(): Promise<void> {
    this.beginEnding();
    await this.closed;
  }

  /** As {@link Contact.close}. */
  close(): void {
    this.finish(new ContactError("closed", "The contact was closed"));
  }

  /** Closes it, and waits until that is done. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.closed;
  }

  /** Takes bytes of the peer. What it throws is the end. */
  protected abstract take(bytes: Uint8Array): void;

  /** The peer writes no more. What it throws is the end. */
  protected abstract peerEnded(): void;

  /** Queues a bundle, and gives what takes it back and says whether nothing of it had left. */
  protected abstract queue(outgoing: Outgoing): () => boolean;

  /** Writes what there is to write now; `undefined` if there is nothing. */
  protected abstract writeNext(): Promise<void> | undefined;

  /** Whether nothing more will be written. */
  protected abstract readonly hasSaidAll: boolean;

  /** Lets go of what the layer holds, at the end. */
  protected abstract letGo(error: ContactError): void;

  /** Why the contact is over. */
  protected get error(): ContactError | undefined {
    return this.#error;
  }

  /** Whether the peer owes an answer, and so is to make progress. */
  protected get isOwed(): boolean {
    return false;
  }

  /** What an error of the loops is to the node. */
  protected errorOf(cause: unknown): ContactError {
    return contactErrorOf(cause);
  }

  /** Whether the peer is in the middle of a bundle, whose room it would hold without going on. */
  protected get isReceiving(): boolean {
    return false;
  }

  /** Waits until more of the peer may be read. */
  protected async roomToRead(): Promise<void> {
    while (!this.inbox.hasRoom && !this.#error) await this.reader.sleep();
  }

  /** Takes no new bundles to be sent. */
  protected beginEnding(): void {
    this.isEnding = true;
    this.reader.wake();
    this.writer.wake();
  }

  protected checkOpen(): void {
    if (this.isEnding) throw endingError();
    if (this.#error) throw this.#error;
  }

  /** Gives a bundle that came whole to the node, and reads on when there is room again. */
  protected deliver(bytes: Bytes, settle: Settle): void {
    this.counts.received++;
    this.inbox.deliver(bytes, (refusal) => {
      if (refusal) this.counts.refusedByNode++;
      settle(refusal);
      this.reader.wake();
    });
  }

  /** Gives back room once: by what it returns, or at the end. */
  protected hold(free: () => void): () => void {
    this.#held.add(free);
    return () => {
      if (this.#held.delete(free)) free();
    };
  }

  /** Writes in parts, of which none may take longer than the stall timeout. */
  protected async write(bytes: Uint8Array): Promise<void> {
    this.#isWriting = true;
    for (let at = 0; at < bytes.length; at += PART_BYTES) {
      const part = bytes.subarray(at, at + PART_BYTES);
      this.progress();
      await this.connection.write(part);
      this.counts.bytesOut += part.length;
    }
    this.#isWriting = false;
    this.progress();
  }

  /** The peer has read or answered: the time without any of it begins again. */
  protected progress(): void {
    this.#cancelStall?.();
    this.#cancelStall = undefined;
    if (this.#error || !this.#isWriting && !this.isOwed) return;
    const { clock, stallTimeoutMs } = this.#options;
    this.#cancelStall = clock.setTimeout(() => {
      this.finish(new ContactError("timeout", "The peer stands still"));
    }, stallTimeoutMs);
  }

  /** One side has ended: the other gets so long. */
  protected linger(): void {
    const cancel = this.#options.clock.setTimeout(
      () => this.finish(new ContactError("closed", "The contact has ended")),
      LINGER_MS,
    );
    void this.connection.closed.then(cancel);
  }

  /** Fails all that is or would be under way to the peer. */
  protected failSending(error: ContactError): void {
    this.#outgoing.fail(error);
  }

  /** Ends it at once; the first error counts. */
  protected finish(error: ContactError): void {
    if (this.#error) return;
    this.#error = error;
    this.#cancelStall?.();
    this.failSending(error);
    this.letGo(error);
    for (const free of this.#held) free();
    this.#held.clear();
    this.inbox.close();
    this.connection.close();
    this.reader.wake();
    this.writer.wake();
  }

  async #run(): Promise<void> {
    await Promise.all([
      this.#readAll().catch((error) => this.finish(this.errorOf(error))),
      this.#writeAll().catch((error) => this.finish(this.errorOf(error))),
    ]);
    this.finish(new ContactError("closed", "The contact has ended"));
    await this.connection.closed;
  }

  async #readAll(): Promise<void> {
    const reader = new AdaptiveReader(this.connection);
    for (;;) {
      await this.roomToRead();
      const bytes = await (this.isReceiving
        ? this.#within(reader.read(), "The peer stops in a bundle")
        : reader.read());
      if (this.#error) {
        return;
      }
      if (bytes === null) {
        break;
      }
      this.counts.bytesIn += bytes.length;
      this.take(bytes);
    }
    this.peerEnded();
  }

  /** Ends the contact unless `work` is done in time. */
  async #within<T>(work: Promise<T>, complaint: string): Promise<T> {
    const { clock, stallTimeoutMs } = this.#options;
    const cancel = clock.setTimeout(() => {
      this.finish(new ContactError("timeout", complaint));
    }, stallTimeoutMs);
    try {
      return await work;
    } finally {
      cancel();
    }
  }

  async #writeAll(): Promise<void> {
    while (!this.#error) {
      const writing = this.writeNext();
      if (writing) await writing;
      else if (this.hasSaidAll) break;
      else await this.writer.sleep();
    }
    this.linger();
    await this.connection.closeWrite();
  }
}
