import { type Clock, systemClock } from "../../core/async/mod.ts";
import { DecodeError } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { type Logger, silentLogger } from "../../core/log/mod.ts";
import type { Store } from "../../core/storage/mod.ts";
import type { Session } from "../../htx/mod.ts";
import { Fabric, type FabricOptions } from "../agent/fabric.ts";
import type { Route } from "../agent/reception.ts";
import { FabricError } from "../error.ts";
import type { Agent } from "../identity/agent.ts";
import type { AgentBook } from "../identity/agent_book.ts";
import type { AgentNode } from "../identity/agent_record.ts";
import type { Message } from "../message/message.ts";
import { verifyReceipts } from "../receipt/receipt.ts";
import type { RpcLink } from "../rpc/rpc_link.ts";
import { refuseStream } from "../stream/streams.ts";
import { BundleBridge, type BundleBridgeCounts } from "./bundle_bridge.ts";
import type { BundlePort } from "./bundle_port.ts";
import { type DialNode, Links } from "./links.ts";
import { OwnRecord } from "./own_record.ts";

/** Parts and limits of a {@link FabricNode}. */
export interface FabricNodeOptions {
  /** Keys, signatures, ids. */
  readonly crypto: CryptoProvider;
  /** Where agents are. */
  readonly book: AgentBook;
  /** How others reach this node: its Noise static key, and its HTX record if it takes sessions. */
  readonly node: AgentNode;
  /** Opens sessions with other nodes; links are taken only if absent. */
  readonly dial?: DialNode;
  /** A node of bundles; messages travel live only if absent. */
  readonly bundles?: BundlePort;
  /** Most messages of a link that we have not said anything about; 1,024 by default. */
  readonly maxMessages?: number;
  /** Bytes of them; 16 MiB by default. */
  readonly maxBytes?: number;
  /** Most links; 1,024 by default. Further ones are closed. */
  readonly maxLinks?: number;
  /** Uniform in [0, 1), for pauses between attempts. */
  readonly random: () => number;
  /** Where it says what failed. */
  readonly log?: Logger;
  /** Time; the machine's by default. */
  readonly clock?: Clock;
}

/** What an agent brings to a node. */
export interface JoinOptions extends
  Pick<
    FabricOptions,
    "budgetMs" | "outbox" | "inbox" | "maxRunning" | "streams" | "groups"
  > {
  /** Keeps the agent's outbox, inbox and receipts; the fabric has it for itself. */
  readonly store: Store;
  /** What the agent's record says that it can do; nothing by default. */
  readonly capabilities?: readonly string[];
}

/** What came for nobody here. */
export interface FabricNodeCounts {
  /** Messages and streams for agents that are not here. */
  unknownAgent: number;
  /** Receipts that do not verify, or are for agents that are not here. */
  badReceipts: number;
  /** Records in messages that do not verify, or are older than what is known. */
  badRecords: number;
}

interface Joined {
  readonly fabric: Fabric;
  readonly record: OwnRecord;
  readonly bridge: BundleBridge | undefined;
}

const MAX_MESSAGES = 1_024;
const MAX_BYTES = 16 * 1024 * 1024;
const SWEEP_MS = 60_000;
/** As many records as a hello has. */
const MAX_AGENTS = 64;

/** The agents of one process, and their connections with those of others. */
export class FabricNode implements AsyncDisposable {
  /** What came for nobody here. */
  readonly counts: FabricNodeCounts = {
    ...{ unknownAgent: 0, badReceipts: 0, badRecords: 0 },
  };
  /** Live connections. */
  readonly links: Links;
  readonly #options: FabricNodeOptions & { readonly clock: Clock };
  readonly #log: Logger;
  readonly #joined = new Map<string, Joined>();
  #cancelSweep: () => void = () => {};

