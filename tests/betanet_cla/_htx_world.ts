import {
  BoundedQueue,
  type Clock,
  systemClock,
} from "../../src/core/async/mod.ts";
import {
  type Address,
  type Listener,
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
  #world: World | undefined;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
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
    const session = await this.#world.dial();
    this.dialled.push(session);
    return session;
  }

  async #listen(): Promise<SessionListener> {
    const sessions = new BoundedQueue<Session>({ capacity: 100 });
    let listener: Listener | undefined;
    const world = this.#world = await World.start(
      {},
      { clock: this.#clock },
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
