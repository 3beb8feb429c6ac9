import { assert, assertEquals } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import { silentLogger } from "../../../src/core/log/mod.ts";
import { memoryStore, type Store } from "../../../src/core/storage/mod.ts";
import {
  type BundleWay,
  Delivery,
  type LiveWay,
} from "../../../src/fabric/agent/delivery.ts";
import { FabricError } from "../../../src/fabric/error.ts";
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

Deno.test("links that come and go let a bundle be sent again less and less often", async () => {
  await using world = new World("taken");
  await world.accept(1, true, "bundle");
  const bundled: number[] = [];
  for (let i = 0; i < 36; i++) {
    world.part();
    await world.clock.run(5_000);
    world.meet();
    await world.clock.run(5_000);
    if (i % 6 === 0) bundled.push(world.bundled);
  }
  // After one minute, after two more, and after 126 s, which is 30 % of the time that is left then.
  assertEquals(bundled, [1, 2, 2, 3, 3, 4]);
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

Deno.test("while an agent gives no sign of life one message waits for it, and those behind it become bundles at once", async () => {
  await using world = new World("taken");
  world.hush();
  await world.accept(1);
  await world.clock.run(1_900);
  assertEquals([world.dials, world.bundled], [1, 0]);
  await world.clock.run(200);
  assertEquals(world.bundled, 1);
  for (const n of [2, 3, 4]) {
    await world.accept(n);
    await world.clock.run(10);
    assertEquals([world.dials, world.bundled], [1, n]);
  }
  // After a while it is tried again.
  await world.clock.run(16_000);
  const { bundled } = world;
  await world.accept(5);
  await world.clock.run(10);
  assertEquals([world.dials, world.bundled], [2, bundled]);
});

Deno.test("a link that is silent is ended after the budget, and the messages behind become bundles without a dial", async () => {
  await using world = new World("taken");
  world.isSilent = true;
  await world.accept(1);
  await world.clock.run(3_900);
  assertEquals(world.bundled, 0);
  await world.clock.run(200);
  assertEquals(world.bundled, 1);
  await world.accept(2);
  await world.clock.run(10);
  assertEquals([world.dials, world.bundled], [0, 2]);
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

function untilAborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => reject(signal.reason));
  return promise;
}

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
  /** Whether a link says nothing any more. */
  isSilent = false;
  readonly #silence = Promise.withResolvers<Sent>();
  readonly #link: Pick<RpcLink, "send" | "check"> = {
    send: () => {
      this.sent++;
      return this.isSilent
        ? this.#silence.promise
        : Promise.resolve(this.#said);
    },
    check: async (signal) => {
      if (!this.isSilent) return;
      await untilAborted(signal).catch((cause) => {
        this.#isLive = false;
        const error = new FabricError("unreachable", "Silence", { cause });
        this.#silence.reject(error);
        throw error;
      });
    },
  };
  readonly #said: Sent;
  #isLive = true;
  #isHushed = false;
  #failedMs: number | undefined;
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
      dial: (_, { signal }) => {
        this.dials++;
        if (this.#isHushed) return untilAborted(signal!);
        if (!this.isUp) return Promise.reject(new Error("Nobody is there"));
        this.meet();
        return Promise.resolve(link);
      },
      sinceHeardMs: () => 0,
      sinceFailedMs: () =>
        this.#failedMs === undefined
          ? undefined
          : this.clock.now() - this.#failedMs,
      notReached: () => {
        this.#failedMs = this.clock.now();
      },
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

  /** There is no link with Bob, and dials go into the void. */
  hush(): void {
    this.#isLive = false;
    this.#isHushed = true;
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
