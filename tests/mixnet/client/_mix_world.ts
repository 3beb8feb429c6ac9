import type { VirtualClock } from "../../../src/core/async/mod.ts";
import type { Bytes } from "../../../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  generateX25519,
  nodeProvider,
  type X25519KeyPair,
} from "../../../src/core/crypto/mod.ts";
import { memoryStore, type Store } from "../../../src/core/storage/mod.ts";
import { MemoryNetwork } from "../../../src/core/transport/mod.ts";
import {
  MixClient,
  type MixClientOptions,
} from "../../../src/mixnet/client/mix_client.ts";
import type {
  MixRoute,
  RouteSource,
} from "../../../src/mixnet/client/route_source.ts";
import {
  Gateway,
  type GatewayOptions,
} from "../../../src/mixnet/gateway/gateway.ts";
import { acceptLink, dialLink } from "../../../src/mixnet/link/dial_link.ts";
import { drawExponential } from "../../../src/mixnet/node/draw.ts";
import { SphinxError } from "../../../src/mixnet/sphinx/error.ts";
import {
  REGULAR,
  type SphinxGeometry,
} from "../../../src/mixnet/sphinx/geometry.ts";
import { unwrapPacket } from "../../../src/mixnet/sphinx/packet.ts";

const NETWORK = "test";

/** How a {@link MixWorld} behaves. */
export interface MixWorldOptions {
  /** Probability that a hop loses a packet. */
  readonly loss?: number;
  /** Probability that a hop gets a packet twice. */
  readonly duplication?: number;
  /** Layers of two mixes each; 1 by default. */
  readonly layers?: number;
  /** Mean delay at a hop in milliseconds; 100 by default, so that packets overtake each other. */
  readonly meanDelayMs?: number;
  /** Length of an epoch in seconds. */
  readonly epochSeconds?: number;
  /** Sizes of packets; {@link REGULAR} by default. */
  readonly geometry?: SphinxGeometry;
  /** Bounds and pace of gateways. */
  readonly gateway?: Partial<GatewayOptions>;
}

interface Node {
  readonly id: Bytes;
  readonly linkKeys: X25519KeyPair;
  readonly sphinxKeys: Map<number, X25519KeyPair>;
  readonly seen: Set<string>;
}

interface GatewayNode extends Node {
  readonly name: string;
  readonly store: Store;
  gateway: Gateway;
}

/** A provider whose chance comes from a seed. */
export function seededCrypto(seed: number): CryptoProvider {
  let block = 0;
  return {
    ...nodeProvider,
    random: (length) =>
      nodeProvider.hkdf(
        "sha256",
        Uint8Array.of(seed),
        new Uint8Array(0),
        new Uint8Array(new Uint32Array([block++]).buffer),
        length,
      ),
  };
}

/** Uniform draws from a seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let t = Math.imul(state ^ state >>> 15, 1 | state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  };
}

/**
 * Gateways `east` and `west`, layers of mixes, and time that a test moves: packets are unwrapped for real at every hop, refused when
 * replayed, wait as their senders said, and get lost or doubled by chance.
 */
export class MixWorld implements RouteSource {
  readonly crypto: CryptoProvider;
  readonly random: () => number;
  readonly counts = { packets: 0, lost: 0, doubled: 0, refused: 0 };
  /** Changed by tests in the middle of a run. */
  loss: number;
  readonly #clock: VirtualClock;
  readonly #options: MixWorldOptions;
  readonly #geometry: SphinxGeometry;
  readonly #layers: readonly (readonly Node[])[];
  readonly #gateways = new Map<string, GatewayNode>();
  readonly #nodes = new Map<string, Node>();
  readonly #network: MemoryNetwork;
  readonly #serving = new Set<Promise<void>>();

