import type { Clock, WaitOptions } from "../core/async/mod.ts";
import type { Bytes } from "../core/bytes/mod.ts";
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
import type { MixAddress, SendOptions } from "../mixnet/mod.ts";
import {
  askThroughMix,
  type MixCarrier,
  mixContactErrorOf,
} from "./mix_ask.ts";
import {
  encodeMixEnvelope,
  MIX_ID_LENGTH,
  type MixEnvelope,
} from "./mix_envelope.ts";

/** What all contacts of a layer have in common. */
export interface MixContactOptions {
  /** Carries envelopes. */
  readonly client: MixCarrier;
  /** Random bytes, `length` of them. */
  readonly random: (length: number) => Bytes;
  /** Time. */
  readonly clock: Clock;
  /** Our node id, if the peer is told. */
  readonly nodeId: string | undefined;
  /** Bundles that may wait for the peer's answer. */
  readonly sending: WindowOptions;
  /** Room that all contacts have together for bundles that wait for answers. */
  readonly room: cla.Window;
  /** Bundles of the peer that may wait for the node. */
  readonly receiving: WindowOptions;
  /** Most bytes of a bundle that we send. */
  readonly maxBundleBytes: number;
  /** How long one attempt at a bundle may take. */
  readonly attemptTimeoutMs: number;
  /** How long all attempts at a bundle may take. */
  readonly answerTimeoutMs: number;
}

/** Which contact it is. */
export interface MixContactIdentity {
  /** 16 bytes. */
  readonly id: Bytes;
  /** Where the peer is; absent if nothing goes back but answers. */
  readonly peer: MixAddress | undefined;
  /** As {@link Contact.remoteAddress}. */
  readonly remoteAddress: Address;
  /** As {@link Contact.peerNodeId}. */
  readonly peerNodeId: string | undefined;
}

/** Hears what became of a bundle: the node's refusal, `undefined` if it took it, or `"over"` if the contact was closed before. */
export type MixSettle = (decision: RefusalReason | "over" | undefined) => void;

const LEAVE = { deadlineMs: 60_000 };

/**
 * Two nodes that know a random id in common. There is no connection: who dialled knows the other's address, who was dialled knows
 * nothing but that envelopes with the id come, and ways to answer each.
 */
export class MixContact implements Contact {
  /** As {@link Contact.isPrivate}. */
  readonly isPrivate = true;
  /** As {@link Contact.remoteAddress}; of who dialled, only that it came through the mixnet. */
  readonly remoteAddress: Address;
  /** As {@link Contact.peerNodeId}: if the peer says it and we trust that. */
  readonly peerNodeId: string | undefined;
  /** As {@link Contact.maxBundleBytes}; 0 if the peer's address is not known. */
  readonly maxBundleBytes: number;
  /** As {@link Contact.counts}; bytes are those of envelopes. */
  readonly counts: ContactCounts = cla.noContactCounts();
  /** As {@link Contact.closed}. */
  readonly closed: Promise<void>;
  /** 16 bytes. */
  readonly id: Bytes;
  /** When something came last, in monotonic milliseconds. */
  heardMs: number;
  readonly #options: MixContactOptions;
  readonly #peer: MixAddress | undefined;
  readonly #inbox: cla.Inbox;
  readonly #window: cla.Window;
  readonly #greeting = new AbortController();
  readonly #sending = new Set<AbortController>();
  readonly #undecided = new Set<MixSettle>();
  readonly #over = Promise.withResolvers<void>();
  #isEnding = false;
  #hasPeerLeft = false;
  #error: ContactError | undefined;

  /** Begins at once; {@link greet} tells the peer. */
  constructor(identity: MixContactIdentity, options: MixContactOptions) {
    this.id = identity.id;
    this.remoteAddress = identity.remoteAddress;
    this.peerNodeId = identity.peerNodeId;
    this.maxBundleBytes = identity.peer ? options.maxBundleBytes : 0;
    this.heardMs = options.clock.now();
    this.closed = this.#over.promise;
    this.#peer = identity.peer;
    this.#options = options;
    this.#inbox = new cla.Inbox(options.receiving);
    this.#window = new cla.Window(options.sending);
  }

  /** As {@link Contact.received}. */
  get received(): AsyncIterable<ReceivedBundle> {
    return this.#inbox;
  }

  /** Why it is over; absent until it is. */
  get error(): ContactError | undefined {
    return this.#error;
  }

  /** Whether bundles of the peer wait for the node. */
  get isWaiting(): boolean {
    return this.#undecided.size > 0;
  }

