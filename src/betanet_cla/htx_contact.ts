import type { Clock, WaitOptions } from "../core/async/mod.ts";
import type { Address } from "../core/transport/mod.ts";
import {
  cla,
  type Contact,
  type ContactCounts,
  ContactError,
  type ReceivedBundle,
  type RefusalReason,
  type SendOutcome,
  type WindowOptions,
} from "../dtn/mod.ts";
import type { Session, SessionEnd, Stream } from "../htx/mod.ts";
import { contactErrorOf } from "./contact_error_of.ts";
import type { Hello } from "./hello.ts";
import { IncomingBundle } from "./incoming_bundle.ts";
import { readAnswer, writeBundle } from "./send_bundle.ts";
import { StallWatch } from "./stall_watch.ts";

/** Options of {@link HtxContact}. */
export interface HtxContactOptions {
  /** Bundles that may wait for an answer of the peer. */
  readonly sending: WindowOptions;
  /** Bundles of the peer, whole or in part, that may be under way to the node; the peer was told. */
  readonly receiving: WindowOptions;
  /** Most bytes of a bundle that we take. */
  readonly maxBundleBytes: number;
  /** What bundles that come take room of. */
  readonly budget: cla.ByteBudget;
  /** How long nothing may move while a bundle is on its way. */
  readonly stallTimeoutMs: number;
  /** How long bundles under way may take to their outcome once a side wants to end. */
  readonly endTimeoutMs: number;
  readonly clock: Clock;
}

/** A contact over a session of HTX on whose control stream both sides have said hello. */
export class HtxContact implements Contact {
  /** As {@link Contact.remoteAddress}. */
  readonly remoteAddress: Address;
  /** As {@link Contact.peerNodeId}. */
  readonly peerNodeId: string;
  /** As {@link Contact.maxBundleBytes}. */
  readonly maxBundleBytes: number;
  /** As {@link Contact.closed}. */
  readonly closed: Promise<void>;
  readonly #session: Session;
  readonly #control: Stream;
  readonly #options: HtxContactOptions;
  readonly #counts: ContactCounts = cla.noContactCounts();
  readonly #inbox: cla.Inbox;
  readonly #sendWindow: cla.Window;
  readonly #receiveWindow: cla.Window;
  readonly #stalls: StallWatch;
  /** Fails those who wait for the outcome of a bundle. */
  readonly #sending = new Set<(error: unknown) => void>();
  readonly #incoming = new Set<IncomingBundle>();
  #cancelEnding: (() => void) | undefined;
  #hasTakenLeave = false;
  #hasPeerTakenLeave = false;
  #error: ContactError | undefined;

