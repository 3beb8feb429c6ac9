import type { Clock, WaitOptions } from "../../core/async/mod.ts";
import { concat } from "../../core/bytes/mod.ts";
import type { Address, Connection } from "../../core/transport/mod.ts";
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
import {
  type MtcpBundle,
  MtcpDecoder,
  type MtcpDecoderOptions,
  mtcpHead,
} from "./mtcp_decoder.ts";

/** Options of {@link MtcpContact}. */
export interface MtcpContactOptions extends MtcpDecoderOptions {
  /** Bundles that may wait to be written. */
  readonly sending: WindowOptions;
  /** Bundles of the peer that may wait for the node. */
  readonly receiving: WindowOptions;
  /** Longest write. */
  readonly stallTimeoutMs: number;
  readonly clock: Clock;
}

interface Outgoing {
  readonly bundle: Uint8Array;
  readonly resolve: (outcome: SendOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** What is gathered for one write; larger bundles are written from where they lie. */
const GATHER_BYTES = 65_536;
/** How long the peer's end is waited for after ours. */
const LINGER_MS = 2_000;

/** A contact of MTCP: bundles back to back on a connection, without acknowledgements. */
export class MtcpContact implements Contact {
  /** As {@link Contact.remoteAddress}. */
  readonly remoteAddress: Address;
  /** Absent: MTCP has no such thing. */
  readonly peerNodeId = undefined;
  /** As {@link Contact.maxBundleBytes}: what we take ourselves. */
  readonly maxBundleBytes: number;
  /** As {@link Contact.counts}. */
  readonly counts: ContactCounts = noContactCounts();
  /** As {@link Contact.closed}. */
  readonly closed: Promise<void>;
  readonly #connection: Connection;
  readonly #options: MtcpContactOptions;
  readonly #decoder: MtcpDecoder;
  readonly #inbox: Inbox;
  readonly #window: Window;
  readonly #writer = new Wakeup();
  readonly #reader = new Wakeup();
  readonly #outgoing = new Set<Outgoing>();
  /** Gives back the room of bundles that the node has not decided about. */
  readonly #held = new Set<() => void>();
  #isEnding = false;
  #error: ContactError | undefined;

  /** Takes over `connection`. */
  constructor(connection: Connection, options: MtcpContactOptions) {
    this.#connection = connection;
    this.#options = options;
    this.remoteAddress = connection.remoteAddress;
    this.maxBundleBytes = options.maxBundleBytes;
    this.#decoder = new MtcpDecoder(options);
    this.#inbox = new Inbox(options.receiving);
    this.#window = new Window(options.sending);
    this.closed = this.#run();
  }

  /** As {@link Contact.received}. */
  get received(): AsyncIterable<ReceivedBundle> {
    return this.#inbox;
  }

  /** As {@link Contact.send}; handed over once the connection took it all. */
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
    try {
      this.#checkOpen();
      return await this.#write(bundle, signal);
    } finally {
      this.#window.leave(bundle.length);
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

  async #write(
    bundle: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<SendOutcome> {
    const { promise, resolve, reject } = Promise.withResolvers<SendOutcome>();
    const outgoing = { bundle, resolve, reject };
    const onAbort = () => {
      this.#outgoing.delete(outgoing);
      reject(signal!.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#outgoing.add(outgoing);
    this.#writer.wake();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
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
      while (!this.#inbox.hasRoom && !this.#error) await this.#reader.sleep();
      const bytes = await reader.read();
      if (bytes === null) break;
      this.counts.bytesIn += bytes.length;
      for (const bundle of this.#decoder.decode(bytes)) this.#deliver(bundle);
    }
    if (this.#decoder.isInside) {
      throw new ContactError("disconnected", "The peer ended in a bundle");
    }
    this.#isEnding = true;
    this.#writer.wake();
  }

  #deliver({ bytes, free }: MtcpBundle): void {
    this.counts.received++;
    this.#held.add(free);
    this.#inbox.deliver(bytes, (refusal) => {
      this.#held.delete(free);
      free();
      if (refusal) this.counts.refusedByNode++;
      this.#reader.wake();
    });
  }

  async #writeAll(): Promise<void> {
    for (;;) {
      const batch = this.#gather();
      if (batch.length > 0) await this.#writeBatch(batch);
      else if (this.#isEnding || this.#error) break;
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
    return batch;
  }

  async #writeBatch(batch: readonly Outgoing[]): Promise<void> {
    const { clock, stallTimeoutMs } = this.#options;
    const cancel = clock.setTimeout(() => {
      this.#finish(new ContactError("timeout", "The peer reads nothing"));
    }, stallTimeoutMs);
    try {
      const parts = batch.flatMap(({ bundle }) => [
        mtcpHead(bundle.length),
        bundle,
      ]);
      const chunks = batch.length > 1 ? [concat(...parts)] : parts;
      for (const chunk of chunks) {
        await this.#connection.write(chunk);
        this.counts.bytesOut += chunk.length;
      }
    } catch (error) {
      for (const { reject } of batch) {
        reject(this.#error ?? contactErrorOf(error));
      }
      throw error;
    } finally {
      cancel();
    }
    this.counts.sent += batch.length;
    for (const { resolve } of batch) resolve({ kind: "handedOver" });
  }

  #checkOpen(): void {
    if (this.#error) throw this.#error;
    if (this.#isEnding) {
      throw new ContactError("closed", "The contact is ending");
    }
  }

  #finish(error: ContactError): void {
    if (this.#error) return;
    this.#error = error;
    this.#window.close(error);
    for (const { reject } of this.#outgoing) reject(error);
    this.#outgoing.clear();
    this.#decoder.close();
    for (const free of this.#held) free();
    this.#inbox.close();
    this.#connection.close();
    this.#writer.wake();
    this.#reader.wake();
  }
}
