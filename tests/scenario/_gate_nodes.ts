import type { Clock } from "../../src/core/async/mod.ts";
import type { Bytes } from "../../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  generateX25519,
  nodeProvider,
  type X25519KeyPair,
} from "../../src/core/crypto/mod.ts";
import { silentLogger } from "../../src/core/log/mod.ts";
import { memoryStore } from "../../src/core/storage/mod.ts";
import type { Connection } from "../../src/core/transport/mod.ts";
import {
  beaconSet,
  DocumentHistory,
  EpochKeys,
  joinDocument,
  makeDocument,
  type NetworkParameters,
  signDescriptor,
  signDocument,
} from "../../src/mixnet/mod.ts";
import type { ConnectionSource } from "../../src/mixnet/link/link_listeners.ts";
import { MixServer } from "../../src/mixnet/node/mix_server.ts";
import { LocalUnwrapPool } from "../../src/mixnet/node/unwrap_pool.ts";

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
export const EPOCH_MS = PARAMETERS.epochSeconds * 1_000;
const AUTHORITY = new Uint8Array(32).fill(1);
export const GATEWAYS = ["east", "west"] as const;
const MIXES = ["mix1", "mix2", "mix3", "mix4"] as const;

/** Where hosts are. */
export interface GateMedium {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly random: () => number;
  /** Listens as the host called `name`. */
  listen(
    name: string,
  ): Promise<ConnectionSource & { readonly address: string }>;
  /** Dials as the host called `name`. */
  dial(name: string, address: string, signal: AbortSignal): Promise<Connection>;
}

interface Machine {
  readonly name: string;
  readonly seed: Bytes;
  readonly linkKeys: X25519KeyPair;
  readonly keys: EpochKeys;
  readonly source: ConnectionSource & { readonly address: string };
}

/** Documents that {@link GateNodes} signed. */
export function gateDirectory(
  document: Uint8Array,
  wallMs: number,
): DocumentHistory {
  const history = new DocumentHistory({
    crypto: nodeProvider,
    network: PARAMETERS.network,
    authorities: [nodeProvider.ed25519.publicKey(AUTHORITY)],
    threshold: 1,
  });
  history.add(document, wallMs);
  return history;
}

/** Two gateways and two layers of two mixes, of the real parts. */
export class GateNodes {
  /** Signed, of the current epoch. */
  readonly document: Bytes;
  readonly #servers: readonly MixServer[];

  private constructor(document: Bytes, servers: readonly MixServer[]) {
    this.document = document;
    this.#servers = servers;
  }

  /** Starts them; `addressOf` gives where others reach who listens at an address. */
  static async start(
    medium: GateMedium,
    addressOf = (_name: string, address: string) => address,
  ): Promise<GateNodes> {
    const { clock, crypto } = medium;
    const epoch = Math.floor(clock.wallTime() / EPOCH_MS);
    const machines: Machine[] = [];
    for (const name of [...GATEWAYS, ...MIXES]) {
      const keys = new EpochKeys({ crypto, store: memoryStore() });
      keys.advance(epoch);
      machines.push({
        name,
        seed: crypto.random(32),
        linkKeys: generateX25519(crypto),
        keys,
        source: await medium.listen(name),
      });
    }
    const document = sign(machines, epoch, crypto, addressOf);
    const directory = gateDirectory(document, clock.wallTime());
    const servers = machines.map((machine) =>
      new MixServer({
        ...medium,
        directory,
        keys: machine.keys,
        store: memoryStore(),
        id: idOf(machine),
        linkKeyPair: machine.linkKeys,
        parameters: PARAMETERS,
        isGateway: isGateway(machine),
        pool: new LocalUnwrapPool(crypto),
        listeners: [machine.source],
        dial: (address, signal) => medium.dial(machine.name, address, signal),
        log: silentLogger,
      })
    );
    return new GateNodes(document, servers);
  }

  /** Packets that nodes dropped. */
  get dropped(): number {
    return this.#servers.flatMap(({ node }) =>
      Object.values(node.counts.dropped)
    ).reduce((sum, count) => sum + count, 0);
  }

  /** Ends them. */
  async close(): Promise<void> {
    for (const server of this.#servers) await server[Symbol.asyncDispose]();
  }
}

function sign(
  machines: readonly Machine[],
  epoch: number,
  crypto: CryptoProvider,
  addressOf: (name: string, address: string) => string,
): Bytes {
  const payload = makeDocument(nodeProvider, {
    parameters: PARAMETERS,
    epoch,
    beacon: beaconSet(epoch, new Map([["drand", crypto.random(32)]])),
    previousHash: new Uint8Array(0),
    descriptors: machines.map((machine, i) =>
      signDescriptor(nodeProvider, machine.seed, {
        identityKey: idOf(machine),
        network: PARAMETERS.network,
        role: isGateway(machine) ? "gateway" : "mix",
        addresses: [addressOf(machine.name, machine.source.address)],
        linkKey: machine.linkKeys.publicKey,
        sphinxKeys: machine.keys.publicKeys,
        asn: 64_496 + i,
        sequence: 1,
        expiresMs: (epoch + 3) * EPOCH_MS,
      })
    ),
  });
  const signature = signDocument(nodeProvider, AUTHORITY, payload);
  return joinDocument(payload, [[
    nodeProvider.ed25519.publicKey(AUTHORITY),
    signature,
  ]]);
}

function isGateway({ name }: Machine): boolean {
  return GATEWAYS.some((gateway) => gateway === name);
}

function idOf({ seed }: Machine): Bytes {
  return nodeProvider.ed25519.publicKey(seed);
}
