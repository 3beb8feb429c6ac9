import { VirtualClock } from "../../src/core/async/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import type { Store } from "../../src/core/storage/mod.ts";
import {
  MixLayer,
  type MixLayerOptions,
} from "../../src/betanet_cla/mix_layer.ts";
import type {
  Contact,
  ContactListener,
  ConvergenceLayer,
} from "../../src/dtn/cla/convergence_layer.ts";
import type { MixClient } from "../../src/mixnet/client/mix_client.ts";
import {
  clientKeys,
  MixWorld,
  type MixWorldOptions,
} from "../mixnet/client/_mix_world.ts";

/** A layer and the client under it. */
export interface MixPeer {
  readonly client: MixClient;
  readonly layer: MixLayer;
}

/** What a {@link MixNodeWorld} is made of. */
export interface MixNodeWorldOptions extends MixWorldOptions {
  /** Mean packets of a client per second; 100 by default. Fewer let time pass with less work. */
  readonly packetsPerSecond?: number;
}

/** Layers over clients of one mixnet, whose time runs as fast as there is work, until disposed. */
export class MixNodeWorld implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly mixnet: MixWorld;
  readonly #options: MixNodeWorldOptions;
  readonly #peers: MixPeer[] = [];
  #isOver = false;
  readonly #running: Promise<void>;

  constructor(options: MixNodeWorldOptions = {}) {
    this.#options = options;
    this.mixnet = new MixWorld(this.clock, {
      meanDelayMs: 20,
      ...options,
      gateway: {
        downlinkPerSecond: 3 * (options.packetsPerSecond ?? 100),
        ...options.gateway,
      },
    });
    this.#running = this.#run();
  }

  /** A layer over a client at gateway `gateway`; `keys` and stores are what a process that starts again finds. */
  peer(
    gateway: string,
    options: Partial<MixLayerOptions> = {},
    { keys = clientKeys(), store }: {
      readonly keys?: ReturnType<typeof clientKeys>;
      readonly store?: Store;
    } = {},
  ): MixPeer {
    const { packetsPerSecond = 100 } = this.#options;
    const client = this.mixnet.client(gateway, keys, {
      packetsPerSecond,
      loopsPerSecond: 0.1,
      ...store && { store },
    });
    const layer = new MixLayer({
      client,
      crypto: nodeProvider,
      clock: this.clock,
      ...options,
    });
    const peer = { client, layer };
    this.#peers.push(peer);
    return peer;
  }

  /** Ends a peer as a process that is killed. */
  async kill(peer: MixPeer): Promise<void> {
    peer.layer[Symbol.dispose]();
    await peer.client[Symbol.asyncDispose]();
  }

  /** Resolves once `isDone`, within `limitMs` of virtual time. */
  async until(isDone: () => boolean, limitMs = 600_000): Promise<void> {
    const endMs = this.clock.now() + limitMs;
    while (!isDone()) {
      if (this.clock.now() > endMs) throw new Error("Not done in time");
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Resolves once `ms` of virtual time have passed. */
  async pass(ms: number): Promise<void> {
    const endMs = this.clock.now() + ms;
    await this.until(() => this.clock.now() >= endMs, ms + 1_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#peers) await this.kill(peer);
    await this.mixnet.close();
    this.#isOver = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      this.clock.advance(10);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** Takes every bundle of a contact, and keeps them. */
export function accepting(contact: Contact): Uint8Array[] {
  const bundles: Uint8Array[] = [];
  void (async () => {
    for await (const { bytes, accept } of contact.received) {
      bundles.push(bytes);
      accept();
    }
  })();
  return bundles;
}

/** Layers for the compliance suite, which are made when it listens and end with its listener. */
export class MixPair {
  readonly #options: MixNodeWorldOptions;
  readonly #layerOptions: Partial<MixLayerOptions>;
  #near: MixPeer | undefined;

  constructor(
    options: MixNodeWorldOptions,
    layerOptions: Partial<MixLayerOptions>,
  ) {
    this.#options = options;
    this.#layerOptions = layerOptions;
  }

  /** Who dials. */
  get dialer(): ConvergenceLayer {
    return {
      name: "mix",
      dial: (address, options) => this.#near!.layer.dial(address, options),
      listen: () => Promise.reject(new TypeError("It dials")),
    };
  }

  /** Who listens. */
  get listener(): ConvergenceLayer {
    return {
      name: "mix",
      dial: () => Promise.reject(new TypeError("It listens")),
      listen: () => this.#listen(),
    };
  }

  async #listen(): Promise<ContactListener> {
    const world = new MixNodeWorld(this.#options);
    this.#near = world.peer("east", this.#layerOptions);
    const far = world.peer("west", this.#layerOptions);
    const listener = await far.layer.listen(far.layer.address);
    return {
      address: listener.address,
      close: () => listener.close(),
      [Symbol.asyncIterator]: () => listener[Symbol.asyncIterator](),
      [Symbol.asyncDispose]: async () => {
        listener.close();
        await world[Symbol.asyncDispose]();
      },
    };
  }
}
