import { VirtualClock } from "../../src/core/async/mod.ts";
import type { CryptoProvider } from "../../src/core/crypto/mod.ts";
import { silentLogger } from "../../src/core/log/mod.ts";
import {
  type Connection,
  MemoryNetwork,
} from "../../src/core/transport/mod.ts";
import type { MixClient } from "../../src/mixnet/mod.ts";
import { openCrypto } from "../../cli/_crypto.ts";
import { seededCrypto, seededRandom } from "../mixnet/client/_mix_world.ts";
import type { ClientFault } from "./_client_fault.ts";
import { gateClient } from "./_gate_client.ts";
import {
  EPOCH_MS,
  gateDirectory,
  type GateMedium,
  GateNodes,
} from "./_gate_nodes.ts";
import { LinkRecorder } from "./_link_trace.ts";

/** {@link GateNodes} and any number of clients on a virtual clock, with every link recorded; everything that is drawn comes from a seed. */
export class GateNetwork implements GateMedium {
  readonly clock = new VirtualClock();
  readonly recorder = new LinkRecorder(() => this.clock.now());
  readonly crypto: CryptoProvider;
  readonly random: () => number;
  readonly clients: MixClient[] = [];
  readonly #network: MemoryNetwork;
  #nodes: GateNodes | undefined;

  /** Starts nothing yet. */
  constructor(seed: number) {
    const { random } = seededCrypto(seed);
    this.crypto = { ...openCrypto("auto", silentLogger), random };
    this.random = seededRandom(seed);
    this.#network = new MemoryNetwork({
      clock: this.clock,
      random: this.random,
      latencyMs: 2,
    });
  }

  /** Starts the nodes. */
  async start(): Promise<void> {
    this.#nodes = await GateNodes.start(this);
  }

  async listen(name: string): ReturnType<GateMedium["listen"]> {
    const transport = this.#network.transport(name);
    const listener = await transport.listen(`memory://${name}`);
    return this.recorder.tapListener(name, listener, hostOf);
  }

  async dial(
    name: string,
    address: string,
    signal: AbortSignal,
    seen?: ClientFault["seen"],
  ): Promise<Connection> {
    const connection = await this.#network.transport(name)
      .dial(address, { signal });
    return this.recorder.tap(name, hostOf(address), connection, seen);
  }

  /** Starts the next client, at each gateway in turn. */
  addClient({ haste, disturb = (it) => it, seen }: ClientFault = {}): void {
    const number = this.clients.length;
    const wallMs = this.clock.wallTime();
    const directory = gateDirectory(this.#nodes!.document, wallMs);
    const { nodes } = directory.document(Math.floor(wallMs / EPOCH_MS))!;
    const gateways = nodes.filter(({ layer }) => layer === 0);
    const gateway = gateways[number % gateways.length]!;
    const [address] = gateway.addresses;
    const { clock, crypto, random } = this;
    this.clients.push(gateClient({
      clock,
      crypto,
      random,
      directory,
      gateway,
      dial: async (signal) => {
        const name = `client${number}`;
        return disturb(await this.dial(name, address!, signal, seen), this);
      },
      ...haste !== undefined && { haste },
    }));
  }

  /** Packets that nodes dropped. */
  get dropped(): number {
    return this.#nodes!.dropped;
  }

  /** Ends clients and nodes. */
  async close(): Promise<void> {
    let isOver = false;
    const closing = (async () => {
      for (const client of this.clients) await client[Symbol.asyncDispose]();
      await this.#nodes?.close();
    })().finally(() => isOver = true);
    while (!isOver) await this.clock.run(100);
    await closing;
  }
}

/** Who is at `address`. */
function hostOf(address: string): string {
  return /^memory:\/\/([a-z0-9]+)/.exec(address)![1]!;
}