  /** Tells the peer that there is a contact, and ends it if nothing can be sent there. */
  greet(): void {
    const { answerTimeoutMs: deadlineMs } = this.#options;
    const { signal } = this.#greeting;
    this.#tell("hello", { deadlineMs, signal }).catch((error) => {
      if (error instanceof RangeError) this.#finish(mixContactErrorOf(error));
    });
  }

  /** Takes a bundle that came, or says why not. */
  take(bundle: Bytes, settle: MixSettle): RefusalReason | undefined {
    if (this.#isEnding || !this.#inbox.hasRoom) {
      this.counts.refusedByLayer++;
      return this.#isEnding ? "sessionTerminating" : "noResources";
    }
    this.counts.received++;
    this.#undecided.add(settle);
    this.#inbox.deliver(bundle, (refusal) => {
      if (!this.#undecided.delete(settle)) return;
      if (refusal) this.counts.refusedByNode++;
      settle(refusal);
      this.#finishIfDone();
    });
    return undefined;
  }

  /** The peer sends no more; what we have sent comes to its outcome yet. */
  peerLeft(): void {
    this.#hasPeerLeft = true;
    this.#beginEnding();
  }

  /** As {@link Contact.send}; once it began, an abort takes back what has not left. */
  async send(
    bundle: Uint8Array,
    { signal }: WaitOptions = {},
  ): Promise<SendOutcome> {
    signal?.throwIfAborted();
    this.#checkOpen();
    if (bundle.length > this.maxBundleBytes) {
      throw new ContactError(
        "tooLarge",
        `A bundle to this peer has at most ${this.maxBundleBytes} bytes: got ${bundle.length}`,
      );
    }
    const stop = new AbortController();
    const onAbort = () => stop.abort(signal!.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#sending.add(stop);
    try {
      return await this.#sendInTurn(bundle, stop.signal);
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#sending.delete(stop);
      this.#finishIfDone();
    }
  }

  /** As {@link Contact.end}; the peer is told. */
  async end(): Promise<void> {
    this.#beginEnding();
    await this.closed;
  }

  /** As {@link Contact.close}; the peer is told, and of what waits for the node that it was not taken. */
  close(): void {
    this.fail(new ContactError("closed", "The contact was closed"));
  }

  /** Closes it, for a reason. */
  fail(error: ContactError): void {
    const undecided = [...this.#undecided];
    this.#undecided.clear();
    this.#finish(error);
    for (const settle of undecided) settle("over");
  }

  /** Closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.closed;
  }

  /** Sends a bundle once there is room for it in both windows. */
  async #sendInTurn(
    bundle: Uint8Array,
    signal: AbortSignal,
  ): Promise<SendOutcome> {
    const { room } = this.#options;
    await this.#window.enter(bundle.length, { signal });
    try {
      await room.enter(bundle.length, { signal });
      try {
        return await this.#ask(bundle, signal);
      } finally {
        room.leave(bundle.length);
      }
    } finally {
      this.#window.leave(bundle.length);
    }
  }

  async #ask(bundle: Uint8Array, signal: AbortSignal): Promise<SendOutcome> {
    const { random } = this.#options;
    const transferId = random(MIX_ID_LENGTH);
    const envelope = this.#envelope({ kind: "bundle", transferId, bundle });
    try {
      const answer = await askThroughMix(envelope, {
        ...this.#options,
        to: this.#peer!,
        onAttempt: (bytes) => this.counts.bytesOut += bytes,
      }, signal);
      this.heardMs = this.#options.clock.now();
      if (answer.kind === "over") {
        this.#hasPeerLeft = true;
        throw new ContactError("disconnected", "The peer has closed");
      }
      if (answer.kind === "refused") this.counts.refusedByPeer++;
      else this.counts.sent++;
      return answer;
    } catch (cause) {
      signal.throwIfAborted();
      const error = mixContactErrorOf(cause);
      this.fail(error);
      throw error;
    }
  }

  #envelope(
    what:
      | { readonly kind: "hello" | "leave" }
      | {
        readonly kind: "bundle";
        readonly transferId: Bytes;
        readonly bundle: Uint8Array;
      },
  ): Bytes {
    const { nodeId } = this.#options;
    return encodeMixEnvelope({ ...what, contactId: this.id, nodeId });
  }

  async #tell(
    kind: Exclude<MixEnvelope["kind"], "bundle">,
    options: SendOptions,
  ): Promise<void> {
    if (!this.#peer) return;
    const envelope = this.#envelope({ kind });
    this.counts.bytesOut += envelope.length;
    await this.#options.client.send(this.#peer, envelope, options);
  }

  #beginEnding(): void {
    this.#isEnding = true;
    this.#window.close(cla.endingError());
    this.#finishIfDone();
  }

  /** Whoever left waits for no bundle of its own to be taken any more. */
  #finishIfDone(): void {
    const isDone = this.#isEnding && this.#sending.size === 0 &&
      (this.#hasPeerLeft || this.#undecided.size === 0);
    if (isDone) this.#finish(cla.endingError());
  }

  #checkOpen(): void {
    if (this.#error) throw this.#error;
    if (this.#isEnding) throw cla.endingError();
  }

  #finish(error: ContactError): void {
    if (this.#error) return;
    this.#error = error;
    this.#window.close(error);
    this.#greeting.abort(error);
    for (const stop of this.#sending) stop.abort(error);
    this.#inbox.close();
    // The peer finds out by itself if this does not arrive.
    if (!this.#hasPeerLeft) {
      this.#tell("leave", LEAVE).catch(() => {});
    }
    this.#over.resolve();
  }
}
