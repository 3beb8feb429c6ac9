import { makeKeys, readKeys } from "../../cli/mixnode/keys.ts";
import { encodeHex } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { NodeLife } from "./_mixnet_life.ts";

/** What the network is like. */
export interface NetworkOptions {
  readonly epochSeconds: number;
  readonly meanDelayMs: number;
  readonly authorities: number;
  readonly gateways: number;
  readonly mixes: number;
  /** Clients of each gateway. */
  readonly clients: number;
  readonly clientPacketsPerSecond: number;
  readonly clientLoopsPerSecond: number;
  readonly nodeLoopsPerSecond: number;
  /** What a node takes from one peer. */
  readonly peerPacketsPerSecond: number;
  /** Share of packets that links lose, 0 to 1. */
  readonly lossShare: number;
}

/** A node over all its lives: what it is called, and where its state is. */
export interface Machine {
  readonly name: string;
  /** Its identity, in hexadecimal. */
  readonly id: string;
  /** The public key of its links, in hexadecimal. */
  readonly linkKey: string;
  readonly config: string;
  readonly state: string;
  readonly address: string;
  readonly lives: NodeLife[];
}

/**
 * Authorities and nodes of a network, each a process on the loopback interface, in a folder of its own. A gateway more than `gateways`,
 * `idle`, has no clients. The last mix is reached by QUIC.
 */
