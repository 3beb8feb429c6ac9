import { assertEquals } from "@std/assert";
import { systemClock } from "../../src/core/async/mod.ts";
import {
  generateX25519,
  nodeProvider as crypto,
} from "../../src/core/crypto/mod.ts";
import { memoryStore } from "../../src/core/storage/mod.ts";
import {
  type Connection,
  type Listener,
  listenTcp,
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
  type Fabric,
  FabricNode,
  type FabricNodeOptions,
  verifyReceipts,
} from "../../src/fabric/mod.ts";
import type { Session } from "../../src/htx/session.ts";
import { DtnNodeProcess } from "../cli/_dtn_process.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { agentOf } from "../fabric/_agents.ts";
import { World } from "../htx/_world.ts";
import { isAvailable } from "./_peers.ts";

const ignore = !isAvailable(
  "python3",
  ["-c", "import cryptography"],
  "fabric_python_test",
);
const peer = agentOf("py@hill");
const seed = crypto.hash("sha256", new TextEncoder().encode("py@hill"));

Deno.test({
  name:
    "fabric: an agent in Python, written from docs/fabric.md, asks, answers, and verifies receipts over the streams of an HTX session",
  ignore,
  fn: async () => {
    await using world = await World.start();
    await using bob = startBob({ staticKey: world.staticKeyPair.publicKey });
    bob.node.serve(world.server);
    const staticKeyPair = generateX25519(crypto);
    const session = await world.dial({ staticKeyPair });
    const bridge = listenTcp("tcp://127.0.0.1:0");
    const bridging = bridgeTo(session, bridge);
    const asking = askOnce(bob.fabric);
    const saw = await runPeer("live", bridge.address.replace("tcp://", ""), {
      static: staticKeyPair.publicKey.toHex(),
      peer: bob.fabric.agent.id.bytes.toHex(),
    });
    assertEquals(saw.id, peer.id.bytes.toHex());
    assertEquals(saw.answer, 42);
    assertEquals(saw.failure, [3, "no_handler"]);
    assertEquals(saw.statuses, [["taken", ""], ["taken", ""]]);
    assertEquals(saw.receipts, [
      ["handled", ""],
      ["handled", ""],
      ["handled", ""],
      ["refused", "no_handler"],
    ]);
    assertEquals(saw.names, ["bob@dale"]);
    assertEquals(saw.refuses, true);
    assertEquals(saw.asked, [null]);
    const { answer, states } = await asking;
    assertEquals([answer, states], ["py@hill has name", ["handled"]]);
    assertEquals(bob.notes.sort(), ["a note", "x".repeat(100_000)]);
    bridge.close();
    await session.close();
    await bridging;
  },
});

Deno.test({
  name:
    "fabric: an agent in Python, written from docs/fabric.md, asks by bundle, and opens the sealed answer and receipts that bundles bring",
  ignore,
  fn: async () => {
    await using folder = await makeFolder();
    const nodeId = "dtn://dale/";
    const bundles = new DtnNode({
      nodeId: Eid.parse(nodeId),
      store: new BundleStore({ store: memoryStore(), crypto }),
      router: staticRouter([]),
      random: Math.random,
    });
    await using _bundles = bundles;
    const listener = await new TcpclLayer({ nodeId }).listen(
      "tcp://127.0.0.1:0",
    );
    bundles.serve(listener);
    await using hill = await DtnNodeProcess.start({
      name: "hill",
      state: folder.path,
      args: [
        ...["--listen", "tcpcl://127.0.0.1:0"],
        ...["--peer", listener.address.replace("tcp:", "tcpcl:")],
      ],
    });
    await using bob = startBob({
      staticKey: generateX25519(crypto).publicKey,
      bundles,
    });
    const saw = await runPeer("bundles", hill.app.replace("http://", ""), {
      static: generateX25519(crypto).publicKey.toHex(),
      peer: bob.fabric.agent.id.bytes.toHex(),
      record: bob.book.get(bob.fabric.agent.id)!.bytes.toHex(),
    });
    assertEquals(saw.answer, 42);
    assertEquals(saw.receipts, [["handled", ""]]);
    assertEquals(saw.refuses, true);
    // A record goes before the first message.
    assertEquals([saw.kinds![0], saw.kinds!.includes(4)], [5, true]);
    assertEquals(bob.fabric.counts.handled, 1);
  },
});

/** An agent on a node of its own, which doubles numbers and takes notes. */
function startBob(
  { staticKey, bundles }: {
    readonly staticKey: Uint8Array;
    readonly bundles?: NonNullable<FabricNodeOptions["bundles"]>;
  },
): AsyncDisposable & {
  readonly node: FabricNode;
  readonly fabric: Fabric;
  readonly book: AgentBook;
  readonly notes: string[];
} {
  const clock = systemClock;
  const book = new AgentBook({ crypto, clock, store: memoryStore() });
  const node = new FabricNode({
    ...{ crypto, book, clock, random: Math.random },
    node: { staticKey },
    ...bundles && { bundles },
  });
  const fabric = node.join(agentOf("bob@dale"), { store: memoryStore() });
  const notes: string[] = [];
  fabric.handle("double", (value) => 2 * (value as number));
  fabric.handle("note", (value) => void notes.push(value as string));
  return {
    ...{ node, fabric, book, notes },
    [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
  };
}

/** Bob asks the peer as soon as it is known. */
async function askOnce(
  fabric: Fabric,
): Promise<{ answer: unknown; states: readonly string[] }> {
  while (fabric.choose(peer.id).way !== "rpc") {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const answer = await fabric.request(peer.id, "name", null, {
    receipts: true,
  });
  const receipts = () => [...fabric.receipts.entries()].flatMap(statesIn);
  while (receipts().length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return { answer, states: receipts() };
}

function statesIn(signed: Uint8Array): string[] {
  return verifyReceipts(crypto, signed).map(({ state }) => state);
}

/** Each connection to `listener` is a stream of the session. */
async function bridgeTo(session: Session, listener: Listener): Promise<void> {
  for await (const connection of listener) {
    const stream = await session.open();
    void copy(connection, stream).catch(() => stream.close());
    void copy(stream, connection).catch(() => connection.close());
  }
}

async function copy(
  from: Pick<Connection, "read">,
  to: Pick<Connection, "write" | "closeWrite">,
): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (let n; (n = await from.read(buffer)) !== null;) {
    await to.write(buffer.subarray(0, n));
  }
  await to.closeWrite();
}

interface Saw {
  readonly id: string;
  readonly answer: unknown;
  readonly failure?: readonly unknown[];
  readonly statuses?: readonly unknown[];
  readonly receipts: readonly unknown[];
  readonly asked?: readonly unknown[];
  readonly names?: readonly string[];
  readonly kinds?: readonly number[];
  readonly refuses: boolean;
}

async function runPeer(
  mode: string,
  at: string,
  options: Readonly<Record<string, string>>,
): Promise<Saw> {
  const script = new URL("_fabric_peer.py", import.meta.url).pathname;
  const told = { mode, at, seed: seed.toHex(), name: "py@hill", ...options };
  const { success, stdout } = await new Deno.Command("python3", {
    args: [script, JSON.stringify(told)],
    stderr: "inherit",
  }).output();
  assertEquals(success, true);
  return JSON.parse(new TextDecoder().decode(stdout));
}
