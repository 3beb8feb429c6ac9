/**
 * A node of agents in a process of its own: HTX over TCP, bundles over TCPCL, everything that lasts in SQLite, and a clock that may be off.
 * Its handlers write down what they are given, so that it is known after a SIGKILL too.
 *
 * @module
 */
import { type Clock, delay, systemClock } from "../../src/core/async/mod.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import { memoryStore, sqliteStore } from "../../src/core/storage/mod.ts";
import {
  type Address,
  dialTcp,
  listenTcp,
  TransportError,
} from "../../src/core/transport/mod.ts";
import {
  BundleStore,
  DtnNode,
  Eid,
  staticRouter,
  TcpclLayer,
} from "../../src/dtn/mod.ts";
import {
  AgentBook,
  type BundleBridgeCounts,
  type Fabric,
  FabricError,
  FabricNode,
  type FabricNodeCounts,
  type Incoming,
  type LinksCounts,
  parseAgentName,
  type ReceptionCounts,
} from "../../src/fabric/mod.ts";
import { htx } from "../../mod.ts";
import { agentOf } from "../fabric/_agents.ts";
import { introductionOf, keysOf } from "./_fabric_keys.ts";
import {
  answerTo,
  numberIn,
  type Parcel,
  payloadOf,
} from "./_fabric_parcel.ts";
import { orders, rssBytes, say } from "./_line_process.ts";

/** What the process is told at its start. */
export interface FabricProcessOptions {
  /** Its name. */
  readonly node: string;
  /** The names of all agents; those of this node are here. */
  readonly agents: readonly string[];
  /** The folder of its state. */
  readonly state: string;
  /** How far its clock is ahead, in milliseconds. */
  readonly offsetMs: number;
  /** Where HTX of each node is dialed. */
  readonly sessions: Readonly<Record<string, Address>>;
  /** Where bundles of neighbours go. */
  readonly contacts: Readonly<Record<string, Address>>;
  /** Longest that a handler takes, in milliseconds. */
  readonly handlerMs: number;
  /** Most links; as many as usual if absent. */
  readonly maxLinks?: number;
}

/** What it is told later. */
export type FabricOrder =
  | { readonly kind: "send"; readonly parcel: Parcel }
  | { readonly kind: "report" };

/** What it says. */
export type FabricLine =
  | {
    readonly kind: "ready";
    readonly sessions: Address;
    readonly contacts: Address;
  }
  | {
    /** A message is in the outbox. */
    readonly kind: "accepted";
    readonly number: number;
    readonly id: string;
  }
  | {
    /** A request was answered; `isRight` if as it should be. */
    readonly kind: "answered";
    readonly number: number;
    readonly isRight: boolean;
  }
  | {
    /** What was to be sent was not accepted, or ended: the code and text of the error. */
    readonly kind: "failed";
    readonly number: number;
    readonly reason: string;
  }
  | {
    readonly kind: "report";
    /** Messages that wait to be delivered. */
    readonly outbox: number;
    readonly rssBytes: number;
    readonly attempts: { readonly rpc: number; readonly bundle: number };
    readonly copies: number;
    readonly links: number;
    /** Contacts of its node of bundles, and bundles that it keeps. */
    readonly neighbours: number;
    readonly bundles: number;
    /** What came, and why it was not taken. */
    readonly counts: FabricCounts;
  };

