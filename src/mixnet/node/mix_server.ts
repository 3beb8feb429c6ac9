import { type Clock, Deadline, systemClock } from "../../core/async/mod.ts";
import { type Bytes, encodeHex, equal } from "../../core/bytes/mod.ts";
import type { CryptoProvider, X25519KeyPair } from "../../core/crypto/mod.ts";
import type { Logger } from "../../core/log/mod.ts";
import { namespace, type Store } from "../../core/storage/mod.ts";
import type { DirectoryNode } from "../directory/directory_document.ts";
import type { Directory } from "../directory/document_history.ts";
import type { EpochKeys } from "../directory/epoch_keys.ts";
import type { NetworkParameters } from "../directory/network_parameters.ts";
import { Gateway } from "../gateway/gateway.ts";
import type { MailboxLimits } from "../gateway/mailbox.ts";
import { Egress } from "../link/egress.ts";
import type { FrameRate } from "../link/frame_budgets.ts";
import type { LinkFrame } from "../link/link_frame.ts";
import {
  type ConnectionSource,
  LinkListeners,
} from "../link/link_listeners.ts";
import type { MixLink } from "../link/mix_link.ts";
import type { PeerSenderOptions } from "../link/peer_sender.ts";
import { sphinxGeometry } from "../sphinx/geometry.ts";
import { type Random, secureRandom } from "./draw.ts";
import { MixNode, type PooledPacket } from "./mix_node.ts";
import type { MixStrategy } from "./mix_strategy.ts";
import { PoissonMix } from "./poisson_mix.ts";
import { ReplayFilter, type ReplayFilterOptions } from "./replay_filter.ts";
import type { ReceivedPacket } from "./unwrap_queue.ts";
import type { UnwrapPool } from "./unwrap_pool.ts";

/** Parts and options of a {@link MixServer}. */
export interface MixServerOptions {
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** Our id: the public identity key, 32 bytes. */
  readonly id: Bytes;
  /** Our link key. */
  readonly linkKeyPair: X25519KeyPair;
  /** Our Sphinx keys, which the node makes and erases as epochs pass. */
  readonly keys: EpochKeys;
  /** The network, epoch by epoch. */
  readonly directory: Directory;
  /** What all of the network have in common. */
  readonly parameters: NetworkParameters;
  /** Whether clients have their mailboxes here. */
  readonly isGateway: boolean;
  /** Unwraps packets. */
  readonly pool: UnwrapPool;
  /** Keeps replay tags and mailboxes. */
  readonly store: Store;
  /** Where links come from; taken over. */
  readonly listeners: readonly ConnectionSource[];
  /** Connects to other nodes. */
  readonly dial: PeerSenderOptions["dial"];
  /** What each node and client may send; 20,000 frames a second by default, 40,000 at once. */
  readonly peerRate?: FrameRate;
  /** How packets are mixed; each by the delay that it carries by default, 16,384 at most. */
  readonly strategy?: MixStrategy<PooledPacket>;
  /** Told how much later than asked for packets left the default strategy, in milliseconds. */
  readonly onLateness?: (latenessMs: number) => void;
  /** Most replay tags of one epoch; see {@link ReplayFilterOptions.capacity}. */
  readonly replayCapacity?: number;
  /** Bounds of the mailboxes, if it is a gateway. */
  readonly mailboxes?: MailboxLimits;
  /** Entropy in bits below which the node warns; 0 by default: never. */
  readonly minEntropyBits?: number;
  /** Where alarms go. */
  readonly log: Logger;
  /** Time. */
  readonly clock?: Clock;
  /** Draws loops, delays and pauses; from {@link crypto} by default. */
  readonly random?: Random;
}

const POOL_CAPACITY = 16_384;
/** The acknowledgements of all that a client sends, and twice as much for what it is sent. */
const DOWNLINK_PER_UPLINK = 3;

/** A mixnode or gateway: a {@link MixNode} with its links, and mailboxes. */
export class MixServer implements AsyncDisposable {
  /** What becomes of packets. */
  readonly node: MixNode;
  /** What knows packets again. */
  readonly replay: ReplayFilter;
  /** Links to other nodes. */
  readonly egress: Egress;
  /** Links from other nodes and clients. */
  readonly links: LinkListeners;
  /** The mailboxes, if it is a gateway. */
  readonly gateway: Gateway | undefined;
  readonly #options: MixServerOptions;
  readonly #clock: Clock;
  readonly #serving = new Set<Promise<void>>();
  #refusedFrames = 0;

