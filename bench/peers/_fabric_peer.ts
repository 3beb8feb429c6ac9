/**
 * One process with one agent: `_fabric_peer.ts <sqlite|memory> server|client <what it needs to know>`.
 *
 * Sessions are HTX over TCP; stores are SQLite files in a folder that it is given, or memory.
 *
 * @module
 */
import { openCrypto } from "../../cli/_crypto.ts";
import { systemClock } from "../../src/core/async/mod.ts";
import { decodeHex, encodeHex, utf8 } from "../../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  generateX25519,
  type X25519KeyPair,
} from "../../src/core/crypto/mod.ts";
import { silentLogger } from "../../src/core/log/mod.ts";
import {
  memoryStore,
  sqliteStore,
  type Store,
} from "../../src/core/storage/mod.ts";
import {
  BundleStore,
  DtnNode,
  Eid,
  epidemicRouter,
} from "../../src/dtn/mod.ts";
import {
  Agent,
  AgentBook,
  AgentId,
  type DialNode,
  type Fabric,
  FabricNode,
} from "../../src/fabric/mod.ts";
import { type HtxKnown, sessionDialer, startHtxServer } from "./htx_peer.ts";
import type { MessageClient, MessagePeer } from "./_message_workload.ts";
import { runMessagePeer } from "./_run_message_peer.ts";

interface Folder {
  readonly folder: string;
}

interface Known extends Folder {
  readonly htx: HtxKnown;
  readonly agent: string;
  readonly record: string;
}

const STORE_LIMITS = { maxEntries: 10_000_000, maxBytes: 2 ** 34 };
/** As the programs have it. */
const LOG_BYTES = 64 * 1024 * 1024;
const OUTBOX_LIMITS = { maxMessages: 2_000_000, maxBytes: 2 ** 33 };

const [kind = "", role = "", known = "null"] = Deno.args;
const crypto = openCrypto("auto", silentLogger);
const peer: MessagePeer = {
  async listen(server, known) {
    const { folder } = known as Folder;
    const { server: sessions, known: htx, staticKeyPair } =
      await startHtxServer("tcp", crypto);
    const { fabric, node, book } = startNode("server", folder, staticKeyPair);
    node.serve(sessions);
    fabric.handle("ask", (payload) => server.answer(payload as Uint8Array));
    fabric.handle("tell", (payload) => server.take(payload as Uint8Array));
    const { id } = fabric.agent;
    const record = encodeHex(book.get(id)!.bytes);
    return { htx, agent: `${id}`, record };
  },
  dial(known) {
    const { folder, htx, agent, record } = known as Known;
    const staticKeyPair = generateX25519(crypto);
    const dial = sessionDialer(htx, crypto, staticKeyPair);
    const started = startNode("client", folder, staticKeyPair, dial);
    started.book.learn(decodeHex(record));
    return Promise.resolve(clientOf(started, AgentId.parse(agent)));
  },
};
await runMessagePeer(peer, role, known);

interface Started {
  readonly fabric: Fabric;
  readonly node: FabricNode;
  readonly book: AgentBook;
}

function startNode(
  name: string,
  folder: string,
  { publicKey: staticKey }: X25519KeyPair,
  dial?: DialNode,
): Started {
  const open = (what: string) => openStore(`${folder}/${name}-${what}.sqlite`);
  const clock = systemClock;
  const random = Math.random;
  const book = new AgentBook({ crypto, clock, store: open("book") });
  const store = new BundleStore({ store: open("bundles"), crypto });
  const bundles = new DtnNode({
    nodeId: Eid.parse(`dtn://${name}/`),
    router: epidemicRouter({
      crypto,
      *known() {
        for (const { id } of store.entries()) yield id;
      },
    }),
    ...{ store, random },
  });
  const node = new FabricNode({
    ...{ crypto, book, clock, random, bundles },
    node: { staticKey, ...!dial && { htx: utf8("htx") } },
    ...dial && { dial },
  });
  const agent = agentOf(crypto, name);
  const fabric = node.join(agent, {
    store: open("agent"),
    outbox: OUTBOX_LIMITS,
  });
  return { fabric, node, book };
}

function openStore(path: string): Store {
  return kind === "sqlite"
    ? sqliteStore(path, { ...STORE_LIMITS, logBytes: LOG_BYTES })
    : memoryStore(STORE_LIMITS);
}

function agentOf(crypto: CryptoProvider, node: string): Agent {
  const seed = crypto.random(32);
  return new Agent(crypto, seed, { agent: "bench", node });
}

function clientOf({ fabric }: Started, to: AgentId): MessageClient {
  let accepted = 0;
  return {
    request: async (message) =>
      await fabric.request(to, "ask", message) as Uint8Array,
    async notify(message) {
      const { settled } = await fabric.notify(to, "tell", message);
      const reason = await settled;
      if (reason) throw new Error(`A message was not handled: ${reason}`);
    },
    async accept(message) {
      await fabric.notify(to, "tell", message, { way: "bundle" });
      accepted++;
    },
    choose: () => fabric.choose(to),
    async figures() {
      const start = performance.now();
      const before = fabric.counts.attempts.bundle;
      while (fabric.counts.attempts.bundle < accepted) {
        if (performance.now() - start > 2_000) break;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const stored = fabric.counts.attempts.bundle;
      const storedPerS = 1e3 * (stored - before) / (performance.now() - start);
      return { acceptedInAll: accepted, storedInAll: stored, storedPerS };
    },
  };
}
