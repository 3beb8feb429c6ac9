import type { WaitOptions } from "../../core/async/mod.ts";
import { type Bytes, encodeHex } from "../../core/bytes/mod.ts";
import { checkLinkFrame, type PacketFrame } from "./link_frame.ts";
import {
  type EgressCounts,
  type EgressPeer,
  PeerSender,
  type PeerSenderOptions,
} from "./peer_sender.ts";

/** Options of {@link Egress}. */
export interface EgressOptions extends PeerSenderOptions {
  /** The node `nodeId`, 32 bytes, as the directory has it now; `undefined` if it has none. */
  readonly peer: (nodeId: Bytes) => EgressPeer | undefined;
}

/** Counts of an {@link Egress}: offered packets are those sent, dropped and queued. */
export interface EgressStats extends Readonly<Omit<EgressCounts, "dropped">> {
  /** Packets that were not sent, by reason. */
  readonly dropped: Readonly<EgressCounts["dropped"]>;
  /** Packets that wait or are being written. */
  readonly queued: number;
  /** Peers with a queue or a link. */
  readonly peers: number;
}

/**
 * Sends packets to nodes: one link and one bounded queue for each, dialed on demand.
 *
 * While a peer is down its packets wait, up to a number and an age; when the queue is full the newest is dropped. What was being
 * written when a link broke is lost, as nobody knows whether it arrived. A queue and link without work go away.
 */
export class Egress implements AsyncDisposable {
  readonly #options: EgressOptions;
  readonly #senders = new Map<string, PeerSender>();
  readonly #runs = new Set<Promise<void>>();
  readonly #counts: EgressCounts = {
    sent: 0,
    padding: 0,
    links: 0,
    failedDials: 0,
    unsolicited: 0,
    dropped: { unknown_peer: 0, full: 0, expired: 0, lost: 0, closed: 0 },
  };
  readonly #drains = new Set<PromiseWithResolvers<void>>();
  #isClosed = false;

  /** Starts without a link. */
  constructor(options: EgressOptions) {
    this.#options = options;
  }

  /** Counts since the start. */
  get stats(): EgressStats {
    let queued = 0;
    for (const sender of this.#senders.values()) queued += sender.size;
    return {
      ...this.#counts,
      dropped: { ...this.#counts.dropped },
      queued,
      peers: this.#senders.size,
    };
  }

  /**
   * Queues `packet` for the node `nodeId`; `false` if it was dropped, which {@link stats} counts by reason.
   *
   * @param epoch Of the Sphinx keys that the packet was built for, its low 32 bits.
   * @throws {RangeError} If the packet has another length than the network's, or the epoch more than 32 bits.
   */
  offer(nodeId: Bytes, epoch: number, packet: Uint8Array): boolean {
    const frame: PacketFrame = { type: "packet", epoch, packet };
    checkLinkFrame(frame, this.#options.packetLength);
    if (this.#isClosed) return this.#drop("closed");
    const key = encodeHex(nodeId);
    const known = this.#senders.get(key);
    if (known) return known.offer(frame);
    if (!this.#options.peer(nodeId)) return this.#drop("unknown_peer");
    const id = nodeId.slice();
    const sender = new PeerSender(
      this.#options,
      () => this.#options.peer(id),
      this.#counts,
      () => this.#settleDrains(),
    );
    this.#senders.set(key, sender);
    sender.offer(frame);
    const run = this.#run(key, sender).finally(() => this.#runs.delete(run));
    this.#runs.add(run);
    return true;
  }

  /**
   * Resolves once no packet waits: each is sent or dropped.
   *
   * @throws The reason of the signal.
   */
  async drain({ signal }: WaitOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    const drained = Promise.withResolvers<void>();
    const abort = () => drained.reject(signal!.reason);
    signal?.addEventListener("abort", abort, { once: true });
    this.#drains.add(drained);
    this.#settleDrains();
    try {
      await drained.promise;
    } finally {
      this.#drains.delete(drained);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Drops what waits, and ends every link; resolves when they are gone. May be called again. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const sender of this.#senders.values()) sender.close();
    await Promise.all(this.#runs);
  }

  /** As {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(key: string, sender: PeerSender): Promise<void> {
    do await sender.run(); while (sender.size > 0);
    this.#senders.delete(key);
  }

  #settleDrains(): void {
    if (this.#drains.size === 0 || this.stats.queued > 0) return;
    for (const { resolve } of this.#drains) resolve();
    this.#drains.clear();
  }

  #drop(reason: "closed" | "unknown_peer"): false {
    this.#counts.dropped[reason]++;
    return false;
  }
}
