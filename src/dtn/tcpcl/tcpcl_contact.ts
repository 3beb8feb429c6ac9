import type { Clock } from "../../core/async/mod.ts";
import type { Connection } from "../../core/transport/mod.ts";
import {
  ConnectionContact,
  type ConnectionContactOptions,
} from "../cla/connection_contact.ts";
import { ContactError, endingError } from "../cla/contact_error.ts";
import type { RefusalReason } from "../cla/convergence_layer.ts";
import type { Outgoing } from "../cla/outgoing.ts";
import type { SessionOptions } from "./options.ts";
import { type SessionEvent, TcpclSession } from "./session.ts";
import { sessionErrorOf } from "./session_error_of.ts";

/** Options of {@link TcpclContact}. The peer that reads nothing for the stall timeout, or up to twice, is left. */
export interface TcpclContactOptions extends ConnectionContactOptions {
  /** What our side wants of the session. */
  readonly session: SessionOptions;
}

/** A contact over a connection on which contact headers, and TLS if agreed, are done: reads, writes and keeps time for its session. */
export class TcpclContact extends ConnectionContact {
  /** Resolves when both sides have sent SESS_INIT; rejects with a {@link ContactError}. */
  readonly opened: Promise<void>;
  readonly #clock: Clock;
  readonly #stallTimeoutMs: number;
  readonly #session: TcpclSession;
  /** Bundles whose outcome the peer has not told. */
  readonly #transfers = new Map<bigint, Outgoing>();
  readonly #open = Promise.withResolvers<void>();
  #failure: ContactError | undefined;
  #writingSince = Infinity;
  #tickAt = Infinity;
  #cancelTick = () => {};

  /** Takes over `connection`. */
  constructor(connection: Connection, options: TcpclContactOptions) {
    super(connection, options);
    this.#clock = options.clock;
    this.#stallTimeoutMs = options.stallTimeoutMs;
    this.#session = new TcpclSession(options.session, options.clock.now());
    this.opened = this.#open.promise;
    this.opened.catch(() => {});
    this.#arm();
  }

  /** As {@link Contact.peerNodeId}. */
  get peerNodeId(): string | undefined {
    return this.#session.peer?.nodeId || undefined;
  }

  /** As {@link Contact.maxBundleBytes}. */
  get maxBundleBytes(): number {
    return this.#session.maxBundleBytes;
  }

  protected override async roomToRead(): Promise<void> {
    while (!this.#hasRoomToRead) {
      this.#session.pause();
      await this.reader.sleep();
      this.#session.resume(this.#now());
    }
  }

  protected override take(bytes: Uint8Array): void {
    this.#handle(this.#session.receive(bytes, this.#now()));
  }

  protected override peerEnded(): void {
    if (this.#session.state !== "ended") {
      throw new ContactError("disconnected", "The peer ended the connection");
    }
  }

  protected override queue(outgoing: Outgoing): () => boolean {
    const id = this.#session.send(outgoing.bundle);
    this.#transfers.set(id, outgoing);
    return () => this.#session.cancel(id) && this.#transfers.delete(id);
  }

  protected override writeNext(): Promise<void> | undefined {
    const bytes = this.#session.pull(this.#now());
    return bytes && this.#writeOut(bytes);
  }

  protected override get hasSaidAll(): boolean {
    return this.#session.state === "ended";
  }

  protected override beginEnding(): void {
    this.#handle(this.#session.end("unknown", this.#now()));
  }

  protected override checkOpen(): void {
    if (this.#session.state === "open") return;
    throw this.#failure ??
      new ContactError("closed", "The contact is not open any more");
  }

  protected override letGo(error: ContactError): void {
    this.#fail(error);
    this.#session.abandon();
    this.#cancelTick();
  }

  protected override errorOf(cause: unknown): ContactError {
    return sessionErrorOf(cause);
  }

  get #hasRoomToRead(): boolean {
    const session = this.#session;
    return session.state === "ended" ||
      this.inbox.hasRoom && session.wantsInput;
  }

  /** Times the write without a timer of its own: contacts of many small bundles write often. */
  async #writeOut(bytes: Uint8Array): Promise<void> {
    this.#writingSince = this.#now();
    await this.connection.write(bytes);
    this.#writingSince = Infinity;
    this.counts.bytesOut += bytes.length;
    this.reader.wake();
  }

  #handle(events: readonly SessionEvent[]): void {
    for (const event of events) this.#handleOne(event);
    this.counts.refusedByLayer = this.#session.refused;
    this.writer.wake();
    if (this.#session.nextTickMs < this.#tickAt) this.#arm();
  }

  #handleOne(event: SessionEvent): void {
    switch (event.type) {
      case "open":
        return this.#open.resolve();
      case "bundle": {
        const { transferId, bytes } = event;
        return this.deliver(bytes, (refusal) => {
          this.#decide(transferId, refusal);
        });
      }
      case "acknowledged":
        return this.#settle(event.transferId)?.resolve({
          kind: "acknowledged",
        });
      case "refused":
        return this.#settle(event.transferId)?.resolve({
          kind: "refused",
          reason: event.reason,
        });
      case "cancelled":
        for (const id of event.transferIds) {
          this.#settle(id)?.reject(endingError());
        }
        return;
      case "ended":
        if (event.error) this.#fail(sessionErrorOf(event.error));
        this.reader.wake();
    }
  }

  #decide(transferId: bigint, refusal: RefusalReason | undefined): void {
    const now = this.#now();
    this.#handle(
      refusal
        ? this.#session.refuse(transferId, refusal, now)
        : this.#session.accept(transferId, now),
    );
  }

  #settle(id: bigint): Outgoing | undefined {
    const outgoing = this.#transfers.get(id);
    this.#transfers.delete(id);
    return outgoing;
  }

  /** Fails all that waits; what the session has still to say leaves. */
  #fail(error: ContactError): void {
    this.#failure ??= error;
    this.#open.reject(this.#failure);
    this.failSending(this.#failure);
  }

  #arm(): void {
    this.#cancelTick();
    if (this.error) return;
    const now = this.#now();
    this.#tickAt = Math.min(
      this.#session.nextTickMs,
      now + this.#stallTimeoutMs,
    );
    this.#cancelTick = this.#clock.setTimeout(
      () => this.#tick(),
      Math.max(0, this.#tickAt - now),
    );
  }

  #tick(): void {
    const now = this.#now();
    this.#tickAt = Infinity;
    if (now >= this.#writingSince + this.#stallTimeoutMs) {
      return this.finish(new ContactError("timeout", "The peer reads nothing"));
    }
    this.#handle(this.#session.tick(now));
    this.#arm();
  }

  #now(): number {
    return this.#clock.now();
  }
}
