import { VirtualClock } from "../../src/core/async/mod.ts";
import type { Bytes } from "../../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  generateX25519,
  nodeProvider,
  type X25519KeyPair,
} from "../../src/core/crypto/mod.ts";
import { silentLogger } from "../../src/core/log/mod.ts";
import { memoryStore } from "../../src/core/storage/mod.ts";
import { MemoryNetwork } from "../../src/core/transport/mod.ts";
import {
  beaconSet,
  type Directory,
  DocumentHistory,
  EpochKeys,
  joinDocument,
  makeDocument,
  MixClient,
  type NetworkParameters,
  signDescriptor,
  signDocument,
  sphinxGeometry,
} from "../../src/mixnet/mod.ts";
import { dialLink } from "../../src/mixnet/link/dial_link.ts";
import { MixServer } from "../../src/mixnet/node/mix_server.ts";
import { LocalUnwrapPool } from "../../src/mixnet/node/unwrap_pool.ts";
import { drawRoute } from "../../src/mixnet/route/draw_route.ts";
import { openCrypto } from "../../cli/_crypto.ts";
import { seededCrypto, seededRandom } from "../mixnet/client/_mix_world.ts";
import type { ClientFault } from "./_client_fault.ts";
import { LinkRecorder } from "./_link_trace.ts";

/** Small packets and two layers, so that a test can send many. */
export const PARAMETERS: NetworkParameters = {
  network: "gate",
  epochSeconds: 3_600,
  payloadLength: 1_000,
  layers: 2,
  meanDelayMs: 50,
  maxDelayMs: 1_000,
  clientPacketsPer1000S: 4_000,
  clientLoopsPer1000S: 400,
  nodeLoopsPer1000S: 200,
};
const GEOMETRY = sphinxGeometry(PARAMETERS.payloadLength);
const EPOCH_MS = PARAMETERS.epochSeconds * 1_000;
const AUTHORITY = new Uint8Array(32).fill(1);
const GATEWAYS = ["east", "west"] as const;
const MIXES = ["mix1", "mix2", "mix3", "mix4"] as const;

interface Machine {
  readonly name: string;
  readonly seed: Bytes;
  readonly linkKeys: X25519KeyPair;
  readonly keys: EpochKeys;
}

/** Two gateways, two layers of two mixes and any number of clients, of the real parts, on a virtual clock, with every link recorded. */
export class GateNetwork {
  readonly clock = new VirtualClock();
  readonly recorder = new LinkRecorder(() => this.clock.now());
  readonly random: () => number;
  readonly clients: MixClient[] = [];
  readonly #crypto: CryptoProvider;
  readonly #network: MemoryNetwork;
  readonly #machines: readonly Machine[];
  readonly #directory: Directory;
  readonly #servers: MixServer[] = [];

