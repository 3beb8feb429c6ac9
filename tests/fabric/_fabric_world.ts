import type { Clock, VirtualClock } from "../../src/core/async/mod.ts";
import { memoryStore, type Store } from "../../src/core/storage/mod.ts";
import { TransportError } from "../../src/core/transport/mod.ts";
import {
  AgentBook,
  type Fabric,
  FabricNode,
  type JoinOptions,
} from "../../src/fabric/mod.ts";
import type { Session } from "../../src/htx/mod.ts";
import { DtnWorld } from "../dtn/node/_dtn_world.ts";
import { World } from "../htx/_world.ts";
import { agentOf, crypto } from "./_agents.ts";

/** What of a node outlives its process. */
export interface Kept {
  readonly book: Store;
  readonly agent: Store;
  readonly bundles: Store;
}

/** A node in a {@link FabricWorld}, with one agent. */
export interface TestNode extends AsyncDisposable {
  readonly name: string;
  readonly node: FabricNode;
  readonly fabric: Fabric;
  readonly book: AgentBook;
  readonly bundles: Awaited<ReturnType<DtnWorld["node"]>>;
  /** Its agent's record now. */
  readonly record: () => Uint8Array;
}

/** Nodes of agents with HTX servers and nodes of bundles, over sockets and with time that are made up. */
export class FabricWorld implements AsyncDisposable {
  readonly dtn: DtnWorld = new DtnWorld();
  /** Names of nodes that cannot be dialed. */
  readonly unreachable: Set<string> = new Set();
  /** Sessions that were dialed, and are not over. */
  readonly sessions: Set<Session> = new Set();
  readonly #servers = new Map<string, World>();
  readonly #nodes: TestNode[] = [];

  get clock(): VirtualClock {
    return this.dtn.clock;
  }

  /** Starts the node `name`, on which is the agent `agent@name`, and whose clock is ahead by `skewMs`. */
  async start(
    agent: string,
    name: string,
    options: Partial<JoinOptions> & { readonly maxLinks?: number } = {},
    kept: Kept = keptOf(),
    skewMs = 0,
  ): Promise<TestNode> {
    const clock = skewed(this.clock, skewMs);
    const server = await World.start({}, { clock: this.clock });
    this.#servers.set(name, server);
    const bundles = await this.dtn.node(name, {}, kept.bundles);
    const book = new AgentBook({ crypto, clock, store: kept.book });
    const node = new FabricNode({
      ...{ crypto, book, clock, bundles },
      random: () => 0.5,
      ...options.maxLinks !== undefined && { maxLinks: options.maxLinks },
      node: {
        staticKey: server.staticKeyPair.publicKey,
        htx: new TextEncoder().encode(name),
      },
      dial: async ({ htx }) => {
        const place = new TextDecoder().decode(htx);
        const to = this.#servers.get(place);
        if (!to || this.unreachable.has(place)) {
          throw new TransportError("unreachable", "Nobody listens there");
        }
        const { staticKeyPair } = server;
        const session = await to.dial({ staticKeyPair });
        this.sessions.add(session);
        void session.closed.then(() => this.sessions.delete(session));
        return session;
      },
    });
    node.serve(server.server);
    const fabric = node.join(agentOf(`${agent}@${name}`), {
      store: kept.agent,
      ...options,
    });
    const started: TestNode = {
      ...{ name, node, fabric, book, bundles },
      record: () => book.get(fabric.agent.id)!.bytes,
      [Symbol.asyncDispose]: async () => {
        this.#servers.delete(name);
        await node[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
    this.#nodes.push(started);
    return started;
  }

  /** Lets agents know each other. */
  introduce(...nodes: readonly TestNode[]): void {
    for (const each of nodes) {
      for (const other of nodes) each.book.learn(other.record());
    }
  }

  /** Lets bundles go between two nodes. */
  meet(a: TestNode, b: TestNode): void {
    a.bundles.connect(a.bundles.layer, `memory://${b.name}`);
  }

  /** Breaks every session, and lets none be dialed. */
  async cut(): Promise<void> {
    for (const { name } of this.#nodes) this.unreachable.add(name);
    await Promise.all([...this.sessions].map((each) => each.close()));
  }

  /** Moves time until `work` is done. */
  settle<T>(work: Promise<T>): Promise<T> {
    return this.dtn.settle(work);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.#nodes) {
      await this.settle(Promise.resolve(node[Symbol.asyncDispose]()));
    }
    await this.dtn[Symbol.asyncDispose]();
  }
}

function skewed(clock: Clock, skewMs: number): Clock {
  return {
    wallTime: () => clock.wallTime() + skewMs,
    now: () => clock.now(),
    setTimeout: (fn, delayMs) => clock.setTimeout(fn, delayMs),
  };
}

/** What of a new node outlives its process. */
export function keptOf(): Kept {
  return { book: memoryStore(), agent: memoryStore(), bundles: memoryStore() };
}
