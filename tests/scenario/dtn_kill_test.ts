import { assert, assertEquals } from "@std/assert";
import type { Bytes } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { memoryStore } from "../../src/core/storage/mod.ts";
import {
  bundleId,
  BundleStore,
  createBundle,
  decodeBundle,
  DtnNode,
  dtnTime,
  Eid,
  encodeBundle,
  staticRouter,
  TcpclLayer,
} from "../../src/dtn/mod.ts";
import { DtnNodeProcess } from "../cli/_dtn_process.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { report } from "./_line_process.ts";

const KILLS = 12;
const MAX_PAYLOAD_BYTES = 20_000;
const MAX_ACKNOWLEDGED = 120;
const MAX_DELAY_MS = 15;
const TIMEOUT_MS = 20_000;

/** Kept by the node, taken from it by an application of its, and forwarded by it to another. */
const DESTINATIONS = ["dtn://us/kept", "dtn://us/in", "dtn://end/in"];

Deno.test("SIGKILL of a node at any instant loses no bundle that it acknowledged, and gives none twice", async () => {
  await using folder = await makeFolder();
  await using end = await End.start();
  const ledger = new Ledger();
  const start = () =>
    DtnNodeProcess.start({
      name: "us",
      state: folder.path,
      args: [
        ...["--listen", "tcpcl://127.0.0.1:0"],
        ...["--peer", `tcpcl://${end.address.replace("tcp://", "")}`],
      ],
    });
  for (let i = 0; i < KILLS; i++) {
    await using node = await start();
    await assertKeeps(node, ledger);
    await loadUntilKilled(node, ledger);
  }
  await using node = await start();
  await assertKeeps(node, ledger);
  while (await takeOne(node, ledger, "in"));
  while (await takeOne(node, ledger, "kept"));
  assertEquals(await node.take("kept"), undefined);
  const sentOn = ledger.acknowledged("dtn://end/in");
  await end.until(() => sentOn.every((id) => end.taken.includes(id)));

  assertEquals(end.taken.length, new Set(end.taken).size, "twice at the end");
  assertEquals(ledger.taken.length, new Set(ledger.taken).size, "twice");
  const missing = [
    ...ledger.acknowledged("dtn://us/in"),
    ...ledger.acknowledged("dtn://us/kept"),
  ].filter((id) => !ledger.taken.includes(id));
  // The node died between taking one out and answering, once for each kill at most.
  assert(missing.length <= ledger.brokenTakes, `${missing.length} are lost`);
  assert(missing.every((id) => ledger.destinationOf(id) === "dtn://us/in"));
  report(
    `${KILLS} SIGKILLs: ${ledger.count} bundles acknowledged, ${ledger.resent} sent again, ${ledger.taken.length} taken here and ${end.taken.length} at the end, ${missing.length} answers cut off`,
  );
});

interface Made {
  readonly id: string;
  readonly bytes: Bytes;
  readonly destination: string;
}

/** What was sent, acknowledged and taken over all lives of the node. */
class Ledger {
  /** Names of bundles that the node gave to its application. */
  readonly taken: string[] = [];
  /** Requests for a bundle whose answer did not come. */
  brokenTakes = 0;
  /** Bundles that were sent again. */
  resent = 0;
  readonly #acknowledged = new Map<string, string>();
  readonly #digests = new Map<string, string>();
  readonly #unacknowledged: Made[] = [];
  #sequence = 0;

  /** How many bundles were acknowledged. */
  get count(): number {
    return this.#acknowledged.size;
  }

  /** A bundle whose acknowledgement is missing, or else a new one. */
  next(): Made {
    const again = this.#unacknowledged.pop();
    if (again) {
      this.resent++;
      return again;
    }
    const sequence = this.#sequence++;
    const destination = DESTINATIONS[sequence % DESTINATIONS.length]!;
    const bundle = createBundle({
      source: Eid.parse("dtn://peer/out"),
      destination: Eid.parse(destination),
      creation: { timeMs: dtnTime(Date.now()), sequence },
      lifetimeMs: 3_600_000,
      payload: nodeProvider.random(
        Math.floor(Math.random() * MAX_PAYLOAD_BYTES),
      ),
    });
    const id = bundleId(bundle);
    this.#digests.set(id, digestOf(bundle.blocks.at(-1)!.data));
    return { id, bytes: encodeBundle(bundle), destination };
  }

  /** The node has it. */
  acknowledge({ id, destination }: Made): void {
    this.#acknowledged.set(id, destination);
  }

  /** Whether the node has it is not known. */
  doubt(made: Made): void {
    this.#unacknowledged.push(made);
  }

  /** The node gave it to its application. */
  take(bytes: Uint8Array): void {
    const bundle = decodeBundle(bytes);
    const id = bundleId(bundle);
    assertEquals(
      digestOf(bundle.blocks.at(-1)!.data),
      this.#digests.get(id),
      "another payload",
    );
    this.taken.push(id);
  }

