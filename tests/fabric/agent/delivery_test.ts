import { assert, assertEquals } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import { silentLogger } from "../../../src/core/log/mod.ts";
import { memoryStore, type Store } from "../../../src/core/storage/mod.ts";
import {
  type BundleWay,
  Delivery,
  type LiveWay,
} from "../../../src/fabric/agent/delivery.ts";
import { Outbox } from "../../../src/fabric/outbox/outbox.ts";
import type { RpcLink, Sent } from "../../../src/fabric/rpc/rpc_link.ts";
import { bob, messageOf } from "../_messages.ts";

const DEADLINE_MS = 600_000;
const events = { onTaken() {}, onEnd() {}, onAnswer() {} };

Deno.test("a word that a message is handled settles it only if no signed receipt is wanted", async () => {
  await using world = new World("handled");
  await world.accept(1, false);
  await world.accept(2);
  await world.clock.run(100);
  assertEquals(
    [...world.outbox.entries()].map(({ id }) => id),
    [messageOf(2).id.toHex()],
  );
});

Deno.test("what was taken is asked for again half a minute after the last link, however many there were before", async () => {
  await using world = new World("taken");
  await world.accept(1);
  for (let i = 0; i < 8; i++) {
    await world.clock.run(1_000);
    world.part();
    world.meet();
  }
  await world.clock.run(1_000);
  const { sent } = world;
  await world.clock.run(28_000);
  assertEquals(world.sent, sent);
  await world.clock.run(3_000);
  assertEquals(world.sent, sent + 1);
  // If the other end is silent all the same, twice as long passes each time.
  await world.clock.run(57_000);
  assertEquals(world.sent, sent + 1);
  await world.clock.run(5_000);
  assertEquals(world.sent, sent + 2);
});

Deno.test("a message that could not be sent for long is tried soon again once an agent was reached", async () => {
  await using world = new World("full");
  await world.accept(1);
  await world.clock.run(120_000);
  world.meet();
  const { sent } = world;
  await world.clock.run(4_000);
  assert(world.sent >= sent + 2, `${world.sent - sent}`);
});

Deno.test("an agent to whom messages rest is dialed soon after its link is over, and no bundle is sent meanwhile", async () => {
  await using world = new World("taken");
  await world.accept(1);
  await world.clock.run(100);
  const { sent } = world;
  world.part();
  await world.clock.run(5_000);
  assert(world.dials >= 2 && world.dials < 10, `${world.dials}`);
  assertEquals([world.sent, world.bundled], [sent, 0]);
  world.isUp = true;
  await world.clock.run(5_000);
  assertEquals([world.sent, world.bundled], [sent + 1, 0]);
});

Deno.test("an agent for whom nothing rests is not dialed when its link is over, nor one that stays away for long", async () => {
  await using idle = new World("taken");
  idle.part();
  await idle.clock.run(60_000);
  assertEquals(idle.dials, 0);
  await using away = new World("taken");
  await away.accept(1);
  await away.clock.run(100);
  away.part();
  await away.clock.run(60_000);
  const { dials } = away;
  await away.clock.run(120_000);
  assertEquals(away.dials, dials);
});

Deno.test("a message that was on its way while a link came is sent again soon", async () => {
  await using world = new World("taken");
  world.part();
  const stored = Promise.withResolvers<void>();
  world.storing = stored.promise;
  await world.accept(1);
  await world.clock.run(3_000);
  assertEquals([world.sent, world.bundled], [0, 1]);
  world.meet();
  stored.resolve();
  await world.clock.run(5_000);
  assertEquals([world.sent, world.bundled], [1, 1]);
});

Deno.test("links that come and go are no reason to send a bundle again within a minute, nor is a restart", async () => {
  await using world = new World("taken");
  await world.accept(1, true, "bundle");
  for (let i = 0; i < 5; i++) {
    world.part();
    await world.clock.run(5_000);
    world.meet();
    await world.clock.run(5_000);
  }
  assertEquals(world.bundled, 1);
  await world[Symbol.asyncDispose]();
  await using again = new World("taken", world.clock, world.store);
  await world.clock.run(8_000);
  assertEquals(again.bundled, 0);
  await world.clock.run(4_000);
  assertEquals(again.bundled, 1);
});

Deno.test("who accepts messages as fast as promises allow leaves others their turns", async () => {
  await using world = new World("handled", new BusyClock(0));
  let accepted = 0;
  const loop = async () => {
    for (let n = 1; n <= 100; n++) {
      await world.accept(n, false);
      accepted++;
    }
  };
  const over = loop();
  for (let i = 0; i < 10_000; i++) await Promise.resolve();
  assert(accepted >= 1 && accepted <= 8, `${accepted}`);
  await world.clock.run(0);
  await over;
  assertEquals([accepted, world.sent], [100, 100]);
});

/** A clock by which everything takes a millisecond. */
class BusyClock extends VirtualClock {
  #takenMs = 0;

  override now(): number {
    return super.now() + this.#takenMs++;
  }
}

/** A delivery to Bob, whose node says the same of every message and nothing more. */
class World implements AsyncDisposable {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly outbox: Outbox;
  /** Messages sent live, and as bundles. */
  sent = 0;
  bundled = 0;
  dials = 0;
  /** Whether Bob can be dialed with success. */
  isUp = false;
  /** Bundles are stored when it resolves. */
  storing: Promise<void> | undefined;
  readonly #link: Pick<RpcLink, "send" | "check"> = {
    send: () => {
      this.sent++;
      return Promise.resolve(this.#said);
    },
    check: () => Promise.resolve(),
  };
  readonly #said: Sent;
  #isLive = true;
  readonly #delivery: Delivery;

  constructor(
    code: "taken" | "handled" | "full",
    clock = new VirtualClock(0),
    store = memoryStore(),
  ) {
    this.clock = clock;
    this.store = store;
    this.outbox = new Outbox(store);
    this.#said = { kind: "status", code, reason: "" };
    const link = this.#link as RpcLink;
    const live: LiveWay = {
      with: () => this.#isLive ? link : undefined,
      canDial: () => true,
      dial: () => {
        this.dials++;
        if (!this.isUp) return Promise.reject(new Error("Nobody is there"));
        this.meet();
        return Promise.resolve(link);
      },
      sinceHeardMs: () => 0,
      sinceFailedMs: () => undefined,
    };
    const bundles: BundleWay = {
      canSend: () => true,
      send: async () => {
        this.bundled++;
        await this.storing;
      },
    };
    this.#delivery = new Delivery({
      ...{ outbox: this.outbox, live, bundles, events },
      ...{ clock: this.clock, log: silentLogger },
      random: () => 0.5,
    });
  }

  async accept(
    n: number,
    wantsReceipts = true,
    way: "auto" | "bundle" = "auto",
  ): Promise<void> {
    const fields = { wantsReceipts, deadlineMs: DEADLINE_MS };
    await this.#delivery.accept(messageOf(n, fields), { way });
  }

  /** The link with Bob is over. */
  part(): void {
    this.#isLive = false;
    this.#delivery.reached(bob.id, true);
  }

  /** There is a link with Bob. */
  meet(): void {
    this.#isLive = true;
    this.#delivery.reached(bob.id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#delivery.close();
  }
}
