import type { Clock, WaitOptions } from "../core/async/mod.ts";
import type { Address, Datagrams } from "../core/transport/mod.ts";
import {
  cla,
  type Contact,
  type ContactCounts,
  ContactError,
  type ReceivedBundle,
  type SendOutcome,
  type WindowOptions,
} from "../dtn/mod.ts";
import type { Session, SessionEnd, Stream } from "../htx/mod.ts";
import { contactErrorOf } from "./contact_error_of.ts";
import { BundleReceiver } from "./bundle_receiver.ts";
import { decodeDatagram } from "./datagram.ts";
import { DatagramSender } from "./datagram_sender.ts";
import type { Hello } from "./hello.ts";
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
  /** Whether bundles go by datagram. */
  readonly datagrams: boolean;
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
  readonly #receiver: BundleReceiver;
  readonly #sendWindow: cla.Window;
  readonly #stalls: StallWatch;
  /** Fails those who wait for the outcome of a bundle. */
  readonly #sending = new Set<(error: unknown) => void>();
  /** Sends by datagram, if both sides take such. */
  readonly #datagrams: DatagramSender | undefined;
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
    this.#sendWindow = new cla.Window(both(options.sending, hello.receiving));
    this.#stalls = new StallWatch({
      clock: options.clock,
      timeoutMs: options.stallTimeoutMs,
      progress: () => this.counts.bytesIn + this.counts.bytesOut,
      onStall: () =>
        this.#finish(new ContactError("timeout", "The peer stands still")),
    });
    const { datagrams } = session;
    this.#receiver = new BundleReceiver({
      ...options,
      stalls: this.#stalls,
      counts: this.#counts,
      datagrams,
      onViolation: (error) => this.#finish(error),
    });
    const usesDatagrams = options.datagrams && hello.takesDatagrams;
    if (datagrams && usesDatagrams) {
      this.#datagrams = new DatagramSender({
        ...{ datagrams, clock: options.clock },
        rttMs: () => session.stats.rttMs,
      });
    }
    this.closed = session.closed.then((end) => this.#finish(errorOf(end)));
    this.#hearControl().catch((error) => this.#finish(contactErrorOf(error)));
    this.#acceptAll().catch((error) => this.#finish(contactErrorOf(error)));
    if (datagrams && options.datagrams) {
      this.#hearDatagrams(datagrams)
        .catch((error) => this.#finish(contactErrorOf(error)));
    }
  }

  /** As {@link Contact.received}; a small bundle may overtake a large one. */
  get received(): AsyncIterable<ReceivedBundle> {
    return this.#receiver.bundles;
  }

  /** As {@link Contact.counts}; bytes are those of streams and datagrams, without what HTX adds. */
  get counts(): Readonly<ContactCounts> {
    const { stats, datagrams } = this.#session;
    return {
      ...this.#counts,
      bytesIn: stats.bytesIn + (datagrams?.stats.bytesIn ?? 0),
      bytesOut: stats.bytesOut + (datagrams?.stats.bytesOut ?? 0),
    };
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
      signal?.throwIfAborted();
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
    const small = this.#datagrams?.takes(bundle.length)
      ? this.#datagrams.send(bundle)
      : undefined;
    const outcome = await small?.outcome ??
      await (small
        ? this.#onStream(bundle, undefined, small.id)
        : this.#onStream(bundle, signal));
    if (small) this.#datagrams!.settle(small.id);
    if (outcome.kind === "refused") this.#counts.refusedByPeer++;
    else this.#counts.sent++;
    return outcome;
  }

  /** @param id Its number if it went by datagram before. */
  async #onStream(
    bundle: Uint8Array,
    signal?: AbortSignal,
    id?: number,
  ): Promise<SendOutcome> {
    try {
      const stream = await this.#session.open(signal && { signal });
      if (signal?.aborted) stream.close();
      signal?.throwIfAborted();
      return await this.#stalls.during(writeBundle(stream, bundle, id)) ??
        await readAnswer(stream);
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
      void this.#receiver.takeStream(stream);
    }
  }

  async #hearDatagrams(datagrams: Datagrams): Promise<void> {
    for (;;) {
      const bytes = await datagrams.receive();
      if (!bytes || this.#error) return;
      const said = decodeDatagram(bytes);
      if (said.kind !== "bundle") this.#datagrams?.hear(said);
      else if (!this.#hasPeerTakenLeave) {
        this.#receiver.takeDatagram(said.id, said.bundle);
      }
    }
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
    this.#sendWindow.close(cla.endingError());
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
    if (this.#cancelEnding) throw cla.endingError();
  }

  #finish(error: ContactError): void {
    if (this.#error) return;
    this.#error = error;
    this.#sendWindow.close(error);
    for (const reject of this.#sending) reject(error);
    this.#receiver.close();
    this.#stalls.stop();
    this.#datagrams?.close();
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

function errorOf({ error }: SessionEnd): ContactError {
  return error
    ? contactErrorOf(error)
    : new ContactError("closed", "The contact has ended");
}
