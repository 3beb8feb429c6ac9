import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  FabricError,
  type Message,
  type Route,
} from "../../../src/fabric/mod.ts";
import { FabricWorld, keptOf } from "../_fabric_world.ts";
import { messageOf } from "../_messages.ts";

Deno.test("a request goes live to a node that was not met before, and back over the same link", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  bob.fabric.handle("add", (value, { from }) => {
    const [a, b] = value as number[];
    return { sum: a! + b!, from: `${from}` };
  });
  ana.fabric.handle("name", () => "ana");
  const to = bob.fabric.agent.id;
  assertEquals(await world.settle(ana.fabric.request(to, "add", [2, 3])), {
    sum: 5,
    from: `${ana.fabric.agent.id}`,
  });
  assertEquals(
    await world.settle(bob.fabric.request(ana.fabric.agent.id, "name")),
    "ana",
  );
  assertEquals([ana.node.links.size, bob.node.links.size], [1, 1]);
});

Deno.test("a request to an agent that cannot be reached live goes as a bundle, and so does its answer", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  ana.book.learn(bob.record());
  world.unreachable.add("dale").add("hill");
  bob.fabric.handle("double", (value) => 2 * (value as number));
  const to = bob.fabric.agent.id;
  const asked = ana.fabric.request(to, "double", 21, { lifetimeMs: 50_000 });
  asked.catch(() => {});
  await world.clock.run(5_000);
  world.meet(ana, bob);
  assertEquals(await world.settle(asked), 42);
  assertEquals(bob.fabric.counts.handled, 1);
  assertEquals([ana.fabric.outbox.size, bob.fabric.outbox.size], [0, 0]);
});

Deno.test("a notification is settled by a signed receipt, whichever way it went", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  world.meet(ana, bob);
  const heard: unknown[] = [];
  bob.fabric.handle("say", (value) => void heard.push(value));
  const to = bob.fabric.agent.id;
  const live = await ana.fabric.notify(to, "say", "live");
  assertEquals(await world.settle(live.settled), undefined);
  const later = await ana.fabric.notify(to, "say", "later", { way: "bundle" });
  assertEquals(await world.settle(later.settled), undefined);
  const unheard = await ana.fabric.notify(to, "shout", "?");
  assertEquals(await world.settle(unheard.settled), "no_handler");
  assertEquals(heard, ["live", "later"]);
  const statesOf = ({ id }: { id: Uint8Array }) =>
    ana.fabric.receipts.of(id).map(({ state, by }) => [state, `${by}`]);
  for (const { id } of [live, later]) {
    assertEquals(statesOf({ id }), [
      ["delivered", `${to}`],
      ["handled", `${to}`],
    ]);
  }
  assertEquals(ana.fabric.receipts.of(unheard.id).at(-1)?.reason, "no_handler");
  assertEquals([...ana.fabric.outbox.deadLetters()].length, 1);
});

Deno.test("a request whose link breaks before the answer gets it later, and is handled once", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  world.meet(ana, bob);
  const answering = Promise.withResolvers<string>();
  let count = 0;
  bob.fabric.handle("slow", () => (count++, answering.promise));
  const to = bob.fabric.agent.id;
  const asked = ana.fabric.request(to, "slow", null, { lifetimeMs: 40_000 });
  asked.catch(() => {});
  await world.dtn.until(() => count === 1);
  await world.settle(world.cut());
  await world.clock.run(3_000);
  answering.resolve("there");
  assertEquals(await world.settle(asked), "there");
  assertEquals([count, bob.fabric.counts.copies > 0], [1, true]);
});

Deno.test("of a request that was answered live nothing is written, and of one whose answer was lost its outcome is", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const kept = keptOf();
  const bob = await world.start("bob", "dale", {}, kept);
  world.introduce(ana, bob);
  const answering = Promise.withResolvers<string>();
  bob.fabric.handle("fast", (value) => value);
  bob.fabric.handle("slow", () => answering.promise);
  const to = bob.fabric.agent.id;
  const rows = () => [...kept.agent.entries()].length;
  const before = rows();
  assertEquals(await world.settle(ana.fabric.request(to, "fast", 1)), 1);
  await world.clock.run(1_000);
  assertEquals(rows(), before);
  const options = { way: "rpc", lifetimeMs: 60_000 } as const;
  const asked = ana.fabric.request(to, "slow", 1, options);
  asked.catch(() => {});
  await world.clock.run(100);
  await world.settle(world.cut());
  answering.resolve("there");
  await world.clock.run(1_000);
  assert(rows() > before);
});

