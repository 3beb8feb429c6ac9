import { assertEquals } from "@std/assert";
import { answerEcho } from "../../cli/dtn/echo.ts";
import { payloadOf } from "../../src/dtn/bundle/bundle.ts";
import { createBundle } from "../../src/dtn/bundle/create_bundle.ts";
import { dtnTime } from "../../src/dtn/bundle/dtn_time.ts";
import { DtnWorld, eid, text } from "../dtn/node/_dtn_world.ts";

Deno.test("the echo of a node answers a neighbour, however long its bundle lives", async () => {
  await using world = new DtnWorld();
  const [a, b] = [await world.node("a"), await world.node("b")];
  answerEcho(b);
  a.connect(a.layer, "memory://b");
  await world.until(() => a.neighbours.length === 1);
  const source = eid("dtn://a/ping");
  const destination = eid("dtn://b/echo");
  const creation = { timeMs: dtnTime(world.clock.wallTime()), sequence: 0 };
  const payload = text("ho");
  for (const lifetimeMs of [60_000, 2n ** 64n - 1n]) {
    await world.settle(a.insert(createBundle({
      ...{ source, destination, payload, lifetimeMs },
      creation: { ...creation, sequence: Number(lifetimeMs === 60_000) },
    })));
    await world.until(() => a.next(source) !== undefined);
    const { bundle, accept } = a.next(source)!;
    assertEquals(payloadOf(bundle), payload);
    accept();
  }
});

Deno.test("an echo does not answer an echo, its own or another's", async () => {
  await using world = new DtnWorld();
  const [a, b] = [await world.node("a"), await world.node("b")];
  for (const node of [a, b]) answerEcho(node);
  a.connect(a.layer, "memory://b");
  await world.until(() => a.neighbours.length === 1);
  await world.clock.run(1_000);
  const before = a.counts.created + b.counts.created;
  for (const to of [a, b]) {
    await world.settle(a.insert(createBundle({
      source: eid("dtn://a/echo"),
      destination: eid(`${to.nodeId}echo`),
      creation: { timeMs: dtnTime(world.clock.wallTime()), sequence: 0 },
      lifetimeMs: 60_000,
      payload: text("ho"),
    })));
  }
  await world.until(() => a.counts.delivered + b.counts.delivered === 2);
  await world.clock.run(5_000);
  assertEquals(a.counts.created + b.counts.created, before);
});