  /** Starts without an agent. */
  constructor(options: FabricNodeOptions) {
    const { clock = systemClock } = options;
    this.#options = { ...options, clock };
    this.#log = options.log ?? silentLogger;
    this.links = new Links({
      ...this.#options,
      log: this.#log,
      onReached: (id) => {
        for (const { fabric } of this.#joined.values()) fabric.reached(id);
      },
      onParted: (id) => {
        for (const { fabric } of this.#joined.values()) {
          fabric.reached(id, true);
        }
      },
      link: () => ({
        clock,
        hello: {
          records: [...this.#joined.values()].map(({ record }) => record.bytes),
          maxMessages: options.maxMessages ?? MAX_MESSAGES,
          maxBytes: options.maxBytes ?? MAX_BYTES,
        },
        onMessage: (message, link) =>
          this.#take(message, routeOf(message, link)),
        onAnswer: (answer) => this.#takeAnswer(answer),
        onReceipts: (signed) => this.#takeReceipts(signed),
        onOpening: (opening, stream, rest, link) => {
          const joined = this.#joined.get(`${opening.to}`);
          if (joined) {
            return joined.fabric.acceptStream(opening, stream, rest, link);
          }
          this.counts.unknownAgent++;
          void refuseStream(stream, "unknown_agent", clock);
        },
      }),
    });
    this.#sweep();
  }

  /** The agents that are here. */
  get agents(): readonly Fabric[] {
    return [...this.#joined.values()].map(({ fabric }) => fabric);
  }

  /** What its agents did with bundles. */
  get bundleCounts(): BundleBridgeCounts {
    const counts: BundleBridgeCounts = {
      ...{ sent: 0, received: 0, unopened: 0, full: 0 },
    };
    for (const { bridge } of this.#joined.values()) {
      counts.sent += bridge?.counts.sent ?? 0;
      counts.received += bridge?.counts.received ?? 0;
      counts.unopened += bridge?.counts.unopened ?? 0;
      counts.full += bridge?.counts.full ?? 0;
    }
    return counts;
  }

  /**
   * Lets an agent in.
   *
   * @throws {RangeError} If it is here, or 64 are.
   * @throws {DtnNodeError} `registered` if another has its endpoint.
   */
  join(agent: Agent, options: JoinOptions): Fabric {
    const { crypto, book, node, bundles, random, clock } = this.#options;
    const key = `${agent.id}`;
    if (this.#joined.has(key)) throw new RangeError("The agent is here");
    if (this.#joined.size >= MAX_AGENTS) {
      throw new RangeError(`A node has at most ${MAX_AGENTS} agents`);
    }
    const log = this.#log;
    using started = new DisposableStack();
    const record = new OwnRecord(agent, {
      ...{ node, clock, book },
      capabilities: options.capabilities ?? [],
      onRenewed: (bytes) => {
        for (const link of this.links) link.sendRecord(bytes);
      },
    });
    started.use(record);
    const bridge = bundles && new BundleBridge({
      ...{ agent, crypto, book, log, clock },
      port: bundles,
      record: () => record.bytes,
      onMessage: (message, route) => this.#take(message, route),
    });
    const fabric = new Fabric({
      ...options,
      ...{ agent, crypto, book, random, log, clock },
      live: this.links,
      ...bridge && { bundles: bridge },
    });
    started.move();
    this.#joined.set(key, { fabric, record, bridge });
    for (const link of this.links) link.sendRecord(record.bytes);
    return fabric;
  }

  /** Lets an agent go. */
  async leave(agent: Agent): Promise<void> {
    const joined = this.#joined.get(`${agent.id}`);
    if (!joined) return;
    this.#joined.delete(`${agent.id}`);
    await end(joined);
  }

  /** Takes sessions that others open. */
  serve(sessions: AsyncIterable<Session>): void {
    this.links.serve(sessions);
  }

  /** Lets every agent go, and ends every link. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancelSweep();
    const all = [...this.#joined.values()];
    this.#joined.clear();
    await Promise.all(all.map(end));
    await this.links[Symbol.asyncDispose]();
  }

  #take(message: Message, route: Route): void {
    switch (message.kind) {
      case "record":
        this.#learn(message);
        return route.status("taken");
      case "receipts":
        this.#takeReceipts(message.payload);
        return route.status("taken");
      case "reply":
      case "failure":
        this.#takeAnswer(message);
        return route.status("taken");
    }
    const joined = this.#joined.get(`${message.to}`);
    if (joined) return joined.fabric.receive(message, route);
    this.counts.unknownAgent++;
    route.status("refused", "unknown_agent");
  }

  #learn({ payload, from }: Message): void {
    const { book } = this.#options;
    const before = book.get(from)?.bytes;
    try {
      book.learn(payload);
    } catch (error) {
      if (!(error instanceof FabricError || error instanceof DecodeError)) {
        throw error;
      }
      this.counts.badRecords++;
      this.#log.debug("fabric.bad_record", { error });
      return;
    }
    // What rests is sent again when something new is known: saying the same again is no reason to.
    if (book.get(from)?.bytes === before) return;
    for (const { fabric } of this.#joined.values()) fabric.reached(from);
  }

  #takeAnswer(answer: Message): void {
    const joined = this.#joined.get(`${answer.to}`);
    if (joined) joined.fabric.takeAnswer(answer);
    else this.counts.unknownAgent++;
  }

  #takeReceipts(signed: Uint8Array): void {
    try {
      const receipts = verifyReceipts(this.#options.crypto, signed);
      const joined = this.#joined.get(`${receipts[0]?.from}`);
      if (!joined) return void this.counts.badReceipts++;
      joined.fabric.takeReceipts(signed, receipts).catch((error) => {
        this.#log.error("fabric.failed", { error });
      });
    } catch (error) {
      if (!(error instanceof FabricError || error instanceof DecodeError)) {
        throw error;
      }
      this.counts.badReceipts++;
    }
  }

  #sweep(): void {
    this.#options.book.sweep();
    for (const { fabric } of this.#joined.values()) fabric.sweep();
    const { clock } = this.#options;
    this.#cancelSweep = clock.setTimeout(() => this.#sweep(), SWEEP_MS);
  }
}

function routeOf(message: Message, link: RpcLink): Route {
  return {
    isLive: true,
    status: (code, reason) => link.status(message, code, reason),
    answer: (answer, onConfirmed) => link.answer(answer, onConfirmed),
  };
}

async function end({ fabric, record, bridge }: Joined): Promise<void> {
  record[Symbol.dispose]();
  await bridge?.[Symbol.asyncDispose]();
  await fabric[Symbol.asyncDispose]();
}
