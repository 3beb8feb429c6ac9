import { type Command, PeerProcess } from "./_peer_process.ts";

/** A client and its server. */
export class PeerPair implements AsyncDisposable {
  /** The client, to be asked. */
  readonly client: PeerProcess;
  readonly #server: PeerProcess;

  private constructor(client: PeerProcess, server: PeerProcess) {
    this.client = client;
    this.#server = server;
  }

  /** Starts a server that gets `known`, and a client that gets what it said together with `options`. */
  static async start(
    client: Command,
    server: Command,
    known: object,
    options: object,
  ): Promise<PeerPair> {
    const serverInput = JSON.stringify(known);
    const running = await PeerProcess.start([...server, "server", serverInput]);
    await using stack = new AsyncDisposableStack();
    stack.use(running);
    const clientInput = JSON.stringify({
      ...running.known as object,
      ...options,
    });
    const pair = new PeerPair(
      await PeerProcess.start([...client, "client", clientInput]),
      running,
    );
    stack.move();
    return pair;
  }

  /** Processor time of client and server so far, in seconds. */
  get cpuS(): readonly [number, number] {
    return [this.client.cpuS, this.#server.cpuS];
  }

  /** Processor time of client and server since then, in seconds. */
  cpuSince([client, server]: readonly [number, number]): [number, number] {
    const [clientNow, serverNow] = this.cpuS;
    return [clientNow - client, serverNow - server];
  }

  /** Ends both. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }
}
