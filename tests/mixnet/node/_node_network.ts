import { VirtualClock } from "../../../src/core/async/mod.ts";
import { type Bytes, encodeHex } from "../../../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  nodeProvider,
  Secret,
} from "../../../src/core/crypto/mod.ts";
import { type Logger, silentLogger } from "../../../src/core/log/mod.ts";
import { memoryStore, type Store } from "../../../src/core/storage/mod.ts";
import type { LoopNode } from "../../../src/mixnet/node/loop_route.ts";
import {
  MixNode,
  type MixNodeOptions,
  type PooledPacket,
} from "../../../src/mixnet/node/mix_node.ts";
import type { NodeCounts } from "../../../src/mixnet/node/node_counts.ts";
import { PoissonMix } from "../../../src/mixnet/node/poisson_mix.ts";
import { ReplayFilter } from "../../../src/mixnet/node/replay_filter.ts";
import { LocalUnwrapPool } from "../../../src/mixnet/node/unwrap_pool.ts";
import { sphinxGeometry } from "../../../src/mixnet/sphinx/geometry.ts";
import { createPacket } from "../../../src/mixnet/sphinx/packet.ts";
import { drawBytes, seededRandom } from "./_draws.ts";

/** Small payloads, so that a test can send many. */
export const GEOMETRY = sphinxGeometry(300);
export const EPOCH_SECONDS = 3_600;

/** What a client got. */
export interface Delivery {
  readonly node: string;
  readonly destination: string;
  readonly payload: Bytes;
}

/** One node of a {@link NodeNetwork}, and what survives its restarts. */
export interface NetworkNode {
  readonly id: Bytes;
  readonly layer: number;
  readonly store: Store;
  node: MixNode;
}

/**
 * Nodes that hand each other packets after a latency of a virtual clock; deterministic. `lose` says which packets get lost between
 * them.
 */
export class NodeNetwork {
  readonly clock = new VirtualClock();
  readonly random: () => number;
  readonly crypto: CryptoProvider;
  readonly nodes: NetworkNode[] = [];
  readonly deliveries: Delivery[] = [];
  readonly #keys = new Map<string, Secret>();
  readonly #publicKeys = new Map<string, Bytes>();
  lose: () => boolean = () => false;
  underway = 0;
  lost = 0;

  /** Starts a gateway for each of layer 0, and mixes. */
  constructor(
    seed: number,
    layers: readonly number[],
    readonly more: Partial<MixNodeOptions> = {},
    readonly log: Logger = silentLogger,
  ) {
    this.random = seededRandom(seed);
    this.crypto = {
      ...nodeProvider,
      random: (length) => drawBytes(this.random, length),
    };
    for (const layer of layers) {
      const id = this.crypto.random(32);
      const store = memoryStore();
      this.nodes.push({ id, layer, store, node: undefined as never });
    }
    for (const each of this.nodes) each.node = this.#start(each);
  }

  get epoch(): number {
    return Math.floor(this.clock.wallTime() / 1000 / EPOCH_SECONDS);
  }

  /** The Sphinx key that the node has for an epoch, made when it is first asked for. */
  keyOf(id: Uint8Array, epoch: number): Secret {
    const name = `${encodeHex(id)} ${epoch}`;
    let key = this.#keys.get(name);
    if (!key) this.#keys.set(name, key = new Secret(this.crypto.random(32)));
    return key;
  }

  publicKeyOf(id: Uint8Array, epoch: number): Bytes {
    const name = `${encodeHex(id)} ${epoch}`;
    let key = this.#publicKeys.get(name);
    if (!key) {
      key = this.crypto.x25519.publicKey(this.keyOf(id, epoch).expose());
      this.#publicKeys.set(name, key);
    }
    return key;
  }

