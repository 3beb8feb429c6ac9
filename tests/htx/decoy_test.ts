import { assert, assertEquals } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { concat, utf8 } from "../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import { MemoryNetwork, TransportError } from "../../src/core/transport/mod.ts";
import { Decoy } from "../../src/htx/decoy.ts";
import { decoySite, placeholderSite } from "../../src/htx/decoy_site.ts";
import { compareWithOrigin, readAll } from "./_prober.ts";

Deno.test("Decoy shows a prober byte for byte what the bare origin shows", async (t) => {
  const site = decoySite(placeholderSite(crypto.random(8)));
  await using origin = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    site,
  );
  await compareWithOrigin(t, `tcp://127.0.0.1:${origin.addr.port}`);
});

async function setUp(options: Partial<ConstructorParameters<typeof Decoy>[0]>) {
  const network = new MemoryNetwork();
  const origin = await network.transport("origin").listen("memory://origin");
  const front = await network.transport("front").listen("memory://front");
  const front_ = network.transport("front");
  const decoy = new Decoy({
    dial: (dialOptions) => front_.dial("memory://origin", dialOptions),
    ...options,
  });
  const visit = async () => {
    const visitor = await network.transport("visitor").dial("memory://front");
    const { value } = await front[Symbol.asyncIterator]().next();
    return { visitor, served: decoy.serve(value!, utf8("early ")) };
  };
  const accepted = async () => {
    const { value } = await origin[Symbol.asyncIterator]().next();
    return value!;
  };
  return { network, origin, decoy, visit, accepted };
}

Deno.test("Decoy passes any bytes both ways, those already received first", async () => {
  const { decoy, visit, accepted } = await setUp({});
  const { visitor, served } = await visit();
  const origin = await accepted();
  const up = crypto.random(300_000);
  const down = crypto.random(300_000);
  const seen = readAll(origin);
  const answer = readAll(visitor);
  await Promise.all([visitor.write(up), origin.write(down)]);
  await visitor.closeWrite();
  assertEquals(await seen, concat(utf8("early "), up));
  await origin.closeWrite();
  assertEquals(await answer, down);
  await served;
  assertEquals(decoy.active, 0);
});

Deno.test("Decoy closes visitors beyond its limit, and the rest when the origin is gone", async () => {
  const { network, decoy, visit, accepted } = await setUp({
    maxConnections: 2,
  });
  const first = await visit();
  const second = await visit();
  const third = await visit();
  assertEquals(await readAll(third.visitor), new Uint8Array(0));
  await third.served;
  assertEquals(decoy.active, 2);
  assertEquals(decoy.counts, {
    served: 2,
    refused: 1,
    unreachable: 0,
    unlike: 0,
  });
  (await accepted()).close();
  await first.served;
  const fourth = await visit();
  assertEquals(decoy.active, 2);
  network.kill("origin");
  await Promise.all([second.served, fourth.served]);
  const fifth = await visit();
  assertEquals(await readAll(fifth.visitor), new Uint8Array(0));
  await fifth.served;
  assertEquals(decoy.counts, {
    served: 3,
    refused: 1,
    unreachable: 1,
    unlike: 0,
  });
  assertEquals(decoy.active, 0);
});

Deno.test("Decoy ends idle connections, and busy ones in the end", async () => {
  const clock = new VirtualClock();
  const { visit, accepted } = await setUp({
    clock,
    idleTimeoutMs: 1_000,
    totalTimeoutMs: 10_000,
  });
  const idle = await visit();
  await (await accepted()).read(new Uint8Array(10));
  clock.advance(999);
  let ended = false;
  void idle.served.then(() => ended = true);
  await tick();
  assertEquals(ended, false);
  clock.advance(1_001);
  await idle.served;

  const busy = await visit();
  const origin = await accepted();
  await origin.read(new Uint8Array(10));
  const startedAt = clock.now();
  let done = false;
  void busy.served.then(() => done = true);
  while (!done && clock.now() - startedAt < 20_000) {
    try {
      await busy.visitor.write(utf8("x"));
      await origin.read(new Uint8Array(10));
    } catch (error) {
      assert(error instanceof TransportError);
    }
    clock.advance(500);
    await tick();
  }
  await busy.served;
  assertEquals(clock.now() - startedAt, 10_000);
});

Deno.test("Decoy outlasts the keep-alive of nginx, whose end it passes on", async () => {
  const clock = new VirtualClock();
  const { visit, accepted } = await setUp({ clock });
  const { visitor, served } = await visit();
  await visitor.write(utf8("x"));
  const origin = await accepted();
  await origin.read(new Uint8Array(10));
  const answer = readAll(visitor);
  clock.advance(75_000);
  await tick();
  await origin.write(utf8("bye"));
  await origin.closeWrite();
  assertEquals(await answer, utf8("bye"));
  await visitor.closeWrite();
  await served;
});

Deno.test("Decoy gives up on an origin that does not answer the dial", async () => {
  const clock = new VirtualClock();
  const { decoy, visit } = await setUp({
    clock,
    idleTimeoutMs: 1_000,
    dial: ({ signal }) =>
      new Promise((_, reject) => {
        signal!.onabort = () => reject(signal!.reason);
      }),
  });
  const { visitor, served } = await visit();
  await tick();
  clock.advance(1_000);
  await served;
  assertEquals(await readAll(visitor), new Uint8Array(0));
  assertEquals(decoy.counts.unreachable, 1);
});

Deno.test("Decoy stops when its signal fires", async () => {
  const network = new MemoryNetwork();
  await using origin = await network.transport("o").listen("memory://o");
  await using front = await network.transport("f").listen("memory://f");
  const decoy = new Decoy({
    dial: (options) => network.transport("f").dial("memory://o", options),
  });
  await using visitor = await network.transport("v").dial("memory://f");
  const { value } = await front[Symbol.asyncIterator]().next();
  const controller = new AbortController();
  const served = decoy.serve(value!, utf8("x"), controller);
  await origin[Symbol.asyncIterator]().next();
  controller.abort();
  await served;
  assertEquals(await readAll(visitor), new Uint8Array(0));
});

/** Lets everything run that waits for nothing but its turn. */
async function tick(): Promise<void> {
  for (let i = 0; i < 100; i++) await Promise.resolve();
}
