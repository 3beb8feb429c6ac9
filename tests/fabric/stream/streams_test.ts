import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  FabricError,
  type FabricStream,
  type JoinOptions,
} from "../../../src/fabric/mod.ts";
import { encodeStreamFrame } from "../../../src/fabric/stream/stream_frame.ts";
import { FabricWorld, type TestNode } from "../_fabric_world.ts";
import { messageOf } from "../_messages.ts";

interface Pair extends AsyncDisposable {
  readonly world: FabricWorld;
  readonly ana: TestNode;
  readonly bob: TestNode;
  /** Opens a stream of Ana's to Bob. */
  open(type: string, value?: unknown, options?: object): Promise<FabricStream>;
}

async function pair(options: Partial<JoinOptions> = {}): Promise<Pair> {
  const world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale", options);
  world.introduce(ana, bob);
  const to = bob.fabric.agent.id;
  return {
    ...{ world, ana, bob },
    open: (type, value, options) =>
      world.settle(ana.fabric.stream(to, type, value, options)),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

/** What `work` throws. */
async function failureOf(
  world: FabricWorld,
  work: Promise<unknown>,
): Promise<string> {
  const error = await world.settle(assertRejects(() => work, FabricError));
  return `${error.code}: ${error.message}`;
}

Deno.test("values go both ways in a stream, in order, and each side ends by itself", async () => {
  await using pairing = await pair();
  const { world, ana, bob, open } = pairing;
  bob.fabric.handleStream("double", async (stream, value) => {
    assertEquals(`${stream.peer}`, `${ana.fabric.agent.id}`);
    assertEquals(stream.opening.metadata.get("trace"), "7");
    await stream.send({ opened: value });
    for await (const each of stream) await stream.send(2 * (each as number));
    await stream.send("end");
  });
  const metadata = { trace: "7" };
  const stream = await open("double", new Date(5), { metadata });
  const heard: unknown[] = [];
  const work = (async () => {
    for (const each of [1, 2, 3]) await stream.send(each);
    await stream.end();
    for await (const each of stream) heard.push(each);
  })();
  await world.settle(work);
  assertEquals(heard, [{ opened: new Date(5) }, 2, 4, 6, "end"]);
  await world.settle(stream.closed);
  await world.dtn.until(() => bob.fabric.streams.open === 0);
  assertEquals(bob.fabric.streams, {
    ...{ opened: 0, accepted: 1, refused: 0, full: 0, open: 0 },
  });
  assertEquals([ana.fabric.streams.opened, ana.fabric.streams.open], [1, 0]);
  assertEquals([ana.node.links.size, bob.node.links.size], [1, 1]);
});

Deno.test("who does not read holds back who sends, and loses nothing", async () => {
  await using pairing = await pair();
  const { world, bob, open } = pairing;
  const reading = Promise.withResolvers<void>();
  let count = 0;
  bob.fabric.handleStream("fill", async (stream) => {
    await reading.promise;
    for await (const each of stream) {
      assertEquals((each as Uint8Array)[0], count++ % 256);
    }
  });
  const stream = await open("fill");
  let sent = 0;
  const sending = (async () => {
    for (; sent < 200; sent++) {
      await stream.send(new Uint8Array(10_000).fill(sent));
    }
    await stream.end();
  })();
  await world.clock.run(30_000);
  assert(sent > 0 && sent < 100, `${sent} of 200 sent to who reads none`);
  await assertRejects(() => stream.send(1), TypeError);
  reading.resolve();
  await world.settle(sending);
  await world.dtn.until(() => bob.fabric.streams.open === 0);
  assertEquals(count, 200);
});

Deno.test("a stream is refused with a reason, and none goes as a bundle", async () => {
  await using pairing = await pair({ streams: { maxStreamsPerLink: 1 } });
  const { world, ana, bob, open } = pairing;
  assertEquals(
    await failureOf(world, open("none")),
    "refused: The stream was refused: no_handler",
  );
  using _handler = bob.fabric.handleStream("one", async (stream) => {
    await stream.next();
  });
  const first = await open("one");
  assertEquals(
    await failureOf(world, open("one")),
    "refused: The stream was refused: full",
  );
  await first.end();
  await world.dtn.until(() => bob.fabric.streams.open === 0);
  await world.settle((await open("one")).close());
  assertEquals(bob.fabric.streams, {
    ...{ opened: 0, accepted: 2, refused: 1, full: 1 },
    open: bob.fabric.streams.open,
  });
  await assertRejects(
    () => open("one", 1, { way: "bundle" }),
    RangeError,
    "A stream is live only",
  );
  await assertRejects(
    () => open("one", new Uint8Array(200_000)),
    RangeError,
    "An opening has at most",
  );
  await world.settle(bob.node.leave(bob.fabric.agent));
  const link = ana.node.links.with(bob.fabric.agent.id)!;
  const { id: to } = bob.fabric.agent;
  assertEquals(
    await failureOf(world, ana.fabric.stream(to, "one")),
    "refused: The stream was refused: unknown_agent",
  );
  assert(link.isOpen);
});

Deno.test("a stream to who cannot be reached, or does not say anything, fails in bounded time", async () => {
  await using pairing = await pair();
  const { world, ana, bob, open } = pairing;
  world.unreachable.add("dale");
  assertEquals(
    await failureOf(world, open("any")),
    "unreachable: No node of the agent was reached",
  );
  world.unreachable.clear();
  bob.fabric.acceptStream = () => {};
  const before = world.clock.now();
  assertEquals(
    await failureOf(world, open("any")),
    "unreachable: No word came in time",
  );
  assert(world.clock.now() - before < 15_000);
  const controller = new AbortController();
  const opening = ana.fabric.stream(bob.fabric.agent.id, "any", 1, {
    signal: controller.signal,
  });
  controller.abort(new RangeError("enough"));
  await world.settle(assertRejects(() => opening, RangeError, "enough"));
});

Deno.test("both ends hear that the link broke in the middle of a stream", async () => {
  await using pairing = await pair();
  const { world, bob, open } = pairing;
  const ended = Promise.withResolvers<unknown>();
  bob.fabric.handleStream("long", async (stream) => {
    try {
      for await (const each of stream) await stream.send(each);
    } catch (error) {
      ended.resolve(error);
      throw error;
    }
  });
  const stream = await open("long");
  await world.settle(stream.send("a"));
  assertEquals((await world.settle(stream.next())).value, "a");
  const next = stream.next();
  next.catch(() => {});
  await world.settle(world.cut());
  assertEquals(await failureOf(world, next), "unreachable: The link is over");
  assertEquals(
    await failureOf(world, stream.send("b")),
    "unreachable: The link is over",
  );
  const error = await world.settle(ended.promise);
  assert(error instanceof FabricError && error.code === "unreachable");
  await world.settle(stream.closed);
  await world.settle(stream.close());
});

Deno.test("who closes a stream says why, behind the values before", async () => {
  await using pairing = await pair();
  const { world, bob, open } = pairing;
  bob.fabric.handleStream("closes", async (stream) => {
    await stream.send(1);
    await stream.close("seen enough");
  });
  bob.fabric.handleStream("refuses", async (stream) => {
    await stream.send(1);
    throw new FabricError("refused", "not for you");
  });
  bob.fabric.handleStream("fails", () => {
    throw new Error("a secret of bob's");
  });
  const text = "closed: The other end closed the stream";
  for (
    const [type, reason] of [
      ["closes", "seen enough"],
      ["refuses", "not for you"],
    ] as const
  ) {
    const stream = await open(type);
    assertEquals((await world.settle(stream.next())).value, 1);
    const failure = `${text}: ${reason}`;
    assertEquals(await failureOf(world, stream.next()), failure);
    assertEquals(await failureOf(world, stream.next()), failure);
    assertEquals(await failureOf(world, stream.send(1)), failure);
  }
  const stream = await open("fails");
  assertEquals(
    await failureOf(world, stream.next()),
    `${text}: handler_failed`,
  );
});

Deno.test("leaving a loop early, a signal, and the end of its lifetime close a stream", async () => {
  await using pairing = await pair();
  const { world, bob, open } = pairing;
  const ended: unknown[] = [];
  bob.fabric.handleStream("ticks", async (stream) => {
    try {
      for (let i = 0;; i++) await stream.send(i);
    } catch (error) {
      ended.push((error as FabricError).code);
    }
  });
  bob.fabric.handleStream("waits", async (stream) => {
    try {
      await stream.next();
    } catch (error) {
      ended.push((error as FabricError).message);
    }
  });
  const ticks = await open("ticks");
  const left = (async () => {
    for await (const each of ticks) if (each === 3) break;
  })();
  await world.settle(left);
  await world.dtn.until(() => ended.length === 1);
  assertEquals(ended, ["closed"]);
  await assertRejects(() => ticks.next(), FabricError, "The stream is closed");

  const controller = new AbortController();
  const { signal } = controller;
  const aborted = await open("waits", 1, { signal });
  const next = aborted.next();
  controller.abort(new RangeError("enough"));
  await assertRejects(() => next, RangeError, "enough");
  await assertRejects(() => aborted.send(1), RangeError, "enough");
  await world.dtn.until(() => ended.length === 2);
  assertEquals(ended[1], "The other end closed the stream");

  const short = await open("waits", 1, { lifetimeMs: 3_000 });
  assertEquals(
    await failureOf(world, short.next()),
    "expired: The stream's time is over",
  );
  await world.dtn.until(() => ended.length === 3);
});

Deno.test("a stream that is not as it should be is closed, and the link goes on", async () => {
  await using pairing = await pair();
  const { world, ana, bob, open } = pairing;
  const ended: unknown[] = [];
  bob.fabric.handleStream("any", async (stream) => {
    try {
      await stream.next();
    } catch (error) {
      ended.push((error as FabricError).code);
    }
  });
  await world.settle((await open("any")).close());
  await world.dtn.until(() => ended.length === 1);
  const { id: to } = bob.fabric.agent;
  const link = ana.node.links.with(to)!;
  const wrong = [
    Uint8Array.of(9, 0, 0, 0, 0), // an unknown type
    Uint8Array.of(2, 0, 0x10, 0, 1), // a value that is too long
    encodeStreamFrame("value", Uint8Array.of(0xd8, 27, 0x80)), // an object of a class
    encodeStreamFrame("value", Uint8Array.of(0x82, 1)), // cut short
    encodeStreamFrame("accepted", new Uint8Array()), // at the wrong place
  ];
  for (const [n, bytes] of wrong.entries()) {
    const opening = messageOf(n, {
      ...{ kind: "request", from: ana.fabric.agent.id, to, type: "any" },
      payload: Uint8Array.of(0xf6),
    });
    const stream = await world.settle(link.openStream(opening));
    await world.settle(stream.write(bytes));
    await world.dtn.until(() => ended.length === n + 2);
    assertEquals(ended.at(-1), "malformed");
  }
  assert(link.isOpen);
});

Deno.test("a fabric that ends closes its streams", async () => {
  await using pairing = await pair();
  const { world, ana, bob, open } = pairing;
  bob.fabric.handleStream("waits", async (stream) => {
    await stream.next();
  });
  const stream = await open("waits");
  const next = stream.next();
  next.catch(() => {});
  await world.settle(ana.node.leave(ana.fabric.agent));
  assertEquals(await failureOf(world, next), "closed: The fabric is closed");
  await world.dtn.until(() => bob.fabric.streams.open === 0);
  assertEquals(
    await failureOf(world, open("waits")),
    "closed: The fabric is closed",
  );
});
