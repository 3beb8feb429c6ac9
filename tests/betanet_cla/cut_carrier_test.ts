import { assertEquals, assertLess } from "@std/assert";
import type { Connection } from "../../src/core/transport/mod.ts";
import type { Contact, ReceivedBundle } from "../../src/dtn/mod.ts";
import { DtnWorld, eid, text } from "../dtn/node/_dtn_world.ts";
import { HtxWorld, SERVER } from "./_htx_world.ts";

/** Payloads of mixed sizes: those that fit a datagram, some frames, and much more than a window at the start. */
const PAYLOADS = Array.from(
  { length: 50 },
  (_, i) => `${i} `.padEnd([10, 700, 1_500, 40_000, 300_000][i % 5]!, "x"),
).sort();

for (const datagrams of [true, false]) {
  const how = datagrams ? "by datagram and stream" : "by stream alone";
  Deno.test(`50 bundles of mixed sizes each way arrive once ${how}, though the carrier is cut again and again among them`, async () => {
    await using world = new DtnWorld();
    const carriers: Connection[] = [];
    const sessions = new HtxWorld(world.clock, {
      ...{ latencyMs: 50, bufferBytes: 16_384 },
    }, (connection) => {
      carriers.push(connection);
      return connection;
    });
    const near = await world.node("near");
    const far = await world.node("far");
    const options = { datagrams };
    far.serve(
      await sessions.layer({ ...options, nodeId: "dtn://far/" }).listen(SERVER),
    );
    near.connect(
      sessions.layer({ ...options, nodeId: "dtn://near/" }),
      SERVER,
    );
    using atFar = far.register(eid("dtn://far/in"));
    using atNear = near.register(eid("dtn://near/in"));
    const taken = [world.texts(atFar), world.texts(atNear)];
    await world.settle(Promise.all(PAYLOADS.flatMap((each) => [
      near.send({ destination: eid("dtn://far/in"), payload: text(each) }),
      far.send({ destination: eid("dtn://near/in"), payload: text(each) }),
    ])));
    const delivered = () => taken[0]!.length + taken[1]!.length;
    for (const share of [0.1, 0.3, 0.6]) {
      await world.until(() => delivered() >= 2 * PAYLOADS.length * share);
      assertLess(delivered(), 2 * PAYLOADS.length, "cut among them");
      const { length } = carriers;
      carriers.at(-1)!.close();
      await world.until(() => carriers.length > length);
    }
    await world.until(() => taken.every(({ length }) => length >= 50));
    await world.clock.run(60_000);
    for (const texts of taken) assertEquals(texts.sort(), PAYLOADS);
    for (const node of [near, far]) {
      assertEquals(node.counts.delivered, 50);
    }
  });
}

Deno.test("of 50 bundles no more than maxSending leave for a neighbour that decides about none, and each next one when it decides", async () => {
  await using world = new DtnWorld();
  const sessions = new HtxWorld(world.clock);
  const near = await world.node("near", { maxSending: 8 });
  const listener = await sessions.layer({ nodeId: "dtn://far/" })
    .listen(SERVER);
  near.connect(sessions.layer({ nodeId: "dtn://near/" }), SERVER);
  const accepted = await world.settle(listener[Symbol.asyncIterator]().next());
  const far = accepted.value as Contact;
  await world.settle(
    Promise.all(
      PAYLOADS.map((each) =>
        near.send({ destination: eid("dtn://far/in"), payload: text(each) })
      ),
    ),
  );
  await world.clock.run(2_000);
  assertEquals(far.counts.received, 8);
  const received = far.received[Symbol.asyncIterator]();
  for (let taken = 1; taken <= 50; taken++) {
    const { value } = await world.settle(received.next());
    (value as ReceivedBundle).accept();
    await world.until(() => far.counts.received >= Math.min(50, taken + 8));
    assertEquals(far.counts.received, Math.min(50, taken + 8));
  }
  await world.until(() => near.counts.forwarded === 50);
  listener.close();
});