Deno.test("requests end with a typed error: refused, failed, without a handler, too late, aborted", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  bob.fabric.handle("no", () => {
    throw new FabricError("refused", "not today");
  });
  bob.fabric.handle("bad", () => {
    throw new Error("a secret of bob's");
  });
  bob.fabric.handle("never", () => new Promise(() => {}));
  const to = bob.fabric.agent.id;
  const errorOf = async (type: string, options = {}) => {
    const asked = ana.fabric.request(to, type, 1, options);
    asked.catch(() => {});
    const error = await world.settle(assertRejects(() => asked, FabricError));
    return [error.code, error.message];
  };
  assertEquals(await errorOf("no"), [
    "refused",
    "The request was refused: not today",
  ]);
  assertEquals(
    (await errorOf("bad"))[1],
    "The request was refused: handler_failed",
  );
  assertEquals(
    (await errorOf("none"))[1],
    "The request was refused: no_handler",
  );
  const [code] = await errorOf("never", { lifetimeMs: 2_000 });
  assertEquals(code === "expired" || code === "refused", true);
  const signal = AbortSignal.abort(new RangeError("enough"));
  await assertRejects(
    () => ana.fabric.request(to, "never", 1, { signal }),
    RangeError,
  );
  await assertRejects(
    () => ana.fabric.request({ agent: "eve", node: "x" }, "no"),
    FabricError,
    "Nobody is known as eve@x",
  );
});

Deno.test("a copy of an answered request that comes by bundle is taken, so that those behind it come too", async () => {
  await using world = new FabricWorld();
  const bob = await world.start("bob", "dale");
  bob.fabric.handle("double", (value) => 2 * (value as number));
  const request = messageOf(1, {
    kind: "request",
    type: "double",
    to: bob.fabric.agent.id,
    deadlineMs: world.clock.wallTime() + 10_000,
  });
  const said: string[] = [];
  const route: Route = {
    isLive: false,
    status: (code) => void said.push(code),
    answer: () => false,
  };
  bob.fabric.receive(request, route);
  await world.dtn.until(() => bob.fabric.counts.handled === 1);
  bob.fabric.receive(request, route);
  assertEquals(said, ["taken", "taken"]);
  assertEquals(bob.fabric.counts.copies, 1);
});

Deno.test("a fabric closes though a handler never returns, and lets no handler have what is too late", async () => {
  await using world = new FabricWorld();
  const kept = keptOf();
  const bob = await world.start("bob", "dale", {}, kept);
  const runs: boolean[] = [];
  const never = () => new Promise(() => {});
  bob.fabric.handle("never", (_, { isAgain }) => (runs.push(isAgain), never()));
  const deadlineMs = world.clock.wallTime() + 10_000;
  const to = bob.fabric.agent.id;
  const route: Route = { isLive: true, status: () => {}, answer: () => true };
  const receive = (n: number, fields: Partial<Message>) => {
    const all = { type: "never", to, deadlineMs, ...fields };
    bob.fabric.receive(messageOf(n, all), route);
  };
  receive(1, {});
  receive(2, { kind: "request" });
  await world.dtn.until(() => runs.length === 2);
  await world.settle(Promise.resolve(bob[Symbol.asyncDispose]()));
  await world.settle(Promise.resolve(bob.bundles[Symbol.asyncDispose]()));
  assertEquals(runs, [false, false]);
  await world.clock.run(10_000);
  const again = await world.start("bob", "dale", {}, kept);
  again.fabric.handle("never", () => void runs.push(true));
  again.fabric.start();
  await world.dtn.until(() => again.fabric.counts.refused === 1);
  assertEquals(runs.length, 2);
});

Deno.test("a request that was given up is sent again as a new one, and its answer comes", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  world.unreachable.add("dale");
  const asked: unknown[] = [];
  bob.fabric.handle("double", (value) => {
    asked.push(value);
    return 2 * (value as number);
  });
  const to = bob.fabric.agent.id;
  const options = { lifetimeMs: 5_000, way: "rpc" } as const;
  const request = ana.fabric.request(to, "double", 21, options);
  await world.settle(assertRejects(() => request, FabricError));
  const [letter] = ana.fabric.outbox.deadLetters();
  assertEquals([letter?.message.kind, letter?.reason], ["request", "expired"]);
  world.unreachable.clear();
  await world.clock.run(20_000); // not a moment ago any more
  const again = ana.fabric.resend(letter!.message.id);
  await assertRejects(() => ana.fabric.resend(letter!.message.id), RangeError);
  const sent = await world.settle(again);
  assertEquals(await world.settle(sent.answer!), 42);
  assertEquals(await world.settle(sent.settled), undefined);
  assertEquals([...ana.fabric.outbox.deadLetters()], []);
  assertEquals([asked, ana.fabric.outbox.size], [[21], 0]);
});

Deno.test("what is not an application's to send is not sent again", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  world.unreachable.add("dale");
  const nobody = new Uint8Array(16);
  await assertRejects(() => ana.fabric.resend(nobody), RangeError, "no dead");
  const answer = messageOf(1, {
    ...{ kind: "reply", from: ana.fabric.agent.id, replyTo: nobody },
    to: bob.fabric.agent.id,
    deadlineMs: world.clock.wallTime() + 1_000,
  });
  await world.settle(ana.fabric.send(answer, { way: "rpc" }));
  await world.clock.run(3_000);
  await assertRejects(
    () => ana.fabric.resend(answer.id),
    RangeError,
    "A message of kind reply is not sent again",
  );
});
