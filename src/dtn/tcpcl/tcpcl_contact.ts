import type { Clock, WaitOptions } from "../../core/async/mod.ts";
import type { Address, Connection } from "../../core/transport/mod.ts";
import { AdaptiveReader } from "../cla/adaptive_reader.ts";
import { ContactError } from "../cla/contact_error.ts";
import {
  type Contact,
  type ContactCounts,
  noContactCounts,
  type ReceivedBundle,
  type RefusalReason,
  type SendOutcome,
} from "../cla/convergence_layer.ts";
import { Inbox } from "../cla/inbox.ts";
import { Wakeup } from "../cla/wakeup.ts";
import { Window, type WindowOptions } from "../cla/window.ts";
import { sessionErrorOf } from "./session_error_of.ts";
import type { SessionOptions } from "./options.ts";
import { type SessionEvent, TcpclSession } from "./session.ts";

/** Options of {@link TcpclContact}. */
export interface TcpclContactOptions {
  /** What our side wants of the session. */
  readonly session: SessionOptions;
  /** Bundles that may wait for an answer of the peer. */
  readonly sending: WindowOptions;
  /** Bundles of the peer that may wait for the node. */
  readonly receiving: WindowOptions;
  /** Longest write; the peer that reads nothing for so long, or up to twice, is left. */
  readonly stallTimeoutMs: number;
  readonly clock: Clock;
}

