import {
  Backoff,
  type Clock,
  Deadline,
  systemClock,
} from "../../core/async/mod.ts";
import type { Address, Connection } from "../../core/transport/mod.ts";
import { AgedQueue } from "./aged_queue.ts";
import { dialLink, type LinkOptions } from "./dial_link.ts";
import { type LinkFrame, type PacketFrame, PADDING } from "./link_frame.ts";
import type { MixLink } from "./mix_link.ts";

const QUEUED = 4_096;
const AGE_MS = 30_000;
const IDLE_MS = 60_000;
const DIAL_MS = 10_000;
const RECONNECT = { minMs: 100, maxMs: 10_000 };
/** A link that lasted so long was no failure: the pauses start short again. */
const LASTING_MS = 1_000;

/** Where a peer is, and its key. */
export interface EgressPeer {
  /** Its link key, 32 bytes. */
  readonly linkKey: Uint8Array;
  /** Tried in turn, first the one that worked last. */
  readonly addresses: readonly Address[];
  /** What its `quic:` addresses show, in DER. */
  readonly certificate?: Uint8Array;
  /** By which its `htx:` addresses are reached. */
  readonly peerRecord?: Uint8Array;
}

/** What becomes of a packet that is not sent. */
export type EgressDrop =
  | "unknown_peer" // the directory has no such node
  | "full" // the peer's queue is full; the newest gives way
  | "expired" // it waited too long, as while the peer is down
  | "lost" // it was being written when the link broke
  | "closed"; // it waited when we were closed

/** Options of every queue of an `Egress`. */
export interface PeerSenderOptions
  extends Omit<LinkOptions, "signal" | "spend" | "idleTimeoutMs"> {
  /** Connects to one address of `peer`, and gives up when `signal` aborts. */
  readonly dial: (
    address: Address,
    signal: AbortSignal,
    peer: EgressPeer,
  ) => Promise<Connection>;
  /** Uniform in [0, 1), for the pauses between attempts. */
  readonly random: () => number;
  /** Most packets that wait for one peer. Default 4,096. */
  readonly maxQueuedPackets?: number;
  /** How long a packet may wait, in milliseconds. Default 30,000. */
  readonly maxAgeMs?: number;
  /** How long connecting to one address may take, handshake not included, in milliseconds. Default 10,000. */
  readonly dialTimeoutMs?: number;
  /** A link without a packet for this long is closed, in milliseconds. Default 60,000; not used with {@link keepAliveMs}. */
  readonly idleTimeoutMs?: number;
  /** A link without a packet for this long sends padding, in milliseconds, and stays. Default: never. */
  readonly keepAliveMs?: number;
  /** Bounds of the pauses between attempts, in milliseconds. Default 100 and 10,000. */
  readonly reconnect?: { readonly minMs: number; readonly maxMs: number };
}

/** What happened, over all peers. */
export interface EgressCounts {
  /** Packets written to a link. */
  sent: number;
  /** Padding frames written. */
  padding: number;
  /** Links made. */
  links: number;
  /** Attempts that made none. */
  failedDials: number;
  /** Frames that peers sent on links that we dialed, which are for ours alone. */
  unsolicited: number;
  /** Packets that were not sent, by reason. */
  readonly dropped: Record<EgressDrop, number>;
}

/** What is queued for one peer, and the link that takes it there: dialed on demand, and again when it breaks. */
export class PeerSender {
  readonly #options: PeerSenderOptions;
  readonly #find: () => EgressPeer | undefined;
  readonly #counts: EgressCounts;
  readonly #clock: Clock;
  readonly #queue: AgedQueue<PacketFrame>;
  readonly #backoff: Backoff;
  readonly #closing = new AbortController();
  readonly #onProgress: () => void;
  #address = 0;
  #inFlight = 0;
  #wake = () => {};

