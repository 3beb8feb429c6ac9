import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as v from "valibot";
import {
  type Client,
  client,
  defineService,
  FabricError,
  serve,
} from "../../../src/fabric/mod.ts";
import { FabricWorld } from "../_fabric_world.ts";

const shop = defineService({
  name: "shop",
  methods: {
    price: {
      kind: "request",
      input: v.object({ items: v.array(v.object({ count: v.number() })) }),
      output: v.pipe(v.string(), v.transform(Number)),
    },
    note: { kind: "notify", input: v.string() },
    watch: {
      kind: "stream",
      input: v.object({ from: v.optional(v.number(), 10) }),
      output: v.number(),
      feed: v.picklist(["next"]),
    },
  },
});

interface Pair extends AsyncDisposable {
  readonly world: FabricWorld;
  readonly ana: Awaited<ReturnType<FabricWorld["start"]>>;
  readonly bob: Awaited<ReturnType<FabricWorld["start"]>>;
  readonly calls: Client<typeof shop.methods>;
}

async function pair(): Promise<Pair> {
  const world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  const calls = client(ana.fabric, shop, bob.fabric.agent.id);
  return {
    ...{ world, ana, bob, calls },
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

Deno.test("a client calls what another agent serves, with the types of both ends", async () => {
  await using pairing = await pair();
  const { world, bob, calls } = pairing;
  const notes: string[] = [];
  using _serving = serve(bob.fabric, shop, {
    price: ({ items }) =>
      `${items.reduce((sum, { count }) => sum + count, 0) * 2}`,
    note: (text, { from }) => void notes.push(`${text} of ${`${from}`.length}`),
    watch: async (stream, { from }) => {
      let count = from;
      for await (const word of stream) {
        if (word === "next") await stream.send(count++);
      }
    },
  });
  const price: number = await world.settle(
    calls.price({ items: [{ count: 2 }, { count: 3 }] }),
  );
  assertEquals(price, 10);
  const { settled } = await world.settle(calls.note("tea"));
  assertEquals(await world.settle(settled), undefined);
  assertEquals(notes, ["tea of 43"]);
  const stream = await world.settle(calls.watch({}));
  const heard: number[] = [];
  for (let i = 0; i < 2; i++) {
    await world.settle(stream.send("next"));
    const { value } = await world.settle(stream.next());
    heard.push(value!);
  }
  await world.settle(stream.end());
  assertEquals((await world.settle(stream.next())).done, true);
  assertEquals(heard, [10, 11]);
});

Deno.test("what does not fit its schema is refused, with the place, before it reaches the service", async () => {
  await using pairing = await pair();
  const { world, ana, bob, calls } = pairing;
  const reached: unknown[] = [];
  using _serving = serve(bob.fabric, shop, {
    price: (input) => (reached.push(input), "1"),
    note: (input) => void reached.push(input),
    watch: async (stream) => {
      for await (const word of stream) reached.push(word);
    },
  });
  const items = [{ count: 1 }, { count: "2" }] as { count: number }[];
  assertEquals(
    await failureOf(world, calls.price({ items })),
    "refused: The request was refused: invalid_input: items.1.count",
  );
  const note = await world.settle(calls.note(5 as unknown as string));
  assertEquals(await world.settle(note.settled), "invalid_input");
  const to = bob.fabric.agent.id;
  const wrong = await world.settle(
    ana.fabric.notify(to, "shop.price", { items: [] }),
  );
  assertEquals(await world.settle(wrong.settled), "wrong_kind");
  const refused = await world.settle(
    calls.watch({ from: "1" } as unknown as { from: number }),
  );
  assertEquals(
    await failureOf(world, refused.next()),
    "closed: The other end closed the stream: invalid_input: from",
  );
  const stream = await world.settle(calls.watch({}));
  await world.settle(stream.send("later" as "next"));
  assertEquals(
    await failureOf(world, stream.next()),
    "closed: The other end closed the stream: invalid_input",
  );
  assertEquals(reached, []);
});

Deno.test("an answer that does not fit its schema is an error of the client that says where", async () => {
  await using pairing = await pair();
  const { world, bob, calls } = pairing;
  bob.fabric.handle("shop.price", () => 5);
  let told = "";
  bob.fabric.handleStream("shop.watch", async (stream) => {
    await stream.send(1);
    await stream.send("2");
    await stream.next().catch(({ message }) => told = message);
  });
  assertEquals(
    await failureOf(world, calls.price({ items: [] })),
    "invalid: invalid_output",
  );
  const stream = await world.settle(calls.watch({}));
  assertEquals((await world.settle(stream.next())).value, 1);
  assertEquals(
    await failureOf(world, stream.next()),
    "invalid: invalid_output",
  );
  await world.dtn.until(() => told !== "");
  assertEquals(told, "The other end closed the stream: invalid_output");
});

Deno.test("a service is served once, and its names make types of messages", async () => {
  await using pairing = await pair();
  const { bob } = pairing;
  const none = {
    price: () => "1",
    note: () => {},
    watch: () => {},
  };
  const taken = bob.fabric.handle("shop.note", () => {});
  assertThrows(() => serve(bob.fabric, shop, none), RangeError);
  taken[Symbol.dispose]();
  const serving = serve(bob.fabric, shop, none);
  assertThrows(() => serve(bob.fabric, shop, none), RangeError);
  assertEquals(bob.fabric.types.length, 2);
  serving[Symbol.dispose]();
  assertEquals(bob.fabric.types, []);
  const input = v.any();
  for (const name of ["", "then", "m".repeat(127)]) {
    const methods = { [name]: { kind: "notify", input } as const };
    assertThrows(() => defineService({ name: "a", methods }), RangeError);
  }
});