  constructor(clock: VirtualClock, options: MixWorldOptions = {}) {
    this.#clock = clock;
    this.#options = options;
    this.#geometry = options.geometry ?? REGULAR;
    this.loss = options.loss ?? 0;
    this.crypto = seededCrypto(1);
    this.random = seededRandom(2);
    this.#network = new MemoryNetwork({
      clock,
      random: this.random,
      latencyMs: 5,
    });
    const node = (): Node => {
      const made = {
        id: this.crypto.random(32),
        linkKeys: generateX25519(this.crypto),
        sphinxKeys: new Map(),
        seen: new Set<string>(),
      };
      this.#nodes.set(made.id.toHex(), made);
      return made;
    };
    this.#layers = Array.from(
      { length: options.layers ?? 1 },
      () => [node(), node()],
    );
    for (const name of ["east", "west"]) {
      const base = node();
      const store = memoryStore();
      const made = Object.assign(base, { name, store }) as GatewayNode;
      made.gateway = this.#startGateway(made);
      this.#gateways.set(name, made);
    }
  }

  /** How many epochs packets were built for. */
  get epochs(): number {
    const [node] = this.#nodes.values();
    return node!.sphinxKeys.size;
  }

  gateway(name: string): Gateway {
    return this.#gateways.get(name)!.gateway;
  }

  gatewayId(name: string): Bytes {
    return this.#gateways.get(name)!.id;
  }

  /** Ends a gateway's process and starts another one on its store. */
  async restartGateway(name: string): Promise<void> {
    const node = this.#gateways.get(name)!;
    await node.gateway[Symbol.asyncDispose]();
    node.gateway = this.#startGateway(node);
  }

  /** Cuts every client from gateway `name`: nothing comes through, and nobody is told. */
  cut(name: string): void {
    this.#network.partition("client", name);
  }

  /** Ends {@link cut}. */
  heal(name: string): void {
    this.#network.heal("client", name);
  }

  /** A client at gateway `name`. */
  client(
    name: string,
    keys: ClientKeys,
    options: Partial<MixClientOptions> = {},
  ): MixClient {
    const gateway = this.#gateways.get(name)!;
    return new MixClient({
      crypto: this.crypto,
      geometry: this.#geometry,
      address: {
        gatewayId: gateway.id,
        clientId: keys.link.publicKey,
        sealKey: keys.seal.publicKey,
      },
      sealKeyPair: keys.seal,
      routes: this,
      dial: (signal) => this.#dial(gateway, keys.link, signal),
      packetsPerSecond: 10,
      loopsPerSecond: 1,
      clock: this.#clock,
      random: this.random,
      ...options,
    });
  }

  /** Ends both gateways. */
  async close(): Promise<void> {
    for (const { gateway } of this.#gateways.values()) {
      await gateway[Symbol.asyncDispose]();
    }
    await Promise.all(this.#serving);
  }

  route(wallMs: number, from: Uint8Array, to: Uint8Array): MixRoute {
    const epoch = this.#epoch(wallMs);
    const mixes = this.#layers.map((layer) =>
      layer[Math.floor(this.random() * layer.length)]!
    );
    const path = [
      this.#nodes.get(from.toHex())!,
      ...mixes,
      this.#nodes.get(to.toHex())!,
    ];
    const { meanDelayMs = 100 } = this.#options;
    let delaysMs = 0;
    const hops = path.map((node, i) => {
      const delayMs = i === path.length - 1
        ? 0
        : drawExponential(this.random, meanDelayMs);
      delaysMs += delayMs;
      return {
        address: node.id,
        publicKey: this.#key(node, epoch).publicKey,
        delayNs: Math.round(delayMs * 1e6),
      };
    });
    return { epoch, hops, delaysMs };
  }

  gateways(): Uint8Array[] {
    return [...this.#gateways.values()].map(({ id }) => id);
  }

  usableUntilMs(epoch: number, _wallMs: number): number {
    return (epoch + 2) * (this.#options.epochSeconds ?? 3_600) * 1_000;
  }

  #epoch(wallMs: number): number {
    return Math.floor(wallMs / 1_000 / (this.#options.epochSeconds ?? 3_600));
  }

  #key(node: Node, epoch: number): X25519KeyPair {
    let key = node.sphinxKeys.get(epoch);
    if (!key) node.sphinxKeys.set(epoch, key = generateX25519(this.crypto));
    return key;
  }

  #startGateway(node: GatewayNode): Gateway {
    return new Gateway({
      crypto: this.crypto,
      geometry: this.#geometry,
      clock: this.#clock,
      store: node.store,
      downlinkPerSecond: 60,
      random: this.random,
      node: {
        id: node.id,
        receive: (packets) => {
          for (const { epoch, packet } of packets) {
            this.#arrive(node, epoch, packet);
          }
          return Promise.resolve();
        },
        offer: (nodeId, epoch, packet) => {
          const next = this.#nodes.get(nodeId.toHex());
          if (next) this.#send(next, epoch, packet);
          return next !== undefined;
        },
      },
      ...this.#options.gateway,
    });
  }

  /** Over a lossy hop. */
  #send(node: Node, epoch: number, packet: Bytes): void {
    if (this.random() < this.loss) {
      this.counts.lost++;
      return;
    }
    this.#arrive(node, epoch, packet);
    if (this.random() >= (this.#options.duplication ?? 0)) return;
    this.counts.doubled++;
    this.#arrive(node, epoch, packet);
  }

  #arrive(node: Node, epoch: number, packet: Bytes): void {
    this.counts.packets++;
    const now = this.#epoch(this.#clock.wallTime());
    if (Math.abs(epoch - now) > 1) return void this.counts.refused++;
    const key = this.#key(node, epoch).privateKey.expose();
    let unwrapped;
    try {
      unwrapped = unwrapPacket(this.crypto, this.#geometry, key, packet);
    } catch (error) {
      if (!(error instanceof SphinxError)) throw error;
      return void this.counts.refused++;
    }
    const tag = unwrapped.replayTag.toHex();
    if (node.seen.has(tag)) return void this.counts.refused++;
    node.seen.add(tag);
    if (unwrapped.kind === "final") {
      const { destination, identifier, payload } = unwrapped;
      (node as GatewayNode).gateway.deliver(destination, identifier, payload);
      return;
    }
    const { delayNs, nextAddress, packet: next } = unwrapped;
    const to = this.#nodes.get(nextAddress.toHex())!;
    this.#clock.setTimeout(() => this.#send(to, epoch, next), delayNs / 1e6);
  }

  async #dial(
    gateway: GatewayNode,
    linkKeys: X25519KeyPair,
    signal: AbortSignal,
  ) {
    const address = `memory://${gateway.name}`;
    const common = {
      crypto: this.crypto,
      network: NETWORK,
      packetLength: this.#geometry.packetLength,
      clock: this.#clock,
    };
    const listener = await this.#network.transport(gateway.name)
      .listen(address);
    const dialing = this.#network.transport("client").dial(address);
    dialing.catch(() => listener.close());
    for await (const connection of listener) {
      listener.close();
      const accepting = acceptLink(connection, {
        ...common,
        staticKeyPair: gateway.linkKeys,
      });
      const [link, accepted] = await Promise.all([
        dialLink(await dialing, {
          ...common,
          staticKeyPair: linkKeys,
          remoteStaticKey: gateway.linkKeys.publicKey,
          signal,
        }),
        accepting,
      ]);
      const serving = gateway.gateway.serve(accepted).finally(() =>
        this.#serving.delete(serving)
      );
      this.#serving.add(serving);
      return link;
    }
    await dialing;
    throw new Error("No connection");
  }
}

/** The keys of a client. */
export interface ClientKeys {
  readonly link: X25519KeyPair;
  readonly seal: X25519KeyPair;
}

/** Fresh ones. */
export function clientKeys(): ClientKeys {
  return {
    link: generateX25519(nodeProvider),
    seal: generateX25519(nodeProvider),
  };
}

/** Moves time on until `promise` settles, at most `limitMs`. */
export async function runUntil<T>(
  clock: VirtualClock,
  promise: Promise<T>,
  limitMs = 600_000,
): Promise<T> {
  let isSettled = false;
  const settled = () => {
    isSettled = true;
  };
  promise.then(settled, settled);
  const endMs = clock.now() + limitMs;
  while (!isSettled && clock.now() < endMs) await clock.run(100);
  if (!isSettled) throw new Error(`Not settled within ${limitMs} ms`);
  return await promise;
}
