import { assert, assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { utf8 } from "../../src/core/bytes/mod.ts";
import { HtxError } from "../../src/htx/error.ts";
import { pattern } from "../htx/_mux_pair.ts";
import { readAll } from "../htx/_prober.ts";
import { type TracedEnds, traceSession } from "../htx/_session_trace.ts";
import { statusOf, ticketRequest } from "../htx/_ticket_request.ts";
import { until, World } from "../htx/_world.ts";

const HOUR_MS = 3_600_000;
const JUMPS = [5, -5, 24 * 365, -24 * 365, 0.5, -0.5];

async function start(): Promise<{ world: World; clock: VirtualClock }> {
  const clock = new VirtualClock();
  return { world: await World.start({ clock }, { clock }), clock };
}

Deno.test("wall clocks that jump do not disturb an open session", async () => {
  const { world, clock } = await start();
  const clientClock = new VirtualClock();
  const { client, server } = await world.pair({ clock: clientClock });
  const accepted = server[Symbol.asyncIterator]();
  for (const hours of JUMPS) {
    for (const jumping of [clock, clientClock]) {
      jumping.setWallTime(jumping.wallTime() + hours * HOUR_MS);
      const stream = await client.open();
      const { value: peer } = await accepted.next();
      await stream.write(pattern(1_000));
      await stream.closeWrite();
      assertEquals(await readAll(peer), pattern(1_000));
      await peer.closeWrite();
      assertEquals(await client.ping(), 0);
    }
  }
  await client.close();
  await world[Symbol.asyncDispose]();
});

Deno.test("timers do not notice that the wall clock jumps", async () => {
  const trace = (script: (ends: TracedEnds) => Promise<void>) =>
    traceSession({ seed: 11, script });
  const steady = await trace(({ clock }) => clock.run(JUMPS.length * 60_000));
  const jumpy = await trace(async ({ clock }) => {
    for (const hours of JUMPS) {
      clock.setWallTime(clock.wallTime() + hours * HOUR_MS);
      await clock.run(60_000);
    }
  });
  assertEquals(jumpy, steady);
  assert(steady.client.length > 300);

  const { world, clock } = await start();
  await using connection = await world.connect();
  await connection.write(utf8("GET / HT"));
  await clock.run(5_000);
  clock.setWallTime(clock.wallTime() + 5 * HOUR_MS);
  await clock.run(4_999);
  assertEquals(world.originSaw.length, 0);
  await clock.run(1);
  await until(() => world.originSaw.length === 1);
  connection.close();
  await world[Symbol.asyncDispose]();
});

for (const side of ["client", "server"] as const) {
  Deno.test(`tickets are refused while the ${side}'s clock is off by hours, and taken again afterwards`, async () => {
    const { world, clock } = await start();
    const clientClock = new VirtualClock();
    const jumping = side === "client" ? clientClock : clock;
    const right = jumping.wallTime();
    for (const hours of [2, -2, 48, -48]) {
      jumping.setWallTime(right + hours * HOUR_MS);
      const refused = await assertRejects(
        () => world.dial({ clock: clientClock }),
        HtxError,
      );
      assertEquals(refused.code, "refused");
      jumping.setWallTime(right);
      const session = await world.dial({ clock: clientClock });
      await session.close();
    }
    assertEquals(world.gate.counts.forged, 4);
    assertEquals(world.server.counts.established, 4);
    await world[Symbol.asyncDispose]();
  });
}

Deno.test("a wall clock that jumps back reopens the door to no used ticket", async () => {
  const { world, clock } = await start();
  const at = clock.wallTime();
  const used = ticketRequest(world.offer, at);
  const status = (request: Uint8Array) => statusOf(world.connect(), request);
  assertEquals(await status(used), 200);
  assertEquals(await status(used), 404);

  clock.setWallTime(at + 24 * HOUR_MS);
  assertEquals(await status(used), 404);
  clock.setWallTime(at);
  assertEquals(await status(used), 404);

  // Long after its 3 h, when a ticket of later hours has made the memory forget this one.
  await clock.run(4 * HOUR_MS);
  assertEquals(await status(ticketRequest(world.offer, clock.wallTime())), 200);
  clock.setWallTime(at);
  assertEquals(await status(used), 404);
  assertEquals(world.gate.counts.replayed, 3);
  assertEquals(world.gate.counts.admitted, 2);
  await world[Symbol.asyncDispose]();
});
