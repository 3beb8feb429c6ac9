import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import {
  type Connection,
  MemoryNetwork,
  type MemoryNetworkOptions,
} from "../../src/core/transport/mod.ts";
import {
  assertCode,
  generator,
  pseudoRandom,
  readAll,
  readExactly,
  writeAll,
} from "../compliance/transport.ts";

/** A network on a virtual clock, with hosts a and b connected. */
async function network(options: MemoryNetworkOptions = {}, seed = 1) {
  const clock = new VirtualClock();
  const net = new MemoryNetwork({ clock, random: generator(seed), ...options });
  const listener = await net.transport("b").listen("memory://b");
  const dialing = net.transport("a").dial("memory://b");
  await clock.run(10_000);
  const a = await dialing;
  const b: Connection = (await listener[Symbol.asyncIterator]().next()).value;
  return { clock, net, listener, a, b };
}

Deno.test("MemoryNetwork delivers bytes after the latency and the bandwidth's time", async () => {
  const { clock, a, b } = await network({
    latencyMs: 100,
    bytesPerSecond: 1000,
  });
  const start = clock.now();
  await a.write(new Uint8Array(500));
  const reading = readExactly(b, 500).then(() => clock.now() - start);
  await clock.run(10_000);
  assertEquals(await reading, 600);
  a.close();
  b.close();
});

Deno.test("MemoryNetwork keeps bytes whole and in order under loss and jitter", async () => {
  const { clock, a, b } = await network({
    latencyMs: 20,
    jitterMs: 50,
    loss: 0.3,
  });
  const sent = pseudoRandom(1_000_000, 1);
  const done = Promise.all([readAll(b), writeAll(a, sent)]);
  await clock.run(1_000_000);
  const [received] = await done;
  assertEquals(received.toBase64(), sent.toBase64());
  a.close();
  b.close();
});

Deno.test("MemoryNetwork loses, reorders and doubles datagrams, the same way for the same seed", async () => {
  const run = async (seed: number) => {
    const { clock, net, a, b } = await network({
      latencyMs: 10,
      loss: 0.2,
      reorder: 0.2,
      duplication: 0.1,
    }, seed);
    for (let i = 0; i < 200; i++) {
      await a.datagrams!.send(new Uint8Array([i]));
      clock.advance(1);
    }
    await clock.run(100);
    const received: number[] = [];
    for (;;) {
      const next = await Promise.race([b.datagrams!.receive(), clock.run(0)]);
      if (!next) break;
      received.push(next[0]!);
    }
    a.close();
    b.close();
    return { received, lost: net.lostDatagrams };
  };
  const first = await run(1);
  assertEquals(await run(1), first);
  const { received, lost } = first;
  assert(lost > 20 && lost < 80, `${lost} lost`);
  const distinct = new Set(received);
  assert(received.length - distinct.size > 5, "some came twice");
  assert(received.some((n, i) => n < (received[i - 1] ?? 0)), "some overtook");
  assert((await run(2)).received.join() !== received.join());
});

Deno.test("datagrams beyond 256 unreceived ones are dropped and counted", async () => {
  const { a, b } = await network();
  for (let i = 0; i < 300; i++) await a.datagrams!.send(new Uint8Array([i]));
  assertEquals(b.datagrams!.dropped, 44);
  assertEquals(await b.datagrams!.receive(), new Uint8Array([0]));
  a.close();
  b.close();
});

Deno.test("a partition holds bytes, loses datagrams and refuses dials until it heals", async () => {
  const { clock, net, a, b } = await network({ latencyMs: 10 });
  net.partition("a", "b");
  await a.write(new Uint8Array([1]));
  await a.datagrams!.send(new Uint8Array([2]));
  let arrived = false;
  const reading = readExactly(b, 1).then(() => arrived = true);
  const dialing = assertCode(
    "unreachable",
    () => net.transport("a").dial("memory://b"),
  );
  await clock.run(60_000);
  await dialing;
  assertEquals([arrived, net.lostDatagrams], [false, 1]);
  net.heal("a", "b");
  await reading;
  a.close();
  b.close();
});

Deno.test("a killed host breaks its connections at both ends and stops listening", async () => {
  const { clock, net, a, b } = await network({ latencyMs: 10 });
  const reading = assertCode("reset", () => a.read(new Uint8Array(1)));
  net.kill("b");
  await assertCode("reset", () => b.read(new Uint8Array(1)));
  await clock.run(10);
  await reading;
  const dialing = assertCode(
    "unreachable",
    () => net.transport("a").dial("memory://b"),
  );
  await clock.run(100);
  await dialing;
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("a host cannot listen at another's address", async () => {
  const { net, a, b } = await network();
  await assertRejects(() => net.transport("a").listen("memory://c"), TypeError);
  a.close();
  b.close();
});

Deno.test("a full backlog is unreachable", async () => {
  const { net, a, b } = await network();
  const dial = () => net.transport("a").dial("memory://b");
  for (let i = 0; i < 128; i++) await dial();
  await assertCode("unreachable", dial);
  net.kill("b");
  a.close();
  b.close();
});

Deno.test("MemoryNetwork refuses options out of range", () => {
  const probabilities = { loss: 1, reorder: 1.01, duplication: 1.01 };
  const amounts = { latencyMs: Infinity, jitterMs: Infinity };
  for (
    const [name, tooMuch] of Object.entries({ ...probabilities, ...amounts })
  ) {
    for (const value of [-0.1, tooMuch, NaN]) {
      assertThrows(
        () => new MemoryNetwork({ [name]: value }),
        RangeError,
        name,
      );
    }
  }
  for (const name of ["bytesPerSecond", "bufferBytes"]) {
    for (const value of [-1, 0, NaN]) {
      assertThrows(
        () => new MemoryNetwork({ [name]: value }),
        RangeError,
        name,
      );
    }
  }
});

Deno.test("MemoryNetwork wants a whole number of bytes to hold", () => {
  assertThrows(() => new MemoryNetwork({ bufferBytes: 0.5 }), RangeError);
});

Deno.test("MemoryNetwork delivers a segment at its 16th attempt at the latest", async () => {
  const { clock, a, b } = await network({
    latencyMs: 10,
    loss: 0.1,
    random: () => 0,
  });
  const start = clock.now();
  await a.write(new Uint8Array([1]));
  const reading = readExactly(b, 1).then(() => clock.now() - start);
  await clock.run(10_000);
  assertEquals(await reading, 10 + 15 * 20);
  a.close();
  b.close();
});