  /** Starts without a link; `find` gives the peer as the directory has it now; `onProgress` is told when packets were sent or dropped. */
  constructor(
    options: PeerSenderOptions,
    find: () => EgressPeer | undefined,
    counts: EgressCounts,
    onProgress: () => void,
  ) {
    this.#onProgress = onProgress;
    this.#options = options;
    this.#find = find;
    this.#counts = counts;
    const { clock = systemClock, random } = options;
    this.#clock = clock;
    this.#queue = new AgedQueue(
      options.maxQueuedPackets ?? QUEUED,
      options.maxAgeMs ?? AGE_MS,
    );
    this.#backoff = new Backoff({
      ...RECONNECT,
      ...options.reconnect,
      random,
      clock,
    });
  }

  /** Packets that wait or are being written. */
  get size(): number {
    return this.#queue.size + this.#inFlight;
  }

  /** Queues `frame`, or drops and counts it. */
  offer(frame: PacketFrame): boolean {
    this.#expire();
    if (!this.#queue.offer(frame, this.#clock.now())) {
      this.#counts.dropped.full++;
      return false;
    }
    this.#wake();
    return true;
  }

  /** Sends what is queued, until nothing is and the link has been idle, or until closed. */
  async run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      this.#expire();
      if (this.#queue.size === 0) return;
      const peer = this.#find();
      if (!peer) return this.#dropAll("unknown_peer");
      const link = await this.#connect(peer);
      if (link) {
        const startMs = this.#clock.now();
        await this.#pump(link);
        if (this.#clock.now() - startMs >= LASTING_MS) this.#backoff.reset();
      }
      if (this.#queue.size > 0) await this.#pause();
    }
    this.#dropAll("closed");
  }

  /** Ends the link, and lets {@link run} drop what waits. */
  close(): void {
    this.#closing.abort();
    this.#wake();
  }

  /** Tries every address in turn, from the one that worked last. */
  async #connect(peer: EgressPeer): Promise<MixLink | undefined> {
    const { signal } = this.#closing;
    for (let i = 0; i < peer.addresses.length && !signal.aborted; i++) {
      const at = (this.#address + i) % peer.addresses.length;
      try {
        const connection = await this.#dial(peer.addresses[at]!, peer);
        const link = await dialLink(connection, {
          ...this.#options,
          remoteStaticKey: peer.linkKey,
          idleTimeoutMs: Infinity, // nothing comes on this link
          signal,
        });
        this.#address = at;
        this.#counts.links++;
        return link;
      } catch {
        this.#counts.failedDials++;
      }
    }
  }

  async #dial(address: Address, peer: EgressPeer): Promise<Connection> {
    using deadline = new Deadline(
      this.#clock,
      this.#options.dialTimeoutMs ?? DIAL_MS,
      { signal: this.#closing.signal },
    );
    return await this.#options.dial(address, deadline.signal, peer);
  }

  /** Sends until the link is over or has been idle. */
  async #pump(link: MixLink): Promise<void> {
    const { idleTimeoutMs = IDLE_MS, keepAliveMs } = this.#options;
    const reading = this.#discard(link);
    void link.closed.then(() => this.#wake());
    while (link.isOpen && !this.#closing.signal.aborted) {
      this.#expire();
      const batch = this.#queue.take(link.maxBatchFrames);
      if (batch.length > 0) await this.#send(link, batch);
      else if (await this.#awaitWork(keepAliveMs ?? idleTimeoutMs)) continue;
      else if (keepAliveMs === undefined) break;
      else if (await this.#write(link, [PADDING])) this.#counts.padding++;
    }
    await link.end();
    await reading;
  }

  async #send(link: MixLink, batch: readonly PacketFrame[]): Promise<void> {
    this.#inFlight = batch.length;
    const written = await this.#write(link, batch);
    if (written) this.#counts.sent += batch.length;
    else this.#counts.dropped.lost += batch.length;
    this.#inFlight = 0;
    this.#onProgress();
  }

  /** Whether `frames` were written; if not, the link is over. */
  async #write(link: MixLink, frames: readonly LinkFrame[]): Promise<boolean> {
    try {
      await link.send(frames);
      return true;
    } catch {
      link.close();
      return false;
    }
  }

  async #discard(link: MixLink): Promise<void> {
    for await (const batch of link.frames()) {
      this.#counts.unsolicited += batch.length;
    }
  }

  /** Waits for {@link #wake}; `false` if nothing woke it for `ms`. */
  async #awaitWork(ms: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const cancel = this.#clock.setTimeout(() => resolve(false), ms);
    this.#wake = () => resolve(true);
    try {
      return await promise;
    } finally {
      cancel();
      this.#wake = () => {};
    }
  }

  async #pause(): Promise<void> {
    const { signal } = this.#closing;
    await this.#backoff.wait({ signal }).catch(() => {}); // closed, as run() sees
  }

  #expire(): void {
    const count = this.#queue.expire(this.#clock.now());
    this.#counts.dropped.expired += count;
    if (count > 0) this.#onProgress();
  }

  #dropAll(reason: EgressDrop): void {
    this.#counts.dropped[reason] += this.#queue.take(Infinity).length;
    this.#onProgress();
  }
}
