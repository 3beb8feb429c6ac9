import {
  BoundedQueue,
  type Clock,
  systemClock,
} from "../../src/core/async/mod.ts";
import {
  type Address,
  type Connection,
  type Listener,
  type MemoryNetworkOptions,
  TransportError,
} from "../../src/core/transport/mod.ts";
import {
  HtxLayer,
  type HtxLayerOptions,
  type SessionListener,
} from "../../src/betanet_cla/htx_layer.ts";
import type { Session } from "../../src/htx/session.ts";
import { World } from "../htx/_world.ts";

/** The one place where a {@link HtxWorld} listens. */
export const SERVER = "memory://server";

/** Layers whose sessions run between a client and an HTX server in memory. */
export class HtxWorld {
  /** Sessions that were dialled, the last one last. */
  readonly dialled: Session[] = [];
  readonly #clock: Clock;
  readonly #link: MemoryNetworkOptions;
  readonly #wrap: (connection: Connection) => Connection;
  #world: World | undefined;

  /** @param wrap What clients make of their connections. */
  constructor(
    clock: Clock = systemClock,
    link: MemoryNetworkOptions = {},
    wrap: (connection: Connection) => Connection = (connection) => connection,
  ) {
    this.#clock = clock;
    this.#link = link;
    this.#wrap = wrap;
  }

  /** A layer that dials and listens here. */
  layer(options: Partial<HtxLayerOptions> = {}): HtxLayer {
    return new HtxLayer({
      nodeId: "dtn://near/",
      clock: this.#clock,
      dial: (address) => this.dial(address),
      listen: () => this.#listen(),
      ...options,
    });
  }

  /** A session with the server. */
  async dial(address: Address = SERVER): Promise<Session> {
    if (address !== SERVER || !this.#world) {
      throw new TransportError("unreachable", "Nobody listens there");
    }
    const world = this.#world;
    const session = await world.dial({
      dial: async () => this.#wrap(await world.connect()),
    });
    this.dialled.push(session);
    return session;
  }

  async #listen(): Promise<SessionListener> {
    const sessions = new BoundedQueue<Session>({ capacity: 100 });
    let listener: Listener | undefined;
    const world = this.#world = await World.start(
      {},
      { ...this.#link, clock: this.#clock },
      undefined,
      (each) => listener = each,
    );
    void (async () => {
      for await (const session of world.server) sessions.offer(session);
    })();
    return {
      address: SERVER,
      [Symbol.asyncIterator]: () => sessions[Symbol.asyncIterator](),
      close: () => {
        listener?.close();
        sessions.close();
      },
    };
  }
}
