import { assert } from "@std/assert";
import { delay, systemClock } from "../../src/core/async/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { listenTcp } from "../../src/core/transport/mod.ts";
import { runMixnode, RunningMixnode } from "./_run_mixnode.ts";

const EPOCH_S = 8;

/** A network in this process: an authority, and the nodes and clients that a test wants. */
export class MixNetwork implements AsyncDisposable {
  /** Nodes that were started. */
  readonly nodes: RunningMixnode[] = [];
  /** Where they show what they do, in this order. */
  readonly statusPorts: string[] = [];
  /** Key of the authority, in hexadecimal. */
  authorityId = "";
  readonly #folder: string;
  #network = "";
  #authority?: RunningMixnode;

  /** Keeps all in `folder`. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Founds the network; nobody is in it yet. Each client sends `packetsPerSecond`. */
  async found({ packetsPerSecond = 40 } = {}): Promise<void> {
    const folder = this.#folder;
    const made = await runMixnode("keygen", "--authority", "--state", folder);
    const id = made.stdout.trim().split(" ")[1]!;
    this.authorityId = id;
    const epoch = Math.floor(Date.now() / (EPOCH_S * 1_000));
    await Deno.writeTextFile(
      `${folder}/beacon.json`,
      JSON.stringify(Object.fromEntries(
        Array.from({ length: 60 }, (_, i) => [epoch + i, {
          dice: nodeProvider.random(32).toHex(),
        }]),
      )),
    );
    const network = (port: number) => `
[network]
name = "test"
authorities = ["${id}@127.0.0.1:${port}"]
epoch = "${EPOCH_S}s"
mean_delay = "5ms"
client_packets_per_second = ${packetsPerSecond}
client_loops_per_second = ${packetsPerSecond / 10}
`;
    const port = await freePort();
    this.#network = network(port);
    const config = await this.#write(
      "authority",
      `[authority]\nport = ${port}\nstate = "${folder}"\n[authority.beacon]\nfile = "${folder}/beacon.json"\n`,
    );
    this.#authority = new RunningMixnode(
      "directory",
      "serve",
      "--config",
      config,
    );
    await this.#authority.said(/authority .* at http/);
  }

  /** Starts a node; it works once it is in a document. */
  async node(name: string, about: string): Promise<RunningMixnode> {
    const state = `${this.#folder}/${name}`;
    await runMixnode("keygen", "--state", state);
    const config = await this.#write(
      name,
      `[node]\nstate = "${state}"\nworkers = 0\ndrain = "1s"\n${about}\n[node.status]\nport = 0\n`,
    );
    const node = new RunningMixnode("--config", config);
    this.nodes.push(node);
    const [, port] = await node.said(/status at http:\/\/127.0.0.1:(\d+)/);
    this.statusPorts.push(port!);
    return node;
  }

  /** Waits until the document of the epoch names every node: two epochs, as authorities close their list before. */
  async listed(): Promise<void> {
    for (const port of this.statusPorts) {
      for (let ok = false; !ok; await delay(systemClock, 100)) {
        const response = await fetch(`http://127.0.0.1:${port}/ready`);
        ok = (await response.json()).checks.listed;
      }
    }
  }

  /** The configuration of a client, whose keys are made. */
  async client(name: string): Promise<string> {
    const state = `${this.#folder}/${name}`;
    await runMixnode("keygen", "--client", "--state", state);
    return await this.#write(name, `[client]\nstate = "${state}"\n`);
  }

  async #write(name: string, text: string): Promise<string> {
    const path = `${this.#folder}/${name}.toml`;
    await Deno.writeTextFile(path, `${this.#network}\n${text}`);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.nodes, this.#authority!];
    await Promise.all(all.map(({ terminal }) => terminal.send("SIGTERM")));
    for (const { ended, terminal } of all) {
      // One that still waits for its first document is ended by the signal.
      assert([0, 143].includes(await ended), terminal.err);
    }
  }
}

/** A TCP port of loopback that nobody listens at. */
export async function freePort(): Promise<number> {
  const listener = await listenTcp("tcp://127.0.0.1:0");
  listener.close();
  return Number(listener.address.split(":").at(-1));
}
