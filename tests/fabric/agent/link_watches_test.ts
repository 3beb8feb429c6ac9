import { assertEquals } from "@std/assert";
import { delay, VirtualClock } from "../../../src/core/async/mod.ts";
import {
  LinkWatches,
  type WatchedLink,
} from "../../../src/fabric/agent/link_watches.ts";
import { FabricWorld } from "../_fabric_world.ts";
import { bob } from "../_messages.ts";

Deno.test("a link from which nothing comes is asked once for all that wait, and ends if there is no answer", async () => {
  const { link, watches, clock, silent } = world();
  using _one = watches.watch(link, bob.id);
  using _other = watches.watch(link, bob.id);
  await clock.run(3_999);
  assertEquals([link.asked, link.isOver, silent], [1, false, []]);
  await clock.run(1);
  assertEquals([link.asked, link.isOver], [1, true]);
  assertEquals(silent, [`${bob.id}`, `${bob.id}`]);
});

Deno.test("a link from which something comes is not asked, and not ended though its answer is late", async () => {
  const { link, watches, clock } = world();
  using _waiting = watches.watch(link, bob.id);
  for (let i = 0; i < 10; i++) {
    link.heard++;
    await clock.run(1_000);
  }
  assertEquals(link.asked, 0);
  await clock.run(2_000);
  assertEquals(link.asked, 1);
  for (let i = 0; i < 10; i++) {
    await clock.run(1_000);
    link.heard++;
  }
  link.answer();
  await clock.run(1_900);
  assertEquals([link.asked, link.isOver], [1, false]);
  await clock.run(4_000);
  assertEquals([link.asked, link.isOver], [2, true]);
});

Deno.test("a link over which nothing is waited for is not asked", async () => {
  const { link, watches, clock } = world();
  watches.watch(link, bob.id)[Symbol.dispose]();
  await clock.run(10_000);
  assertEquals(link.asked, 0);
  using _waiting = watches.watch(link, bob.id);
  await clock.run(1_000);
  watches.close();
  await clock.run(10_000);
  assertEquals([link.asked, link.isOver], [0, false]);
});

Deno.test("a link over which hundreds of slow requests wait is kept", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  world.meet(ana, bob);
  bob.fabric.handle("slow", async (value) => {
    await delay(world.clock, 9_000);
    return value;
  });
  const values = Array.from({ length: 200 }, (_, i) => i);
  const to = bob.fabric.agent.id;
  const asked = values.map((i) => ana.fabric.request(to, "slow", i));
  assertEquals(await world.settle(Promise.all(asked)), values);
  const { attempts, fallbacks } = ana.fabric.counts;
  assertEquals([attempts, fallbacks], [{ rpc: 200, bundle: 0 }, 0]);
});

/** A link that is asked for signs of life and gives none. */
class SilentLink implements WatchedLink {
  heard = 0;
  asked = 0;
  isOver = false;
  #answered = Promise.withResolvers<void>();

  async check(signal: AbortSignal): Promise<void> {
    this.asked++;
    this.#answered = Promise.withResolvers();
    const onAbort = () => this.#answered.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await this.#answered.promise;
    } catch (error) {
      this.isOver = true;
      throw error;
    }
  }

  /** Answers what it was asked. */
  answer(): void {
    this.#answered.resolve();
  }
}

function world() {
  const clock = new VirtualClock(0);
  const silent: string[] = [];
  const watches = new LinkWatches({
    ...{ ms: 2_000, clock },
    onSilent: (to) => void silent.push(`${to}`),
  });
  return { link: new SilentLink(), watches, clock, silent };
}