/** What of a node came, and why it was not taken, over all its agents. */
export interface FabricCounts {
  readonly received: ReceptionCounts;
  readonly bundles: BundleBridgeCounts;
  readonly node: FabricNodeCounts;
  readonly links: LinksCounts;
  readonly foreignReceipts: number;
  readonly lateAnswers: number;
  readonly conflicts: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const options: FabricProcessOptions = JSON.parse(Deno.args[0]!);
const { node: name, state, offsetMs } = options;
const clock: Clock = {
  ...systemClock,
  wallTime: () => Date.now() + offsetMs,
};
const { staticKeyPair, ticketKey, offer, node } = keysOf(name);

const bundleStore = new BundleStore({
  store: sqliteStore(`${state}/bundles.sqlite`),
  ...{ crypto, clock },
  limits: { maxBundles: 100_000, maxBytes: 1e9 },
});
const bundles = new DtnNode({
  nodeId: Eid.parse(`dtn://${name}/`),
  store: bundleStore,
  router: staticRouter([]),
  random: Math.random,
  clock,
});
const layer = new TcpclLayer({ nodeId: `dtn://${name}/` });
const contacts = await layer.listen("tcp://127.0.0.1:0");
bundles.serve(contacts);
for (const address of Object.values(options.contacts)) {
  bundles.connect(layer, address);
}

const origin = listenTcp("tcp://127.0.0.1:0");
const server = new htx.HtxServer([listenTcp("tcp://127.0.0.1:0")], {
  staticKeyPair,
  gate: new htx.Gate({
    crypto,
    keys: new htx.TicketKeyRing([ticketKey]),
    replay: new htx.ReplayMemory({ store: memoryStore(), nowMs: clock.now() }),
    buckets: new htx.TokenBuckets({ capacity: 1e6 }),
  }),
  decoy: new htx.Decoy({ dial: (o) => dialTcp(origin.address, o) }),
  cookieName: offer.cookieName,
  clock,
});

const book = new AgentBook({
  ...{ crypto, clock },
  store: sqliteStore(`${state}/book.sqlite`),
});
const agents = options.agents.map((each) => agentOf(each));
for (const agent of agents) {
  // It may know a newer record by now.
  if (!book.get(agent.id)) book.learn(introductionOf(agent, clock.wallTime()));
}
const fabrics = new Map<string, Fabric>();
const fabricNode = new FabricNode({
  ...{ crypto, book, clock, bundles, node },
  random: Math.random,
  ...options.maxLinks !== undefined && { maxLinks: options.maxLinks },
  dial: ({ htx: record }, { signal }) => {
    const to = decoder.decode(record);
    const address = options.sessions[to];
    if (!address) throw new TransportError("unreachable", "Nobody is there");
    return htx.dialHtx({
      ...{ address, staticKeyPair, clock },
      staticKey: keysOf(to).staticKeyPair.publicKey,
      offer: keysOf(to).offer,
      ...signal && { signal },
    });
  },
});
fabricNode.serve(server);

const file = Deno.openSync(`${state}/handled`, {
  ...{ append: true, create: true },
});
const drummed = Deno.openSync(`${state}/drummed`, {
  ...{ append: true, create: true },
});
for (const agent of agents) {
  if (agent.name.node !== name) continue;
  const fabric = fabricNode.join(agent, {
    store: sqliteStore(`${state}/${agent.name.agent}.sqlite`),
  });
  fabrics.set(`${agent.name.agent}@${name}`, fabric);
  const write = (payload: unknown, { isAgain }: Incoming) => {
    const number = numberIn(payload);
    const line = `${number} ${agent.name.agent}@${name} ${isAgain ? 1 : 0}\n`;
    file.writeSync(encoder.encode(line));
    return number;
  };
  fabric.handle("note", async (payload, incoming) => {
    write(payload, incoming);
    await delay(systemClock, options.handlerMs * Math.random());
  });
  fabric.handle("ask", async (payload, incoming) => {
    const number = write(payload, incoming);
    await delay(systemClock, options.handlerMs * Math.random());
    return answerTo(number);
  });
  fabric.handle("refuse", (payload, incoming) => {
    write(payload, incoming);
    throw new FabricError("refused", "not_today");
  });
  fabric.handle("throw", (payload, incoming) => {
    write(payload, incoming);
    throw new Error("It fails");
  });
  // What strangers send: their numbers have a file of their own.
  fabric.handle("drum", async (payload) => {
    drummed.writeSync(encoder.encode(`${payload}\n`));
    await delay(systemClock, options.handlerMs * Math.random());
  });
  fabric.handle("never", () => new Promise(() => {}));
  fabric.start();
}
say({
  kind: "ready",
  sessions: server.addresses[0]!,
  contacts: contacts.address,
});

for await (const order of orders<FabricOrder>(Deno.stdin.readable)) {
  if (order.kind === "send") void send(order.parcel);
  else report();
}
await fabricNode[Symbol.asyncDispose]();
await bundles[Symbol.asyncDispose]();
await server.close();
Deno.exit(0);

async function send(parcel: Parcel): Promise<void> {
  const { number, to, type, isRequest } = parcel;
  const fabric = fabrics.get(parcel.from)!;
  const name = parseAgentName(to);
  const payload = payloadOf(parcel);
  const { way, priority, lifetimeMs, isOrdered } = parcel;
  const how = { way, priority, lifetimeMs, isOrdered };
  try {
    if (isRequest) {
      const value = await fabric.request(name, type, payload, how);
      say({ kind: "answered", number, isRight: value === answerTo(number) });
      return;
    }
    const { id } = await fabric.notify(name, type, payload, how);
    say({ kind: "accepted", number, id: id.toHex() });
  } catch (error) {
    if (!(error instanceof FabricError)) throw error;
    const reason = `${error.code}: ${error.message}`;
    say({ kind: "failed", number, reason });
  }
}

function report(): void {
  const all = [...fabrics.values()];
  const sum = (of: (fabric: Fabric) => number) =>
    all.reduce((n, each) => n + of(each), 0);
  say({
    kind: "report",
    outbox: sum(({ outbox }) => outbox.size),
    rssBytes: rssBytes(),
    attempts: {
      rpc: sum(({ counts }) => counts.attempts.rpc),
      bundle: sum(({ counts }) => counts.attempts.bundle),
    },
    copies: sum(({ counts }) => counts.copies),
    links: fabricNode.links.size,
    neighbours: bundles.neighbours.length,
    bundles: bundleStore.usage.bundles,
    counts: {
      received: {
        handled: sum(({ counts }) => counts.handled),
        copies: sum(({ counts }) => counts.copies),
        expired: sum(({ counts }) => counts.expired),
        outOfOrder: sum(({ counts }) => counts.outOfOrder),
        full: sum(({ counts }) => counts.full),
        refused: sum(({ counts }) => counts.refused),
      },
      bundles: fabricNode.bundleCounts,
      node: fabricNode.counts,
      links: fabricNode.links.counts,
      foreignReceipts: sum((fabric) => fabric.foreignReceipts),
      lateAnswers: sum((fabric) => fabric.lateAnswers),
      conflicts: book.conflicts,
    },
  });
}
