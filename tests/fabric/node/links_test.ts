import { assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import { silentLogger } from "../../../src/core/log/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import { AgentBook, FabricError } from "../../../src/fabric/mod.ts";
import { Links } from "../../../src/fabric/node/links.ts";
import { agentOf, crypto, recordOf } from "../_agents.ts";

Deno.test("an agent that is dialed into the void counts as not reached as long as the attempt goes on, and for a while after", async () => {
  const clock = new VirtualClock(0);
  const book = new AgentBook({ crypto, clock, store: memoryStore() });
  const bob = agentOf("bob@dale");
  const staticKey = new Uint8Array(32).fill(7);
  const htx = new Uint8Array(1);
  book.learn(recordOf(bob, { nodes: [{ staticKey, htx }] }));
  let dials = 0;
  await using links = new Links({
    ...{ book, clock, log: silentLogger },
    link: () => {
      throw new Error("No link is made");
    },
    dial: (_, { signal }) => {
      dials++;
      const { promise, reject } = Promise.withResolvers<never>();
      signal!.addEventListener("abort", () => reject(signal!.reason));
      return promise;
    },
    onReached: () => {},
    onParted: () => {},
  });
  const over = assertRejects(() => links.dial(bob.id), FabricError);
  await clock.run(2_000);
  assertEquals(links.sinceFailedMs(bob.id), undefined);
  links.notReached(bob.id);
  await clock.run(7_000);
  assertEquals([links.sinceFailedMs(bob.id), dials], [0, 1]);
  await clock.run(1_000);
  await over;
  await clock.run(3_000);
  assertEquals([links.sinceFailedMs(bob.id), dials], [3_000, 1]);
});