  /** As the directory's. */
  document(): { readonly nodes: readonly LoopNode[] } {
    const epochs = [this.epoch - 1, this.epoch, this.epoch + 1];
    return {
      nodes: this.nodes.map(({ id, layer }) => ({
        identityKey: id,
        layer,
        sphinxKeys: new Map(
          epochs.map((epoch) => [epoch, this.publicKeyOf(id, epoch)]),
        ),
      })),
    };
  }

  /** Drops what the node holds, and starts it again from its store. */
  async restart(each: NetworkNode): Promise<NodeCounts> {
    await each.node[Symbol.asyncDispose]();
    const counts = each.node.counts;
    each.node = this.#start(each);
    return counts;
  }

  /** A packet over the nodes with these numbers to `destination`. */
  packet(
    via: readonly number[],
    { epoch = this.epoch, delayMs = 20, destination = this.crypto.random(32) } =
      {},
  ): Bytes {
    const { nodes } = this.document();
    return createPacket(this.crypto, GEOMETRY, {
      route: via.map((i) => ({
        address: nodes[i]!.identityKey,
        publicKey: this.publicKeyOf(nodes[i]!.identityKey, epoch),
        delayNs: Math.round(-delayMs * 1e6 * Math.log(1 - this.random())),
      })),
      destination,
      identifier: new Uint8Array(16),
    }, destination.subarray(0, 8));
  }

  /** Gives a packet to a node, as a link would. */
  async give(to: number, packet: Bytes, epoch = this.epoch): Promise<void> {
    await this.nodes[to]!.node.receive([{ epoch, packet }]);
  }

  /** Sum of all nodes. */
  total(pick: (counts: NodeCounts) => number): number {
    return this.nodes.reduce((sum, { node }) => sum + pick(node.counts), 0);
  }

  async stop(): Promise<void> {
    for (const { node, store } of this.nodes) {
      await node[Symbol.asyncDispose]();
      store[Symbol.dispose]();
    }
  }

  #start({ id, layer, store }: NetworkNode): MixNode {
    const { clock, crypto, random } = this;
    return new MixNode({
      id,
      geometry: GEOMETRY,
      epochSeconds: EPOCH_SECONDS,
      meanDelayMs: 20,
      maxDelayMs: 1_000,
      clock,
      crypto,
      random,
      pool: new LocalUnwrapPool(crypto),
      replay: new ReplayFilter({ store, crypto }),
      strategy: new PoissonMix<PooledPacket>({
        capacity: 1_000,
        meanDelayMs: 20,
        maxDelayMs: 1_000,
        random,
      }),
      egress: { offer: (to, epoch, packet) => this.#carry(to, epoch, packet) },
      keys: {
        advance: () => {},
        keyFor: (epoch) =>
          Math.abs(epoch - this.epoch) <= 1 ? this.keyOf(id, epoch) : undefined,
      },
      directory: this,
      ...layer === 0 && {
        deliverer: {
          deliver: (destination, _identifier, payload) => {
            this.deliveries.push({
              node: encodeHex(id),
              destination: encodeHex(destination),
              payload,
            });
            return true;
          },
        },
      },
      loops: { perSecond: 2 },
      entropy: { minBits: 0 },
      log: this.log,
      ...this.more,
    });
  }

  #carry(to: Uint8Array, epoch: number, packet: Bytes): boolean {
    const name = encodeHex(to);
    const target = this.nodes.find(({ id }) => encodeHex(id) === name);
    if (!target) return false;
    if (this.lose()) {
      this.lost++;
      return true;
    }
    this.underway++;
    this.clock.setTimeout(() => {
      this.underway--;
      target.node.receive([{ epoch, packet }]);
    }, 1 + this.random() * 4);
    return true;
  }
}

/** Everything in less everything out: 0 at any moment. */
export function imbalance(counts: NodeCounts): number {
  const dropped = Object.values(counts.dropped).reduce((a, b) => a + b);
  return counts.received + counts.loopsSent + counts.offered -
    counts.forwarded -
    counts.delivered - counts.loopsReturned - dropped - counts.unwrapping -
    counts.pooled;
}