  /** Takes over `session`, on whose stream `control` the peer has said `hello`. */
  constructor(
    session: Session,
    control: Stream,
    hello: Hello,
    options: HtxContactOptions,
  ) {
    this.#session = session;
    this.#control = control;
    this.#options = options;
    this.remoteAddress = session.remoteAddress;
    this.peerNodeId = hello.nodeId;
    this.maxBundleBytes = hello.maxBundleBytes;
    this.#inbox = new cla.Inbox(options.receiving);
    this.#sendWindow = new cla.Window(both(options.sending, hello.receiving));
    this.#receiveWindow = new cla.Window(options.receiving);
    this.#stalls = new StallWatch({
      clock: options.clock,
      timeoutMs: options.stallTimeoutMs,
      progress: () => session.stats.bytesIn + session.stats.bytesOut,
      onStall: () =>
        this.#finish(new ContactError("timeout", "The peer stands still")),
    });
    this.closed = session.closed.then((end) => this.#finish(errorOf(end)));
    this.#hearControl().catch((error) => this.#finish(contactErrorOf(error)));
    this.#acceptAll().catch((error) => this.#finish(contactErrorOf(error)));
  }

  /** As {@link Contact.received}; a small bundle may overtake a large one. */
  get received(): AsyncIterable<ReceivedBundle> {
    return this.#inbox;
  }

  /** As {@link Contact.counts}; bytes are those of streams, without what HTX adds. */
  get counts(): Readonly<ContactCounts> {
    const { bytesIn, bytesOut } = this.#session.stats;
    return { ...this.#counts, bytesIn, bytesOut };
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
    await this.#sendWindow.enter(bundle.length, { signal });
    try {
      this.#checkOpen();
    } catch (error) {
      this.#sendWindow.leave(bundle.length);
      throw error;
    }
    return await this.#start(bundle, signal);
  }

  /** As {@link Contact.end}. */
  async end(): Promise<void> {
    this.#beginEnding();
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

  /** Sends a bundle that has entered the window, which it leaves with its outcome even if the caller has stopped waiting. */
  async #start(
    bundle: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<SendOutcome> {
    const { promise, resolve, reject } = Promise.withResolvers<SendOutcome>();
    const onAbort = () => reject(signal!.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#sending.add(reject);
    this.#transfer(bundle, signal).then(resolve, reject).finally(() => {
      this.#sendWindow.leave(bundle.length);
      this.#sending.delete(reject);
      this.#takeLeave();
    });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async #transfer(
    bundle: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<SendOutcome> {
    try {
      const stream = await this.#session.open(signal && { signal });
      if (signal?.aborted) stream.close();
      signal?.throwIfAborted();
      const outcome = await this.#stalls.during(writeBundle(stream, bundle)) ??
        await readAnswer(stream);
      if (outcome.kind === "refused") this.#counts.refusedByPeer++;
      else this.#counts.sent++;
      return outcome;
    } catch (cause) {
      signal?.throwIfAborted();
      // HTX gives a stream up only with its session; whoever resets one of these does not play by the rules.
      this.#finish(contactErrorOf(cause));
      throw this.#error;
    }
  }

  async #acceptAll(): Promise<void> {
    for await (const stream of this.#session) {
      if (this.#hasPeerTakenLeave) {
        throw new ContactError("violation", "The peer sends after its leave");
      }
      void this.#receive(stream);
    }
  }

  async #receive(stream: Stream): Promise<void> {
    const bundle = new IncomingBundle(stream, {
      maxBundleBytes: this.#options.maxBundleBytes,
      room: this.#receiveWindow,
      budget: this.#options.budget,
    });
    if (this.#incoming.size >= this.#options.receiving.maxCount) {
      return this.#refuse(bundle, "noResources");
    }
    this.#incoming.add(bundle);
    try {
      const bytes = await this.#stalls.during(bundle.read());
      if (this.#error) this.#letGo(bundle);
      else if (typeof bytes === "string") this.#refuse(bundle, bytes);
      else {
        this.#counts.received++;
        this.#inbox.deliver(bytes, (reason) => this.#decide(bundle, reason));
      }
    } catch {
      // The peer took the bundle back, or the session is over: the sender still has it.
      this.#letGo(bundle);
    }
  }

  #refuse(bundle: IncomingBundle, reason: RefusalReason): void {
    this.#letGo(bundle);
    this.#counts.refusedByLayer++;
    bundle.refuse(reason);
  }

  #decide(bundle: IncomingBundle, refusal: RefusalReason | undefined): void {
    if (refusal) this.#counts.refusedByNode++;
    if (!this.#letGo(bundle)) return;
    // Who cannot be answered does not know the outcome, and sends again.
    bundle.answer(refusal).catch(() => {});
  }

  #letGo(bundle: IncomingBundle): boolean {
    bundle.free();
    return this.#incoming.delete(bundle);
  }

  /** After hello the control stream has one thing to say: its end is the peer's leave. */
  async #hearControl(): Promise<void> {
    if (await this.#control.read(new Uint8Array(1)) !== null) {
      throw new ContactError("violation", "Want nothing after the hello");
    }
    this.#hasPeerTakenLeave = true;
    this.#beginEnding();
    this.#partIfBothLeft();
  }

  #beginEnding(): void {
    if (this.#cancelEnding || this.#error) return;
    const { clock, endTimeoutMs } = this.#options;
    this.#cancelEnding = clock.setTimeout(() => {
      this.#finish(new ContactError("timeout", "The peer takes no leave"));
    }, endTimeoutMs);
    this.#sendWindow.close(ending());
    this.#takeLeave();
  }

  /** Ends our side of the control stream once all that we sent has its outcome. */
  #takeLeave(): void {
    const isDone = this.#cancelEnding && this.#sending.size === 0;
    if (!isDone || this.#hasTakenLeave || this.#error) return;
    this.#hasTakenLeave = true;
    this.#control.closeWrite().then(
      () => this.#partIfBothLeft(),
      (error) => this.#finish(contactErrorOf(error)),
    );
  }

  #partIfBothLeft(): void {
    if (this.#hasTakenLeave && this.#hasPeerTakenLeave) {
      void this.#session.close();
    }
  }

  #checkOpen(): void {
    if (this.#error) throw this.#error;
    if (this.#cancelEnding) throw ending();
  }

  #finish(error: ContactError): void {
    if (this.#error) return;
    this.#error = error;
    this.#sendWindow.close(error);
    for (const reject of this.#sending) reject(error);
    for (const bundle of this.#incoming) this.#letGo(bundle);
    this.#inbox.close();
    this.#stalls.stop();
    this.#cancelEnding?.();
    void this.#session.close();
  }
}

/** The narrower of what we want under way and what the peer takes. */
function both(
  ours: WindowOptions,
  theirs: WindowOptions,
): WindowOptions {
  return {
    maxCount: Math.min(ours.maxCount, theirs.maxCount),
    maxBytes: Math.min(ours.maxBytes, theirs.maxBytes),
  };
}

function ending(): ContactError {
  return new ContactError("closed", "The contact is ending");
}

function errorOf({ error }: SessionEnd): ContactError {
  return error
    ? contactErrorOf(error)
    : new ContactError("closed", "The contact has ended");
}
