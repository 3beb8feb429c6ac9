import { assertEquals } from "@std/assert";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  createBundle,
  decodeBundle,
  dtnTime,
  Eid,
  encodeBundle,
  payloadOf,
  QUIRKS,
} from "../../src/dtn/mod.ts";
import { DtnNodeProcess } from "../cli/_dtn_process.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { report } from "../scenario/_line_process.ts";
import { canHaveDtn7, Dtnd, freePort } from "./_dtn7.ts";

const ignore = !canHaveDtn7("dtn_bulk_test");
const COUNT = 10_000;
const HALF = COUNT / 2;
/** What waits in dtnd's store over a restart: once it has removed others from it, it forwards nothing that waited. */
const WAITING = 200;
const AT_ONCE = 16;
const PATIENCE_MS = 60_000;

Deno.test({
  name:
    `${COUNT} bundles go from our node to dtnd and as many back, each once and as it was, though both are restarted`,
  ignore,
  async fn() {
    await using folder = await makeFolder();
    await using theirs = await makeFolder();
    const [ourPort, theirPort] = [freePort(), freePort()];
    const startNode = () =>
      DtnNodeProcess.start({
        name: "us",
        state: folder.path,
        args: [
          ...["--listen", `tcpcl://127.0.0.1:${ourPort}`],
          ...["--peer", `tcpcl://127.0.0.1:${theirPort}`],
        ],
      });
    const startDtnd = () =>
      Dtnd.start({
        node: "n1",
        db: "sled",
        folder: theirs.path,
        layers: [`tcp:port=${theirPort}`],
        peers: [`tcp://127.0.0.1:${ourPort}/us`],
        endpoints: ["in", "out"],
      });
    const clock = stopwatch();
    const away = new Parcel("dtn://us/out", "dtn://n1/in");
    const back = new Parcel("dtn://n1/out", "dtn://us/in");
    {
      await using dtnd = await startDtnd();
      await inserted(back.take(WAITING), (bundle) => dtnd.insert(bundle));
      // It answers before it has stored them.
      await soon(() => dtnd.holds(WAITING, "us/in"));
    }
    {
      await using node = await startNode();
      await inserted(away.take(HALF), (bundle) => node.insert(bundle));
      assertEquals(await node.stop(), 0);
    }
    clock(`${HALF} wait with us and ${WAITING} with dtnd, both are restarted`);
    {
      await using dtnd = await startDtnd();
      await using node = await startNode();
      await away.arrivesBy(() => dtnd.next("in"), HALF);
      await back.arrivesBy(() => node.take("in"), WAITING);
      await inserted(
        back.take(HALF - WAITING),
        (bundle) => dtnd.insert(bundle),
      );
      await back.arrivesBy(() => node.take("in"), HALF);
      clock("half of them each way, dtnd is restarted");
    }
    await using dtnd = await startDtnd();
    await using node = await startNode();
    await inserted(away.take(HALF), (bundle) => node.insert(bundle));
    await away.arrivesBy(() => dtnd.next("in"), COUNT);
    await inserted(back.take(HALF), (bundle) => dtnd.insert(bundle));
    await back.arrivesBy(() => node.take("in"), COUNT);
    clock("all there");
    assertEquals(await dtnd.next("in"), undefined);
    assertEquals(await node.take("in"), undefined);
    assertEquals([away.open, back.open], [0, 0]);
  },
});

/** Bundles of one direction: those that are made, and the digests of those that have not arrived. */
class Parcel {
  readonly #source: Eid;
  readonly #destination: Eid;
  readonly #digests = new Map<string, string>();
  #count = 0;
  #arrived = 0;

  constructor(source: string, destination: string) {
    this.#source = Eid.parse(source);
    this.#destination = Eid.parse(destination);
  }

  /** How many have not arrived. */
  get open(): number {
    return this.#digests.size;
  }

  /** The next `count` bundles: 100 B to 100 kB, most of them small. */
  *take(count: number): IterableIterator<Uint8Array> {
    for (let i = 0; i < count; i++) {
      const sequence = this.#count++;
      const payload = nodeProvider.random(
        Math.round(100 * 1_000 ** ((sequence % 500 / 499) ** 6)),
      );
      const bundle = createBundle({
        source: this.#source,
        destination: this.#destination,
        creation: { timeMs: dtnTime(Date.now()), sequence },
        lifetimeMs: 3_600_000,
        payload,
      });
      this.#digests.set(`${sequence}`, digestOf(payload));
      yield encodeBundle(bundle);
    }
  }

  /** Takes bundles by `next` until `count` have arrived, none of them twice or changed. */
  async arrivesBy(
    next: () => Promise<Uint8Array | undefined>,
    count: number,
  ): Promise<void> {
    while (this.#arrived < count) {
      let bytes: Uint8Array | undefined;
      await soon(async () => (bytes = await next()) !== undefined);
      if (!bytes) throw new Error(`${this.#arrived} of ${count} came`);
      const bundle = decodeBundle(bytes, { quirks: QUIRKS });
      const key = `${bundle.primary.creation.sequence}`;
      assertEquals(digestOf(payloadOf(bundle)), this.#digests.get(key));
      this.#digests.delete(key);
      this.#arrived++;
    }
  }
}

/** Waits until `done`, or has waited long. */
async function soon(done: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (!await done() && performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Inserts bundles, some at once. */
async function inserted(
  bundles: Iterator<Uint8Array>,
  insert: (bundle: Uint8Array) => Promise<unknown>,
): Promise<void> {
  const work = async () => {
    for (;;) {
      const { value, done } = bundles.next();
      if (done) return;
      await insert(value);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

function stopwatch(): (what: string) => void {
  const startMs = performance.now();
  return (what) => {
    const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
    report(`${seconds} s: ${what}`);
  };
}

/** SHA-256 in hexadecimal. */
function digestOf(payload: Uint8Array): string {
  return nodeProvider.hash("sha256", payload).toHex();
}
