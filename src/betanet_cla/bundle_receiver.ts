import type { Bytes } from "../core/bytes/mod.ts";
import type { Datagrams } from "../core/transport/mod.ts";
import {
  cla,
  type ContactCounts,
  ContactError,
  type ReceivedBundle,
  type RefusalReason,
  type WindowOptions,
} from "../dtn/mod.ts";
import type { Stream } from "../htx/mod.ts";
import { encodeDecision, encodePending } from "./datagram.ts";
import { IncomingBundle } from "./incoming_bundle.ts";
import { KnownBundles } from "./known_bundles.ts";
import { type Held, SmallBundle } from "./small_bundle.ts";
import type { StallWatch } from "./stall_watch.ts";

/** Options of {@link BundleReceiver}. */
export interface BundleReceiverOptions {
  /** Bundles, whole or in part, that may be under way to the node. */
  readonly receiving: WindowOptions;
  /** Most bytes of a bundle. */
  readonly maxBundleBytes: number;
  /** What bundles take room of. */
  readonly budget: cla.ByteBudget;
  /** Notices that a bundle stands still. */
  readonly stalls: StallWatch;
  /** Where outcomes are counted. */
  readonly counts: ContactCounts;
  /** Carries what is said of bundles that came by datagram. */
  readonly datagrams: Pick<Datagrams, "send"> | undefined;
  /** Told what the peer may not do. */
  readonly onViolation: (error: ContactError) => void;
}

/** Datagrams that wait for a carrier that takes none: beyond, nothing is said. */
const MAX_SAYING = 1_024;

/** Bundles of the peer, from their first byte until the node has decided and the peer was told. */
export class BundleReceiver {
  readonly #options: BundleReceiverOptions;
  readonly #inbox: cla.Inbox;
  readonly #room: cla.Window;
  readonly #held = new Set<Held>();
  readonly #known = new KnownBundles();
  /** Datagrams that the carrier has not taken yet. */
  #saying = 0;
  #isClosed = false;

  /** Starts empty. */
  constructor(options: BundleReceiverOptions) {
    this.#options = options;
    this.#inbox = new cla.Inbox(options.receiving);
    this.#room = new cla.Window(options.receiving);
  }

  /** Bundles that came whole. */
  get bundles(): AsyncIterable<ReceivedBundle> {
    return this.#inbox;
  }

  /** Takes the bundle that comes on `stream`. */
  async takeStream(stream: Stream): Promise<void> {
    const { budget, maxBundleBytes, receiving, stalls } = this.#options;
    const bundle = new IncomingBundle(stream, {
      ...{ maxBundleBytes, budget },
      room: this.#room,
      known: this.#known,
    });
    if (this.#held.size >= receiving.maxCount) {
      return this.#refuse(bundle, "noResources");
    }
    this.#held.add(bundle);
    try {
      const bytes = await stalls.during(bundle.read());
      if (this.#isClosed) this.#letGo(bundle);
      else if (bytes === "known") this.#answerWhenDecided(bundle);
      else if (typeof bytes === "string") this.#refuse(bundle, bytes);
      else this.#deliver(bytes, (reason) => this.#decide(bundle, reason));
    } catch (error) {
      // The peer took the bundle back, or the session is over: the sender still has it.
      this.#letGo(bundle);
      if (error instanceof ContactError) this.#options.onViolation(error);
    }
  }

  /** Takes the bundle `id` that came by datagram, once however often it comes. */
  takeDatagram(id: number, bundle: Bytes): void {
    const freshness = this.#known.claim(id);
    if (freshness === "over") return;
    if (freshness === "known") return this.#say(id);
    const { budget, counts, maxBundleBytes } = this.#options;
    const held = bundle.length <= maxBundleBytes
      ? SmallBundle.hold(bundle, this.#room, budget)
      : undefined;
    if (!held) {
      counts.refusedByLayer++;
      this.#known.decide(id, "noResources");
      return this.#say(id);
    }
    this.#held.add(held);
    this.#deliver(bundle, (refusal) => {
      if (!this.#letGo(held)) return;
      this.#known.decide(id, refusal);
      this.#say(id);
    });
  }

  /** Gives all room back; what the node decides now is not said any more. */
  close(): void {
    this.#isClosed = true;
    for (const held of this.#held) this.#letGo(held);
    this.#inbox.close();
  }

  #deliver(bytes: Bytes, settle: cla.Settle): void {
    const { counts } = this.#options;
    counts.received++;
    this.#inbox.deliver(bytes, (refusal) => {
      if (refusal) counts.refusedByNode++;
      settle(refusal);
    });
  }

  #refuse(bundle: IncomingBundle, reason: RefusalReason): void {
    this.#letGo(bundle);
    this.#options.counts.refusedByLayer++;
    bundle.refuse(reason);
    if (bundle.id !== undefined) this.#known.decide(bundle.id, reason);
  }

  #decide(bundle: IncomingBundle, refusal: RefusalReason | undefined): void {
    if (!this.#letGo(bundle)) return;
    // Who cannot be answered does not know the outcome, and sends again.
    bundle.answer(refusal).catch(() => {});
    if (bundle.id !== undefined) this.#known.decide(bundle.id, refusal);
  }

  /** Answers on a stream what came by datagram before. */
  #answerWhenDecided(bundle: IncomingBundle): void {
    this.#letGo(bundle);
    this.#known.whenDecided(bundle.id!, (refusal) => {
      bundle.answer(refusal).catch(() => {});
    });
  }

  /** Says by datagram what became of a bundle, or that it is here. */
  #say(id: number): void {
    const decision = this.#known.decision(id);
    const message = decision
      ? encodeDecision(id, decision.refusal)
      : encodePending(id);
    const { datagrams } = this.#options;
    // Who does not hear it asks again.
    if (!datagrams || this.#saying >= MAX_SAYING) return;
    this.#saying++;
    datagrams.send(message).catch(() => {}).finally(() => this.#saying--);
  }

  #letGo(held: Held): boolean {
    held.free();
    return this.#held.delete(held);
  }
}
