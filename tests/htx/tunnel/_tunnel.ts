import { BoundedQueue } from "../../../src/core/async/mod.ts";
import {
  type Connection,
  type MemoryNetwork,
  type Transport,
  TransportError,
} from "../../../src/core/transport/mod.ts";
import { AllowList } from "../../../src/htx/tunnel/allow_list.ts";
import {
  Forwarder,
  type ForwarderOptions,
} from "../../../src/htx/tunnel/forward.ts";
import type { StreamOpener } from "../../../src/htx/tunnel/open.ts";
import { connectionPair } from "./_pair.ts";

/** A session that has only streams: what `open` gives on one side comes out on the other. */
export class FakeSession implements StreamOpener {
  readonly #streams = new BoundedQueue<Connection>({ capacity: 10_000 });
  readonly streams = this.#streams as AsyncIterable<Connection>;

  open(): Promise<Connection> {
    return this.openWith(262_144);
  }

  /** Opens a stream that holds `bufferBytes` each way. */
  async openWith(bufferBytes: number): Promise<Connection> {
    const [near, far] = await connectionPair(bufferBytes);
    await this.#streams.push(far);
    return near;
  }

  close(): void {
    this.#streams.close();
  }
}

/** Dials `tcp://address:port` as `memory://address:port`. */
export function dialMemory(network: MemoryNetwork): Transport["dial"] {
  return (address, options) =>
    network.transport("server").dial(
      address.replace("tcp:", "memory:"),
      options,
    );
}

/** A server's end over memory that admits everything private at `10.0.0.0/8` and resolves `*.example` to 10.0.0.1. */
export function forwarderTo(
  network: MemoryNetwork,
  options: Partial<ForwarderOptions> = {},
): Forwarder {
  return new Forwarder({
    allow: new AllowList(["10.0.0.0/8:*"]),
    dial: dialMemory(network),
    resolve: (name) =>
      Promise.resolve(name.endsWith(".example") ? ["10.0.0.1"] : []),
    ...options,
  });
}

/** Listens at a memory host and answers each connection by `serve`. */
export async function origin(
  network: MemoryNetwork,
  host: string,
  serve: (connection: Connection) => Promise<void>,
): Promise<AsyncDisposable> {
  const name = host.split(":")[0]!;
  const listener = await network.transport(name).listen(`memory://${host}`);
  const serving = (async () => {
    const all = [];
    for await (const connection of listener) {
      all.push(serve(connection).catch(unlessBroken));
    }
    await Promise.all(all);
  })();
  return {
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

function unlessBroken(error: unknown): void {
  if (!(error instanceof TransportError)) throw error;
}

/** Sends back what comes. */
export async function echo(connection: Connection): Promise<void> {
  const buffer = new Uint8Array(4096);
  for (let n; (n = await connection.read(buffer)) !== null;) {
    await connection.write(buffer.subarray(0, n));
  }
  await connection.closeWrite();
}