  /** Names of the bundles for `destination` that were acknowledged. */
  acknowledged(destination: string): string[] {
    return [...this.#acknowledged].filter(([, to]) => to === destination)
      .map(([id]) => id);
  }

  /** Where an acknowledged bundle goes. */
  destinationOf(id: string): string | undefined {
    return this.#acknowledged.get(id);
  }
}

/** Gives the node bundles over TCPCL and REST and takes some out, until it is killed in the midst of it. */
async function loadUntilKilled(
  node: DtnNodeProcess,
  ledger: Ledger,
): Promise<void> {
  await using contact = await new TcpclLayer({ nodeId: "dtn://peer/" })
    .dial(node.addresses[0]!.replace("tcpcl:", "tcp:"));
  const killAt = ledger.count + Math.ceil(Math.random() * MAX_ACKNOWLEDGED);
  const dying = Promise.withResolvers<void>();
  let isDying = false;
  /** Repeats `work` until the node is killed, which it may fail of. */
  const repeat = async (work: () => Promise<void>) => {
    while (!isDying) {
      try {
        await work();
      } catch (error) {
        if (!isDying) throw error;
      }
      if (ledger.count >= killAt) dying.resolve();
    }
  };
  const give = (send: (made: Made) => Promise<void>) => async () => {
    const made = ledger.next();
    try {
      await send(made);
      ledger.acknowledge(made);
    } catch (error) {
      ledger.doubt(made);
      throw error;
    }
  };
  const overTcpcl = give(async ({ bytes }) => {
    const { kind } = await contact.send(bytes);
    assertEquals(kind, "acknowledged");
  });
  const overRest = give(async ({ bytes }) => {
    await node.insert(bytes).catch((error) => {
      if (!`${error}`.includes("409")) throw error; // it has it
    });
  });
  const refuseAll = (async () => {
    for await (const received of contact.received) {
      received.refuse("notAcceptable");
    }
  })();
  const loads = [
    ...Array.from({ length: 8 }, () => repeat(overTcpcl)),
    ...Array.from({ length: 4 }, () => repeat(overRest)),
    repeat(async () => void await takeOne(node, ledger, "in")),
  ];
  await Promise.race([dying.promise, Promise.all(loads)]);
  await new Promise((resolve) =>
    setTimeout(resolve, Math.random() * MAX_DELAY_MS)
  );
  isDying = true;
  await node.kill();
  await Promise.all([...loads, refuseAll]);
}

/** Takes the next bundle of an endpoint; says whether there was one. */
async function takeOne(
  node: DtnNodeProcess,
  ledger: Ledger,
  endpoint: string,
): Promise<boolean> {
  const bytes = await node.take(endpoint).catch((error) => {
    ledger.brokenTakes++;
    throw error;
  });
  if (bytes) ledger.take(bytes);
  return bytes !== undefined;
}

/** What was acknowledged and nobody took is there. */
async function assertKeeps(
  node: DtnNodeProcess,
  ledger: Ledger,
): Promise<void> {
  const ids = new Set(await node.status<string[]>("bundles"));
  const lost = ledger.acknowledged("dtn://us/kept").filter((id) =>
    !ids.has(id)
  );
  assertEquals(lost, []);
}

/** A node in this process, whose application takes what comes for `dtn://end/in`. */
class End implements AsyncDisposable {
  /** Names of what it took, in order. */
  readonly taken: string[] = [];
  /** Where it listens. */
  readonly address: string;
  readonly #node: DtnNode;

  private constructor(node: DtnNode, address: string) {
    this.#node = node;
    this.address = address;
    void this.#take();
  }

  static async start(): Promise<End> {
    const nodeId = Eid.parse("dtn://end/");
    const node = new DtnNode({
      nodeId,
      store: new BundleStore({ store: memoryStore(), crypto: nodeProvider }),
      router: staticRouter([]),
      random: Math.random,
    });
    const listener = await new TcpclLayer({ nodeId: `${nodeId}` })
      .listen("tcp://127.0.0.1:0");
    node.serve(listener);
    return new End(node, listener.address);
  }

  /** Waits until `done`. */
  async until(done: () => boolean): Promise<void> {
    const by = performance.now() + TIMEOUT_MS;
    while (!done()) {
      assert(performance.now() < by, "They did not arrive");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#node[Symbol.asyncDispose]();
  }

  async #take(): Promise<void> {
    for await (
      const { id, accept } of this.#node.register(Eid.parse("dtn://end/in"))
    ) {
      this.taken.push(id);
      accept();
    }
  }
}

/** SHA-256 in hexadecimal. */
function digestOf(payload: Uint8Array): string {
  return nodeProvider.hash("sha256", payload).toHex();
}