  /** Publishes the document; everything that is drawn comes from `seed`. */
  constructor(seed: number) {
    this.#crypto = {
      ...openCrypto("auto", silentLogger),
      random: seededCrypto(seed).random,
    };
    this.random = seededRandom(seed);
    const { clock, random } = this;
    this.#network = new MemoryNetwork({ clock, random, latencyMs: 2 });
    this.#machines = [...GATEWAYS, ...MIXES].map((name): Machine => {
      const store = memoryStore();
      const keys = new EpochKeys({ crypto: this.#crypto, store });
      keys.advance(this.#epoch);
      return {
        name,
        seed: this.#crypto.random(32),
        linkKeys: generateX25519(this.#crypto),
        keys,
      };
    });
    this.#directory = this.#publish();
  }

  /** Starts the nodes. */
  async start(): Promise<void> {
    for (const machine of this.#machines) await this.#boot(machine);
  }

  /** Starts the next client, at each gateway in turn. */
  addClient(
    { haste = 1, disturb = (it) => it, seen }: ClientFault = {},
  ): MixClient {
    const number = this.clients.length;
    const name = `client${number}`;
    const gateway = this.#machines[number % GATEWAYS.length]!;
    const crypto = this.#crypto;
    const [link, seal] = [generateX25519(crypto), generateX25519(crypto)];
    const transport = this.#network.transport(name);
    const client = new MixClient({
      crypto,
      clock: this.clock,
      random: this.random,
      geometry: GEOMETRY,
      address: {
        gatewayId: idOf(gateway),
        clientId: link.publicKey,
        sealKey: seal.publicKey,
      },
      sealKeyPair: seal,
      routes: {
        route: (_, from, to) => this.#route(from, to),
        gateways: () => this.#machines.filter(isGateway).map(idOf),
        usableUntilMs: (epoch) => (epoch + 2) * EPOCH_MS,
      },
      dial: async (signal) => {
        const address = `memory://${gateway.name}`;
        const connection = await transport.dial(address, { signal });
        return await dialLink(
          disturb(
            this.recorder.tap(name, gateway.name, connection, seen),
            this,
          ),
          {
            ...this.#link(link),
            signal,
            remoteStaticKey: gateway.linkKeys.publicKey,
          },
        );
      },
      packetsPerSecond: haste * PARAMETERS.clientPacketsPer1000S / 1_000,
      loopsPerSecond: haste * PARAMETERS.clientLoopsPer1000S / 1_000,
    });
    this.clients.push(client);
    return client;
  }

  /** Packets that nodes dropped. */
  get dropped(): number {
    return this.#servers.flatMap(({ node }) =>
      Object.values(node.counts.dropped)
    ).reduce((sum, count) => sum + count, 0);
  }

  /** Ends clients and nodes. */
  async close(): Promise<void> {
    let isOver = false;
    const closing = (async () => {
      for (const client of this.clients) await client[Symbol.asyncDispose]();
      for (const server of this.#servers) await server[Symbol.asyncDispose]();
    })().finally(() => isOver = true);
    while (!isOver) await this.clock.run(100);
    await closing;
  }

  get #epoch(): number {
    return Math.floor(this.clock.wallTime() / EPOCH_MS);
  }

  #publish(): Directory {
    const epoch = this.#epoch;
    const authority = nodeProvider.ed25519.publicKey(AUTHORITY);
    const history = new DocumentHistory({
      crypto: nodeProvider,
      network: PARAMETERS.network,
      authorities: [authority],
      threshold: 1,
    });
    const payload = makeDocument(nodeProvider, {
      parameters: PARAMETERS,
      epoch,
      beacon: beaconSet(epoch, new Map([["drand", this.#crypto.random(32)]])),
      previousHash: new Uint8Array(0),
      descriptors: this.#machines.map((machine, i) =>
        signDescriptor(nodeProvider, machine.seed, {
          identityKey: idOf(machine),
          network: PARAMETERS.network,
          role: isGateway(machine) ? "gateway" : "mix",
          addresses: [`memory://${machine.name}`],
          linkKey: machine.linkKeys.publicKey,
          sphinxKeys: machine.keys.publicKeys,
          asn: 64_496 + i,
          sequence: 1,
          expiresMs: (epoch + 3) * EPOCH_MS,
        })
      ),
    });
    const signature = signDocument(nodeProvider, AUTHORITY, payload);
    history.add(
      joinDocument(payload, [[authority, signature]]),
      this.clock.wallTime(),
    );
    return history;
  }

  async #boot(machine: Machine): Promise<void> {
    const { name, linkKeys, keys } = machine;
    const transport = this.#network.transport(name);
    const listener = await transport.listen(`memory://${name}`);
    const { recorder } = this;
    this.#servers.push(
      new MixServer({
        crypto: this.#crypto,
        clock: this.clock,
        random: this.random,
        directory: this.#directory,
        keys,
        store: memoryStore(),
        id: idOf(machine),
        linkKeyPair: linkKeys,
        parameters: PARAMETERS,
        isGateway: isGateway(machine),
        pool: new LocalUnwrapPool(this.#crypto),
        listeners: [recorder.tapListener(name, listener, hostOf)],
        dial: async (address, signal) =>
          recorder.tap(
            name,
            hostOf(address),
            await transport.dial(address, { signal }),
          ),
        log: silentLogger,
      }),
    );
  }

  #link(staticKeyPair: X25519KeyPair) {
    return {
      crypto: this.#crypto,
      clock: this.clock,
      network: PARAMETERS.network,
      packetLength: GEOMETRY.packetLength,
      staticKeyPair,
    };
  }

  /** A route as the VRF draws them, from other randomness. */
  #route(from: Uint8Array, to: Uint8Array) {
    const epoch = this.#epoch;
    const document = this.#directory.document(epoch);
    if (!document) return undefined;
    const route = drawRoute(this.#crypto, this.#crypto.random(64), 0, {
      ...PARAMETERS,
      nodes: document.nodes,
      epoch,
      from,
      to,
      mode: "balanced",
    });
    return route && { ...route, epoch };
  }
}

/** Who is at `address`. */
function hostOf(address: string): string {
  return /^memory:\/\/([a-z0-9]+)/.exec(address)![1]!;
}

function isGateway({ name }: Machine): boolean {
  return GATEWAYS.some((gateway) => gateway === name);
}

function idOf({ seed }: Machine): Bytes {
  return nodeProvider.ed25519.publicKey(seed);
}
