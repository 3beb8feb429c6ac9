import { type Clock, systemClock } from "../../src/core/async/mod.ts";
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
import { ReplayMemory } from "../../src/htx/replay.ts";
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
  readonly #origin: Listener;
  readonly #serving: Promise<void>;

  private constructor(
    network: MemoryNetwork,
    clock: Clock,
    listener: Listener,
    origin: Listener,
    options: Partial<HtxServerOptions>,
  ) {
    this.network = network;
    this.clock = clock;
    this.#origin = origin;
    this.#serving = serveOrigin(origin);
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
      replay: new ReplayMemory({
        store: memoryStore(),
        nowMs: clock.now(),
      }),
      buckets: new TokenBuckets({ capacity: 1e6 }),
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

  /** Starts origin and server. */
  static async start(
    options: Partial<HtxServerOptions> = {},
    link: MemoryNetworkOptions = {},
  ): Promise<World> {
    const clock = link.clock ?? systemClock;
    const network = new MemoryNetwork(link);
    return new World(
      network,
      clock,
      await network.transport("server").listen("memory://server"),
      await network.transport("origin").listen("memory://origin"),
      options,
    );
  }

  /** A raw connection to the server, as a prober has it. */
  connect(): Promise<Connection> {
    return this.network.transport("client").dial("memory://server");
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    this.#origin.close();
    await this.#serving;
  }
}

async function serveOrigin(origin: Listener): Promise<void> {
  for await (const connection of origin) {
    void answer(connection).catch(() => connection.close());
  }
}

async function answer(connection: Connection): Promise<void> {
  await connection.read(new Uint8Array(16_384));
  await connection.write(new TextEncoder().encode(DECOY_ANSWER));
  await connection.closeWrite();
  while (await connection.read(new Uint8Array(16_384)) !== null);
}