export class MixnetProcesses implements AsyncDisposable {
  readonly nodes: readonly Machine[];
  /** Configurations of clients. */
  readonly clients: readonly string[];
  readonly #options: NetworkOptions;
  readonly #authorities: {
    readonly config: string;
    child?: Deno.ChildProcess;
  }[];
  readonly #folder: string;

  /** Makes keys and configurations, and starts everything. */
  constructor(options: NetworkOptions) {
    this.#options = options;
    this.#folder = Deno.makeTempDirSync();
    const ports = freePorts(
      options.authorities + options.gateways + 1 + options.mixes,
    );
    const beacon = this.#writeBeacon();
    const keys = count(options.authorities, (i) => {
      const state = this.#state(`a${i}`);
      const { identitySeed } = makeKeys(nodeProvider, state, "authority");
      const key = nodeProvider.ed25519.publicKey(identitySeed.expose());
      return { state, port: ports.pop()!, key: encodeHex(key) };
    });
    const network = `[network]
name = "processes"
authorities = ${
      JSON.stringify(keys.map(({ key, port }) => `${key}@127.0.0.1:${port}`))
    }
epoch = "${options.epochSeconds}s"
payload_length = 1700
mean_delay = "${options.meanDelayMs}ms"
client_packets_per_second = ${options.clientPacketsPerSecond}
client_loops_per_second = ${options.clientLoopsPerSecond}
node_loops_per_second = ${options.nodeLoopsPerSecond}
`;
    this.#authorities = keys.map(({ state, port }) => ({
      config: write(
        `${state}/mixnode.toml`,
        `${network}
[authority]
port = ${port}
state = "${state}"
[authority.beacon]
file = "${beacon}"
`,
      ),
    }));
    for (const each of this.#authorities) this.#startAuthority(each);
    this.nodes = [
      ...count(options.gateways, (i) => `g${i + 1}`),
      "idle",
      ...count(options.mixes, (i) => `m${i + 1}`),
    ].map((name, i) => this.#makeNode(name, i, ports.pop()!, network));
    const gateways = this.nodes.slice(0, options.gateways);
    this.clients = gateways.flatMap(({ id, name }) =>
      count(options.clients, (i) => {
        const state = this.#state(`${name}c${i}`);
        makeKeys(nodeProvider, state, "client");
        return write(
          `${state}/mixnode.toml`,
          `${network}
[client]
gateway = "${id}"
state = "${state}"
crypto = "node"
`,
        );
      })
    );
    for (const node of this.nodes) this.startNode(node);
  }

  /** The life of `node` that runs now. */
  life({ name, lives }: Machine): NodeLife {
    const life = lives.at(-1);
    if (!life || life.end) throw new Error(`${name} does not run`);
    return life;
  }

  /** Starts a process for `node`. */
  startNode({ config, lives }: Machine): NodeLife {
    const { lossShare } = this.#options;
    const life = new NodeLife({ config, lossShare });
    lives.push(life);
    return life;
  }

  /** Waits until every node that runs has reported since `atMs`. */
  async reported(atMs: number): Promise<void> {
    for (const { name, lives } of this.nodes) {
      const life = lives.at(-1)!;
      if (life.end) continue;
      await life.until((report) => report.atMs >= atMs, `${name} reports`);
    }
  }

  /** Waits until the document of the epoch names every node. */
  async listed(): Promise<void> {
    for (const node of this.nodes) {
      await this.life(node).until(
        ({ layer }) => layer !== undefined,
        `${node.name} is listed`,
      );
    }
  }

  /** Ends the first authority with SIGKILL. */
  async killAuthority(): Promise<void> {
    const { child } = this.#authorities[0]!;
    child!.kill("SIGKILL");
    await child!.status;
  }

  /** Starts it again. */
  restartAuthority(): void {
    this.#startAuthority(this.#authorities[0]!);
  }

  /** Ends what runs, and removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    const lives = this.nodes.flatMap(({ lives }) => lives);
    await Promise.all(lives.map((life) => life[Symbol.asyncDispose]()));
    for (const { child } of this.#authorities) {
      try {
        child?.kill("SIGKILL");
      } catch {
        // it has ended
      }
      await child?.status;
    }
    Deno.removeSync(this.#folder, { recursive: true });
  }

  #makeNode(
    name: string,
    i: number,
    port: number,
    network: string,
  ): Machine {
    const { gateways, mixes, peerPacketsPerSecond } = this.#options;
    const state = this.#state(name);
    makeKeys(nodeProvider, state, "node");
    const { identitySeed, linkKey } = readKeys(state, "node");
    const isLast = i === gateways + mixes;
    const address = `${isLast ? "quic" : "tcp"}://127.0.0.1:${port}`;
    const config = write(
      `${state}/mixnode.toml`,
      `${network}
[node]
role = "${i <= gateways ? "gateway" : "mix"}"
listen = ["${address}"]
asn = ${64_496 + i}
state = "${state}"
crypto = "node"
workers = ${i === 0 || isLast ? 1 : 0}
peer_packets_per_second = ${peerPacketsPerSecond}
`,
    );
    return {
      name,
      id: encodeHex(nodeProvider.ed25519.publicKey(identitySeed.expose())),
      linkKey: encodeHex(nodeProvider.x25519.publicKey(linkKey.expose())),
      ...{ config, state, address, lives: [] },
    };
  }

  #startAuthority(
    authority: { readonly config: string; child?: Deno.ChildProcess },
  ) {
    const program = new URL("../../cli/mixnode.ts", import.meta.url).pathname;
    const args = ["directory", "serve", "--config", authority.config];
    authority.child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-check", "--frozen", "-A", program],
        ...[...args, "--log-level=error", "--quiet"],
      ],
      stdin: "null",
      stdout: "null",
    }).spawn();
  }

  #state(name: string): string {
    const state = `${this.#folder}/${name}`;
    Deno.mkdirSync(state, { mode: 0o700 });
    return state;
  }

  #writeBeacon(): string {
    const now = Math.floor(Date.now() / 1_000 / this.#options.epochSeconds);
    const epochs = count(200, (i) => [
      `${now - 2 + i}`,
      { dice: encodeHex(nodeProvider.random(32)) },
    ]);
    const text = JSON.stringify(Object.fromEntries(epochs));
    return write(`${this.#folder}/beacon.json`, text);
  }
}

function count<T>(length: number, make: (i: number) => T): T[] {
  return Array.from({ length }, (_, i) => make(i));
}

function write(path: string, text: string): string {
  Deno.writeTextFileSync(path, text);
  return path;
}

/** Ports that nobody listens at now. */
function freePorts(length: number): number[] {
  const listeners = count(
    length,
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  const ports = listeners.map(({ addr }) => (addr as Deno.NetAddr).port);
  for (const listener of listeners) listener.close();
  return ports;
}
