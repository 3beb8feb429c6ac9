import { assert, assertEquals } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import {
  type ClientLink,
  GatewayConnection,
  type GatewayConnectionOptions,
} from "../../../src/mixnet/client/gateway_connection.ts";
import type { MessageFrame } from "../../../src/mixnet/link/link_frame.ts";
import { FakeLink } from "../gateway/_fake_link.ts";
import { seededRandom } from "./_mix_world.ts";

Deno.test("a link on which nothing comes down is given up after the time given, and another is made", async () => {
  await using t = start({ silenceMs: 5_000 });
  await t.clock.run(4_999);
  assertEquals(t.connection.silences, 0);
  await t.clock.run(1);
  assertEquals(t.connection.silences, 1);
  assertEquals(t.links[0]!.isOpen, false);
  await t.clock.run(1_000);
  assert(t.links.length > 1 && t.connection.isConnected);
});

Deno.test("the time is 30 mean intervals of our packets, 10 s at least; padding is enough", async () => {
  for (
    const [packetsPerSecond, silenceMs] of [[10, 10_000], [
      0.9,
      30_000,
    ]] as const
  ) {
    await using t = start({ packetsPerSecond, loopsPerSecond: 0.1 });
    for (let ms = 0; ms < 4 * silenceMs; ms += silenceMs - 1) {
      t.links[0]!.stats.received++;
      await t.clock.run(silenceMs - 1);
    }
    assertEquals(t.connection.silences, 0);
    await t.clock.run(2 * silenceMs);
    assert(!t.links[0]!.isOpen);
  }
});

Deno.test("a link that does not count what arrives is never given up for silence", async () => {
  const clock = new VirtualClock();
  const { send, frames, close } = bare(new FakeLink(clock));
  await using t = start({
    dial: () => Promise.resolve({ send, frames, close }),
  }, clock);
  await t.clock.run(100_000);
  assertEquals(t.connection.links, 1);
});

Deno.test("a gateway that closes every link at once is dialed ever less often; one that gave something is dialed soon", async () => {
  const dials: number[] = [];
  const clock = new VirtualClock();
  await using t = start({
    dial: () => {
      dials.push(clock.now());
      const link = new FakeLink(clock);
      if (dials.length > 20) link.give(message(1));
      link.close();
      return Promise.resolve(link);
    },
  }, clock);
  await t.clock.run(60_000);
  assert(dials.length < 20, `${dials.length}`);
  await t.clock.run(400_000);
  const soon = dials.slice(22, 42);
  assert(soon.at(-1)! - soon[0]! < 20 * 500, soon.join());
});

Deno.test("what is collected is said of this link alone, up to what found no room", async () => {
  await using t = start(
    {},
    new VirtualClock(),
    ({ sequence }) => sequence !== 503,
  );
  const [first] = t.links as [FakeLink];
  first.give(message(501), message(502));
  await t.clock.run(3_000);
  assertEquals(collected(first), 502);
  assertEquals(t.connection.refusedForMs, undefined);
  first.give(message(503), message(504));
  await t.clock.run(3_000);
  assertEquals(collected(first), 502);
  assertEquals(t.connection.refusedForMs, 6_000);
  t.connection.reopen();
  await t.clock.run(3_000);
  const second = t.links[1]!;
  assertEquals(collected(second), 0); // a gateway that lost its store begins anew at 1
  assertEquals(t.connection.refusedForMs, undefined);
  second.give(message(1));
  await t.clock.run(3_000);
  assertEquals(collected(second), 1);
});

Deno.test("frames are a Poisson process of the rates given, an eighth besides for what is collected", async () => {
  const slots = { message: 0, reply: 0, loop: 0 };
  await using t = start({
    packetsPerSecond: 6,
    loopsPerSecond: 1,
    silenceMs: 1e9,
    next: (slot) => {
      slots[slot]++;
      return undefined;
    },
  });
  await t.clock.run(1_000_000);
  const { sent } = t.links[0]!;
  const near = (count: number, mean: number) =>
    assert(Math.abs(count - mean) < 4 * Math.sqrt(mean), `${count}, ${mean}`);
  near(sent.length, 8_000);
  near(slots.message, 4_500);
  near(slots.reply, 1_500);
  near(slots.loop, 1_000);
  near(sent.filter(({ frame }) => frame.type === "collected").length, 1_000);
  assert(sent.some(({ frame }) => frame.type === "padding")); // there is no route
});

function start(
  options: Partial<GatewayConnectionOptions> = {},
  clock = new VirtualClock(),
  take: (message: MessageFrame) => boolean = () => true,
) {
  const links: FakeLink[] = [];
  const over = new AbortController();
  const connection = new GatewayConnection({
    dial: () => {
      links.push(new FakeLink(clock));
      return Promise.resolve(links.at(-1)!);
    },
    packetsPerSecond: 10,
    loopsPerSecond: 1,
    clock,
    random: seededRandom(3),
    next: () => undefined,
    take,
    onTaken: () => {},
    ...options,
  });
  const running = connection.run(over.signal);
  return {
    clock,
    connection,
    links,
    async [Symbol.asyncDispose]() {
      over.abort();
      await running;
      assertEquals(clock.pendingTimers, 0);
    },
  };
}

function bare(link: FakeLink): ClientLink {
  return {
    send: (frames) => link.send(frames),
    frames: () => link.frames(),
    close: () => link.close(),
  };
}

function message(sequence: number): MessageFrame {
  return {
    type: "message",
    sequence,
    identifier: new Uint8Array(16),
    payload: new Uint8Array(0),
  };
}

function collected({ sent }: FakeLink): number {
  const { frame } = sent.findLast(({ frame }) => frame.type === "collected")!;
  assert(frame.type === "collected");
  return frame.sequence;
}