  /** Starts at once. */
  constructor(options: MixServerOptions) {
    const { crypto, parameters, clock = systemClock, store, log } = options;
    const random = options.random ?? secureRandom(crypto);
    const geometry = sphinxGeometry(parameters.payloadLength);
    const { meanDelayMs, maxDelayMs, epochSeconds } = parameters;
    this.#options = options;
    this.#clock = clock;
    const link = {
      crypto,
      clock,
      network: parameters.network,
      packetLength: geometry.packetLength,
      staticKeyPair: options.linkKeyPair,
    };
    this.egress = new Egress({
      ...link,
      random,
      dial: options.dial,
      peer: (id) => this.#nodeWith(({ identityKey }) => equal(identityKey, id)),
    });
    this.gateway = options.isGateway
      ? new Gateway({
        crypto,
        geometry,
        clock,
        random,
        store: namespace(store, "mixnet.mailbox"),
        ...options.mailboxes && { limits: options.mailboxes },
        downlinkPerSecond: DOWNLINK_PER_UPLINK *
          (parameters.clientPacketsPer1000S + parameters.clientLoopsPer1000S) /
          1_000,
        node: {
          id: options.id,
          receive: (packets) => this.node.receive(packets),
          offer: (id, epoch, packet) => this.node.offer(id, epoch, packet),
        },
      })
      : undefined;
    const { replayCapacity } = options;
    const replay: ReplayFilterOptions = {
      store: namespace(store, "mixnet.replay"),
      crypto,
      ...replayCapacity !== undefined && { capacity: replayCapacity },
    };
    this.replay = new ReplayFilter(replay);
    this.node = new MixNode({
      id: options.id,
      geometry,
      epochSeconds,
      meanDelayMs,
      maxDelayMs,
      clock,
      crypto,
      random,
      pool: options.pool,
      replay: this.replay,
      strategy: options.strategy ?? new PoissonMix<PooledPacket>({
        capacity: POOL_CAPACITY,
        meanDelayMs,
        maxDelayMs,
        random,
        ...options.onLateness && { onLateness: options.onLateness },
      }),
      egress: this.egress,
      keys: options.keys,
      directory: options.directory,
      ...this.gateway && { deliverer: this.gateway },
      loops: { perSecond: parameters.nodeLoopsPer1000S / 1_000 },
      entropy: { minBits: options.minEntropyBits ?? 0 },
      log,
    });
    this.links = new LinkListeners(options.listeners, {
      ...link,
      ...options.peerRate && { keyRate: options.peerRate },
      isAllowed: (key) => options.isGateway || this.#isNode(key),
    });
    this.#serving.add(this.#acceptAll());
  }

  /** Frames of nodes that were no packets, and so not taken. */
  get refusedFrames(): number {
    return this.#refusedFrames;
  }

  /**
   * Shuts down: takes no more links and packets, lets the pool and the queues empty for `limitMs` together, and ends the rest.
   */
  async drain(limitMs: number): Promise<void> {
    const clock = this.#clock;
    const endMs = clock.now() + limitMs;
    this.links.stop();
    await this.node.drain(limitMs);
    using deadline = new Deadline(clock, Math.max(0, endMs - clock.now()));
    await this.egress.drain({ signal: deadline.signal }).catch((error) => {
      if (!deadline.signal.aborted) throw error;
    });
    await this.egress.close();
    await this.gateway?.[Symbol.asyncDispose]();
    await this.links[Symbol.asyncDispose]();
    await Promise.all(this.#serving);
  }

  /** Drains without waiting. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
  }

  async #acceptAll(): Promise<void> {
    for await (const link of this.links) {
      const served = this.#serve(link).catch((error) => {
        this.#options.log.warn("mixnet.link_failed", { error });
        link.close();
      }).finally(() => this.#serving.delete(served));
      this.#serving.add(served);
    }
  }

  async #serve(link: MixLink): Promise<void> {
    if (!this.#isNode(link.remoteStaticKey)) {
      return this.gateway ? await this.gateway.serve(link) : link.close();
    }
    for await (const frames of link.frames()) {
      const packets = frames.filter(isPacket);
      this.#refusedFrames += frames.length - packets.length;
      await this.node.receive(packets);
    }
  }

  #isNode(linkKey: Uint8Array): boolean {
    const key = encodeHex(linkKey);
    return this.#nodeWith((node) => encodeHex(node.linkKey) === key) !==
      undefined;
  }

  /** In the document of this epoch, the next or the one before. */
  #nodeWith(
    isIt: (node: DirectoryNode) => boolean,
  ): DirectoryNode | undefined {
    const now = this.#epoch();
    for (const epoch of [now, now + 1, now - 1]) {
      const node = this.#options.directory.document(epoch)?.nodes.find(isIt);
      if (node) return node;
    }
  }

  #epoch(): number {
    const { epochSeconds } = this.#options.parameters;
    return Math.floor(this.#clock.wallTime() / 1_000 / epochSeconds);
  }
}

function isPacket(
  frame: LinkFrame,
): frame is LinkFrame & { type: "packet" } & ReceivedPacket {
  return frame.type === "packet";
}
