import { assertEquals, assertThrows } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import { nodeProvider } from "../../../src/core/crypto/mod.ts";
import { memoryStore, type Store } from "../../../src/core/storage/mod.ts";
import {
  decodeBundle,
  encodeBundle,
  payloadOf,
} from "../../../src/dtn/bundle/bundle.ts";
import { createBundle } from "../../../src/dtn/bundle/create_bundle.ts";
import { dtnTime } from "../../../src/dtn/bundle/dtn_time.ts";
import type {
  Contact,
  RefusalReason,
  SendOutcome,
} from "../../../src/dtn/cla/convergence_layer.ts";
import type { DtnNode } from "../../../src/dtn/node/dtn_node.ts";
import { DtnNodeError } from "../../../src/dtn/node/error.ts";
import type { SendingCost } from "../../../src/dtn/node/neighbour.ts";
import { BundleStore } from "../../../src/dtn/store/bundle_store.ts";
import { TcpclLayer } from "../../../src/dtn/tcpcl/tcpcl_layer.ts";
import { DtnWorld, eid, text } from "./_dtn_world.ts";

const ECHO = eid("dtn://a/echo");

/** Whom a node answers: sends requests, and keeps the texts of what comes back. */
class Asker {
  readonly answers: string[] = [];
  /** What it says to answers; it takes them if absent. */
  refusal: RefusalReason | undefined;
  /** Whether it says nothing to them. */
  isSilent = false;
  readonly #contact: Contact;

  private constructor(contact: Contact) {
    this.#contact = contact;
    void this.#take();
  }

  static async meet(world: DtnWorld, name: string): Promise<Asker> {
    const layer = new TcpclLayer({
      nodeId: `dtn://${name}/`,
      transport: world.network.transport(name),
      clock: world.clock,
    });
    return new Asker(await world.settle(layer.dial("memory://a")));
  }

  /** Sends a request, and gives what becomes of it, once that is known. */
  ask(request: Uint8Array): { outcome?: SendOutcome } {
    const asked: { outcome?: SendOutcome } = {};
    this.#contact.send(request).then(
      (outcome) => asked.outcome = outcome,
      () => {},
    );
    return asked;
  }

  leave(): void {
    this.#contact.close();
  }

  async #take(): Promise<void> {
    for await (const received of this.#contact.received) {
      const bundle = decodeBundle(received.bytes);
      if (bundle.primary.destination.toString().includes("/routing/")) {
        received.accept();
        continue;
      }
      this.answers.push(new TextDecoder().decode(payloadOf(bundle)));
      if (this.isSilent) continue;
      if (this.refusal) received.refuse(this.refusal);
      else received.accept();
    }
  }
}

/** A node whose store commits as `disk` moves on, and every second. */
async function answeringNode(
  world: DtnWorld,
  { kept = memoryStore(), cost }: {
    readonly kept?: Store;
    readonly cost?: SendingCost;
  } = {},
) {
  const disk = new VirtualClock();
  const store = new BundleStore({
    store: kept,
    crypto: nodeProvider,
    clock: disk,
  });
  const node = await world.node("a", { store, ...cost && { cost } });
  return { node, disk, store };
}

/** Moves `disk` with the time of `world` from now on. */
function thaw(world: DtnWorld, disk: VirtualClock): void {
  world.clock.setTimeout(() => {
    void disk.run(10);
    thaw(world, disk);
  }, 10);
}

function answerTwice(node: DtnNode): Disposable {
  return node.answer(ECHO, ({ primary, ...bundle }) => {
    const said = new TextDecoder().decode(payloadOf({ primary, ...bundle }));
    return {
      ...{ source: ECHO, destination: primary.source },
      payload: text(`${said} ${said}`),
    };
  });
}

function request(world: DtnWorld, from: string, said: string): Uint8Array {
  const source = eid(`dtn://${from}/ping`);
  return encodeBundle(createBundle({
    ...{ source, destination: ECHO, payload: text(said) },
    creation: { timeMs: dtnTime(world.clock.wallTime()), sequence: 0 },
    lifetimeMs: 3_600_000,
  }));
}

const ACKNOWLEDGED: SendOutcome = { kind: "acknowledged" };

Deno.test("an answer to a neighbour leaves while its request is being stored, which is acknowledged when it is", async () => {
  await using world = new DtnWorld();
  const { node, disk, store } = await answeringNode(world);
  answerTwice(node);
  const asker = await Asker.meet(world, "b");
  const bytes = request(world, "b", "ho");
  const asked = asker.ask(bytes);
  await world.clock.run(200);
  assertEquals(asker.answers, ["ho ho"]);
  assertEquals([asked.outcome, store.usage.bundles], [undefined, 0]);

  await disk.run(1);
  await world.clock.run(1_000);
  assertEquals(asked.outcome, ACKNOWLEDGED);
  await disk.run(100);
  assertEquals(store.usage.bundles, 0);
  assertEquals([node.counts.delivered, node.counts.forwarded], [1, 1]);
  assertEquals(asker.answers.length, 1);

  const again = asker.ask(bytes);
  thaw(world, disk);
  await world.clock.run(1_000);
  assertEquals([again.outcome, asker.answers], [ACKNOWLEDGED, ["ho ho"]]);
});

