import { type Clock, systemClock } from "../../src/core/async/mod.ts";
import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import { generateX25519, nodeProvider } from "../../src/core/crypto/mod.ts";
import { memoryStore } from "../../src/core/storage/mod.ts";
import {
  type Connection,
  type Listener,
  MemoryNetwork,
  type MemoryNetworkOptions,
} from "../../src/core/transport/mod.ts";
import { dialHtx, type DialHtxOptions } from "../../src/htx/client.ts";
import { Decoy } from "../../src/htx/decoy.ts";
import { Gate } from "../../src/htx/gate.ts";
import { ReplayMemory, type ReplayStore } from "../../src/htx/replay.ts";
import { HtxServer, type HtxServerOptions } from "../../src/htx/server.ts";
import type { Session } from "../../src/htx/session.ts";
import { makeTicketKey, TicketKeyRing } from "../../src/htx/ticket_key_ring.ts";
import {
  DEFAULT_TICKET_POLICY,
  type TicketOffer,
} from "../../src/htx/ticket_policy.ts";
import { TokenBuckets } from "../../src/htx/token_bucket.ts";

/** What the decoy of a {@link World} answers to everything, before it ends the connection. */
export const DECOY_ANSWER =
  "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";

/** A network in memory with an HTX server, its decoy origin, and a way in for clients. */
export class World implements AsyncDisposable {
  readonly crypto = nodeProvider;
  readonly network: MemoryNetwork;
  readonly clock: Clock;
  readonly staticKeyPair = generateX25519(nodeProvider);
  readonly offer: TicketOffer;
  readonly gate: Gate;
  readonly decoy: Decoy;
  readonly server: HtxServer;
  /** What arrived on each connection to the decoy's origin. */
  readonly originSaw: Bytes[] = [];
  #answering: Promise<void> | undefined;
  readonly #origin: Listener;
  readonly #serving: Promise<void>;

  private constructor(
    network: MemoryNetwork,
    clock: Clock,
    listener: Listener,
    origin: Listener,
    options: Partial<HtxServerOptions>,
    store: ReplayStore,
  ) {
    this.network = network;
    this.clock = clock;
    this.#origin = origin;
    this.#serving = this.#serveOrigin();
    const key = makeTicketKey(nodeProvider, 0, Infinity);
    this.offer = {
      policy: DEFAULT_TICKET_POLICY,
      keyId: key.keyId,
      publicKey: key.publicKey,
      cookieName: "__Host-sid",
    };
    this.gate = new Gate({
      crypto: nodeProvider,
      keys: new TicketKeyRing([key]),
      replay: new ReplayMemory({ store, nowMs: clock.now() }),
      buckets: new TokenBuckets({ capacity: 1e6 }),
      ...(options.log && { log: options.log }),
    });
    this.decoy = new Decoy({
      dial: (options) =>
        network.transport("server").dial("memory://origin", options),
      clock,
    });
    this.server = new HtxServer([listener], {
      staticKeyPair: this.staticKeyPair,
      gate: this.gate,
      decoy: this.decoy,
      cookieName: this.offer.cookieName,
      clock,
      ...options,
    });
  }

  /** Starts origin and server, which listens to what `wrap` makes of its listener. */
  static async start(
    options: Partial<HtxServerOptions> = {},
    link: MemoryNetworkOptions = {},
    store: ReplayStore = memoryStore(),
    wrap: (listener: Listener) => Listener = (listener) => listener,
  ): Promise<World> {
    const clock = link.clock ?? systemClock;
    const network = new MemoryNetwork(link);
    const listener = await network.transport("server")
      .listen("memory://server");
    return new World(
      network,
      clock,
      wrap(listener),
      await network.transport("origin").listen("memory://origin"),
      options,
      store,
    );
  }

  /** A raw connection to the server from the host `from`, as a prober has it. */
  connect(from = "client"): Promise<Connection> {
    return this.network.transport(from).dial("memory://server");
  }

  /** What a client of this server needs. */
  dialOptions(options: Partial<DialHtxOptions> = {}): DialHtxOptions {
    return {
      address: "tcp://server:443",
      staticKey: this.staticKeyPair.publicKey,
      offer: this.offer,
      clock: this.clock,
      dial: () => this.connect(),
      ...options,
    };
  }

  /** Opens a session. */
  dial(options: Partial<DialHtxOptions> = {}): Promise<Session> {
    return dialHtx(this.dialOptions(options));
  }

  /** A session from both ends. */
  async pair(
    options: Partial<DialHtxOptions> = {},
  ): Promise<{ client: Session; server: Session }> {
    const client = await this.dial(options);
    for await (const server of this.server) return { client, server };
    throw new Error("Server is closed");
  }

  /** What arrived on the last connection to the decoy's origin, once that has ended. */
  async lastAtOrigin(): Promise<Bytes | undefined> {
    await this.#answering;
    return this.originSaw.at(-1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    this.#origin.close();
    await this.#serving;
  }

  async #serveOrigin(): Promise<void> {
    for await (const connection of this.#origin) {
      const index = this.originSaw.push(new Uint8Array(0)) - 1;
      this.#answering = this.#answer(connection, index)
        .catch(() => connection.close());
    }
  }

  async #answer(connection: Connection, index: number): Promise<void> {
    const buffer = new Uint8Array(16_384);
    const read = async () => {
      const length = await connection.read(buffer);
      const more = buffer.subarray(0, length ?? 0);
      this.originSaw[index] = concat(this.originSaw[index]!, more);
      return length !== null;
    };
    await read();
    await connection.write(new TextEncoder().encode(DECOY_ANSWER));
    await connection.closeWrite();
    while (await read());
  }
}

/** `listener`, whose connections say that HTTP/2 was agreed on. */
export function agreeingOnHttp2(listener: Listener): Listener {
  return overlay(listener, {
    async *[Symbol.asyncIterator]() {
      for await (const each of listener) yield overlay(each, { alpn: "h2" });
    },
  });
}

/** `target` with `changes`. */
export function overlay<T extends object>(target: T, changes: Partial<T>): T {
  return new Proxy(target, {
    get(_, key) {
      if (Object.hasOwn(changes, key)) return Reflect.get(changes, key);
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Lets everything go on that waits for no timer until `condition` holds; fails after many turns. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn > 100_000) throw new Error("What was waited for did not happen");
    await new Promise((resolve) => setImmediate(resolve));
  }
}