interface Pending {
  readonly bytes: number;
  readonly resolve: (outcome: SendOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** How long the peer's end is waited for after ours. */
const LINGER_MS = 2_000;

/** A contact over a connection on which contact headers, and TLS if agreed, are done: reads, writes and keeps time for its session. */
export class TcpclContact implements Contact {
  /** As {@link Contact.remoteAddress}. */
  readonly remoteAddress: Address;
  /** Resolves when both sides have sent SESS_INIT; rejects with a {@link ContactError}. */
  readonly opened: Promise<void>;
  /** As {@link Contact.closed}. */
  readonly closed: Promise<void>;
  readonly #connection: Connection;
  readonly #options: TcpclContactOptions;
  readonly #session: TcpclSession;
  readonly #inbox: Inbox;
  readonly #window: Window;
  readonly #pending = new Map<bigint, Pending>();
  readonly #counts: ContactCounts = noContactCounts();
  readonly #writer = new Wakeup();
  readonly #reader = new Wakeup();
  readonly #open = Promise.withResolvers<void>();
  #error: ContactError | undefined;
  #writingSince = Infinity;
  #tickAt = Infinity;
  #cancelTick = () => {};
  #isFinished = false;

  /** Takes over `connection`. */
  constructor(connection: Connection, options: TcpclContactOptions) {
    this.#connection = connection;
    this.#options = options;
    this.remoteAddress = connection.remoteAddress;
    this.#session = new TcpclSession(options.session, options.clock.now());
    this.#inbox = new Inbox(options.receiving);
    this.#window = new Window(options.sending);
    this.opened = this.#open.promise;
    this.opened.catch(() => {});
    this.#arm();
    this.closed = this.#run();
  }

  /** As {@link Contact.peerNodeId}. */
  get peerNodeId(): string | undefined {
    return this.#session.peer?.nodeId || undefined;
  }

  /** As {@link Contact.maxBundleBytes}. */
  get maxBundleBytes(): number {
    return this.#session.maxBundleBytes;
  }

  /** As {@link Contact.received}. */
  get received(): AsyncIterable<ReceivedBundle> {
    return this.#inbox;
  }

  /** As {@link Contact.counts}. */
  get counts(): Readonly<ContactCounts> {
    return { ...this.#counts, refusedByLayer: this.#session.refused };
  }

  /** As {@link Contact.send}. */
  async send(
    bundle: Uint8Array,
    { signal }: WaitOptions = {},
  ): Promise<SendOutcome> {
    signal?.throwIfAborted();
    this.#checkOpen();
    if (bundle.length > this.maxBundleBytes) {
      throw new ContactError(
        "tooLarge",
        `The peer takes ${this.maxBundleBytes} bytes: got ${bundle.length}`,
      );
    }
    if (!this.#window.tryEnter(bundle.length)) {
      await this.#window.enter(bundle.length, { signal });
      if (this.#session.state !== "open") this.#window.leave(bundle.length);
      this.#checkOpen();
    }
    return await this.#transfer(bundle, signal);
  }

  /** As {@link Contact.end}. */
  async end(): Promise<void> {
    this.#handle(this.#session.end("unknown", this.#now()));
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

  #transfer(
    bundle: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<SendOutcome> {
    const { promise, resolve, reject } = Promise.withResolvers<SendOutcome>();
    const id = this.#session.send(bundle);
    const onAbort = () => {
      reject(signal!.reason);
      if (this.#session.cancel(id)) this.#settle(id);
    };
    const release = () => signal?.removeEventListener("abort", onAbort);
    this.#pending.set(id, {
      bytes: bundle.length,
      resolve: (outcome) => (release(), resolve(outcome)),
      reject: (error) => (release(), reject(error)),
    });
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#writer.wake();
    return promise;
  }

  async #run(): Promise<void> {
    await Promise.all([
      this.#readAll().catch((error) => this.#finish(sessionErrorOf(error))),
      this.#writeAll().catch((error) => this.#finish(sessionErrorOf(error))),
    ]);
    this.#finish(new ContactError("closed", "The contact has ended"));
    await this.#connection.closed;
  }

  async #readAll(): Promise<void> {
    const reader = new AdaptiveReader(this.#connection);
    for (;;) {
      await this.#roomToRead();
      const bytes = await reader.read();
      if (bytes === null) break;
      this.#counts.bytesIn += bytes.length;
      this.#handle(this.#session.receive(bytes, this.#now()));
    }
    if (this.#session.state !== "ended") {
      throw new ContactError("disconnected", "The peer ended the connection");
    }
  }

  async #roomToRead(): Promise<void> {
    const session = this.#session;
    while (!this.#hasRoomToRead()) {
      session.pause();
      await this.#reader.sleep();
      session.resume(this.#now());
    }
  }

  #hasRoomToRead(): boolean {
    const session = this.#session;
    return session.state === "ended" ||
      this.#inbox.hasRoom && session.wantsInput;
  }

  async #writeAll(): Promise<void> {
    for (;;) {
      const bytes = this.#session.pull(this.#now());
      if (bytes) {
        this.#writingSince = this.#now();
        await this.#connection.write(bytes);
        this.#writingSince = Infinity;
        this.#counts.bytesOut += bytes.length;
        this.#reader.wake();
      } else if (this.#session.state === "ended") break;
      else await this.#writer.sleep();
    }
    const cancel = this.#options.clock.setTimeout(
      () => this.#connection.close(),
      LINGER_MS,
    );
    void this.#connection.closed.then(cancel);
    await this.#connection.closeWrite();
  }

  #handle(events: readonly SessionEvent[]): void {
    for (const event of events) this.#handleOne(event);
    this.#writer.wake();
    if (this.#session.nextTickMs < this.#tickAt) this.#arm();
  }

  #handleOne(event: SessionEvent): void {
    switch (event.type) {
      case "open":
        return this.#open.resolve();
      case "bundle": {
        const { transferId, bytes } = event;
        this.#counts.received++;
        return this.#inbox.deliver(bytes, (refusal) => {
          this.#decide(transferId, refusal);
        });
      }
      case "acknowledged":
        this.#counts.sent++;
        return this.#settle(event.transferId)?.resolve({
          kind: "acknowledged",
        });
      case "refused":
        this.#counts.refusedByPeer++;
        return this.#settle(event.transferId)?.resolve({
          kind: "refused",
          reason: event.reason,
        });
      case "cancelled":
        for (const id of event.transferIds) {
          this.#settle(id)?.reject(
            new ContactError("closed", "The contact is ending"),
          );
        }
        return;
      case "ended":
        if (event.error) this.#fail(sessionErrorOf(event.error));
        else this.#reader.wake();
    }
  }

  #decide(transferId: bigint, refusal: RefusalReason | undefined): void {
    if (refusal) this.#counts.refusedByNode++;
    const now = this.#now();
    this.#handle(
      refusal
        ? this.#session.refuse(transferId, refusal, now)
        : this.#session.accept(transferId, now),
    );
    this.#reader.wake();
  }

  #settle(id: bigint): Pending | undefined {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    this.#window.leave(pending.bytes);
    return pending;
  }

  #checkOpen(): void {
    if (this.#session.state === "open") return;
    throw this.#error ??
      new ContactError("closed", "The contact is not open any more");
  }

  /** Fails all that waits; what the session has still to say leaves. */
  #fail(error: ContactError): void {
    this.#error ??= error;
    this.#open.reject(this.#error);
    this.#window.close(this.#error);
    for (const id of this.#pending.keys()) {
      this.#settle(id)?.reject(this.#error);
    }
    this.#reader.wake();
  }

  #finish(error: ContactError): void {
    this.#isFinished = true;
    this.#fail(error);
    this.#session.abandon();
    this.#inbox.close();
    this.#cancelTick();
    this.#connection.close();
    this.#writer.wake();
    this.#reader.wake();
  }

  #arm(): void {
    this.#cancelTick();
    if (this.#isFinished) return;
    const { clock, stallTimeoutMs } = this.#options;
    const now = clock.now();
    this.#tickAt = Math.min(this.#session.nextTickMs, now + stallTimeoutMs);
    this.#cancelTick = clock.setTimeout(
      () => this.#tick(),
      Math.max(0, this.#tickAt - now),
    );
  }

  #tick(): void {
    const now = this.#now();
    this.#tickAt = Infinity;
    if (now >= this.#writingSince + this.#options.stallTimeoutMs) {
      return this.#finish(
        new ContactError("timeout", "The peer reads nothing"),
      );
    }
    this.#handle(this.#session.tick(now));
    this.#arm();
  }

  #now(): number {
    return this.#options.clock.now();
  }
}
