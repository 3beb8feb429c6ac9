const MAX_START_MS = 10_000;
const PROGRAM = "nats-server";

/** Whether there is a nats-server; says why `what` goes without if not. */
export function hasNatsServer(what: string): boolean {
  try {
    return new Deno.Command(PROGRAM, { args: ["-v"], stdout: "null" })
      .outputSync().success;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    // deno-lint-ignore no-console -- the reason is for the person who ran this
    console.error(`${what}: no nats-server, which is Debian's nats-server`);
    return false;
  }
}

/** A nats-server on this machine, with its files in a folder. */
export class NatsServer implements AsyncDisposable {
  /** Where clients find it. */
  readonly address: string;
  readonly #child: Deno.ChildProcess;

  private constructor(address: string, child: Deno.ChildProcess) {
    this.address = address;
    this.#child = child;
  }

  /** Starts it, and waits until it takes connections. */
  static async start(folder: string): Promise<NatsServer> {
    const port = freePort();
    const child = new Deno.Command(PROGRAM, {
      args: ["-a", "127.0.0.1", "-p", `${port}`, "-js", "-sd", folder],
      stdout: "null",
      stderr: "null",
    }).spawn();
    const server = new NatsServer(`127.0.0.1:${port}`, child);
    const end = performance.now() + MAX_START_MS;
    while (!await takesConnections(port)) {
      if (performance.now() < end) continue;
      await server[Symbol.asyncDispose]();
      throw new Error("nats-server did not start");
    }
    return server;
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function takesConnections(port: number): Promise<boolean> {
  try {
    using _ = await Deno.connect({ hostname: "127.0.0.1", port });
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    await new Promise((resolve) => setTimeout(resolve, 50));
    return false;
  }
}