Deno.test("an answer that its neighbour does not take is stored and sent again, and so is one to somebody who is away", async () => {
  await using world = new DtnWorld();
  const { node, disk, store } = await answeringNode(world);
  answerTwice(node);
  const asker = await Asker.meet(world, "b");
  asker.refusal = "noResources";
  const mine = asker.ask(request(world, "b", "ho"));
  const others = asker.ask(request(world, "c", "hi"));
  thaw(world, disk);
  await world.clock.run(200);
  assertEquals([mine.outcome, others.outcome], [ACKNOWLEDGED, ACKNOWLEDGED]);
  const waiting = () =>
    [...store.entries()].map(({ destination }) => destination).sort();
  assertEquals(waiting(), ["dtn://b/ping", "dtn://c/ping"]);

  asker.refusal = undefined;
  const other = await Asker.meet(world, "c");
  await world.clock.run(10_000);
  assertEquals(other.answers, ["hi hi"]);
  assertEquals(asker.answers.at(-1), "ho ho");
  assertEquals(waiting(), []);
});

Deno.test("a request outlives a crash at any instant: until it is acknowledged its sender has it, and then the store, until it is answered", async () => {
  const kept = memoryStore();
  await using world = new DtnWorld();
  // Its answer has left, and it is not stored.
  const first = await answeringNode(world, { kept });
  answerTwice(first.node);
  const asker = await Asker.meet(world, "b");
  const asked = asker.ask(request(world, "b", "ho"));
  await world.clock.run(200);
  assertEquals([asker.answers.length, asked.outcome], [1, undefined]);
  assertEquals(new BundleStore({ store: kept, crypto: nodeProvider }).usage, {
    ...{ bundles: 0, bytes: 0, known: 0, forgotten: 0, damaged: 0 },
  });

  // It is stored and acknowledged, and nobody says that the answer arrived.
  asker.isSilent = true;
  const silent = asker.ask(request(world, "b", "hm"));
  await world.clock.run(200);
  await first.disk.run(1_000);
  await world.clock.run(1_000);
  assertEquals(silent.outcome, ACKNOWLEDGED);
  const left = new BundleStore({ store: kept, crypto: nodeProvider });
  const ids = [...left.entries(`${ECHO}`)].map(({ source }) => source);
  assertEquals(ids, ["dtn://b/ping"]);

  // Another process takes up the store.
  await using next = new DtnWorld();
  const second = await answeringNode(next, { kept });
  answerTwice(second.node);
  const back = await Asker.meet(next, "b");
  thaw(next, second.disk);
  await next.clock.run(1_000);
  assertEquals(back.answers, ["hm hm"]);
  assertEquals([...second.store.entries()], []);
  thaw(world, first.disk);
});

Deno.test("over a contact that costs something an answer waits in the store for the scheduler", async () => {
  await using world = new DtnWorld();
  const { node, disk } = await answeringNode(world, {
    cost: {
      ...{ bytesPerSecond: Infinity, latencyMs: 0, energyPerByte: 0 },
      ...{ moneyPerByte: 0.01, exposure: 0, reliability: 1 },
    },
  });
  answerTwice(node);
  const asker = await Asker.meet(world, "b");
  asker.ask(request(world, "b", "ho"));
  await world.clock.run(200);
  assertEquals(asker.answers, []);
  thaw(world, disk);
  await world.clock.run(1_000);
  assertEquals(asker.answers, ["ho ho"]);
});

Deno.test("an endpoint has one application or one answer, and none once that ends", async () => {
  await using world = new DtnWorld();
  const node = await world.node("a");
  const answering = answerTwice(node);
  assertThrows(() => node.register(ECHO), DtnNodeError);
  assertThrows(() => node.answer(eid("dtn://b/echo"), () => undefined));
  answering[Symbol.dispose]();
  node.register(ECHO);
  const asker = await Asker.meet(world, "b");
  asker.ask(request(world, "b", "ho"));
  await world.clock.run(1_000);
  assertEquals([asker.answers, node.bundles.usage.bundles], [[], 1]);
});

Deno.test("an endpoint that fails to answer takes the request all the same, as it would fail again", async () => {
  await using world = new DtnWorld();
  const node = await world.node("a");
  node.answer(ECHO, ({ primary }) => ({
    ...{ source: ECHO, destination: primary.source, payload: text("ho") },
    lifetimeMs: 1e300,
  }));
  const asker = await Asker.meet(world, "b");
  const asked = asker.ask(request(world, "b", "ho"));
  await world.clock.run(1_000);
  assertEquals([asked.outcome, asker.answers], [ACKNOWLEDGED, []]);
  assertEquals([node.bundles.usage.bundles, node.counts.delivered], [0, 1]);
});
