import { assert, assertEquals } from "@std/assert";
import { Scheduler } from "../../src/htx/scheduler.ts";
import { StreamState } from "../../src/htx/stream_state.ts";

function stream(id: number, weight = 16): StreamState {
  return new StreamState({
    id,
    weight,
    sendWindow: 65_535,
    receiveWindow: 65_535,
    maxReceiveWindow: 65_535,
  });
}

/** Sends `rounds` pieces of at most `pieceBytes` and returns how much each stream sent. */
function run(
  scheduler: Scheduler,
  rounds: number,
  pieceBytes: number,
): Map<number, number> {
  const sent = new Map<number, number>();
  for (let i = 0; i < rounds; i++) {
    const next = scheduler.next()!;
    const length = Math.min(next.deficit, pieceBytes);
    assert(length > 0);
    scheduler.spend(next, length);
    sent.set(next.id, (sent.get(next.id) ?? 0) + length);
  }
  return sent;
}

Deno.test("Scheduler has nobody to serve at first and after all are removed", () => {
  const scheduler = new Scheduler();
  assertEquals([scheduler.size, scheduler.next()], [0, undefined]);
  const [a, b] = [stream(1), stream(3)];
  for (const one of [a, b, a]) scheduler.add(one);
  assertEquals(scheduler.size, 2);
  assertEquals(scheduler.next(), a);
  scheduler.remove(a);
  assertEquals([scheduler.size, scheduler.next()], [1, b]);
  scheduler.remove(b);
  scheduler.remove(b);
  assertEquals([scheduler.size, scheduler.next()], [0, undefined]);
});

for (const pieceBytes of [1_000, 16_384, 65_536]) {
  Deno.test(`Scheduler shares by weight in pieces of ${pieceBytes} bytes`, () => {
    const scheduler = new Scheduler();
    for (const [id, weight] of [[1, 1], [3, 16], [5, 256]] as const) {
      scheduler.add(stream(id, weight));
    }
    const sent = run(scheduler, 100_000, pieceBytes);
    const share = (id: number) => sent.get(id)! / sent.get(1)!;
    assert(Math.abs(share(3) - 16) < 0.8, `${share(3)}`);
    assert(Math.abs(share(5) - 256) < 12.8, `${share(5)}`);
  });
}

Deno.test("Scheduler starves nobody: every one of 1,000 streams has its turn in each round", () => {
  const scheduler = new Scheduler();
  for (let i = 0; i < 1_000; i++) {
    scheduler.add(stream(2 * i + 1, i === 500 ? 256 : 1));
  }
  for (let round = 0; round < 3; round++) {
    assertEquals(run(scheduler, 1_000, Infinity).size, 1_000);
  }
});

Deno.test("Scheduler lets a stream that ran dry go on with what is left of its turn", () => {
  const scheduler = new Scheduler();
  const [dry, other] = [stream(1), stream(3)];
  scheduler.add(dry);
  scheduler.add(other);
  assertEquals(scheduler.next(), dry);
  const turn = dry.deficit;
  scheduler.spend(dry, 10);
  scheduler.remove(dry);
  assertEquals(scheduler.next(), other);
  scheduler.spend(other, other.deficit);
  scheduler.add(dry);
  assertEquals(scheduler.next(), dry);
  assertEquals(dry.deficit, turn - 10);
});

Deno.test("Scheduler gives no credit for turns in which a stream had nothing to send", () => {
  const scheduler = new Scheduler();
  const [absent, busy] = [stream(1), stream(3)];
  scheduler.add(absent);
  const turn = scheduler.next()!.deficit;
  scheduler.spend(absent, turn);
  scheduler.remove(absent);
  scheduler.add(busy);
  run(scheduler, 1_000, Infinity);
  scheduler.add(absent);
  const sent = run(scheduler, 20, Infinity);
  assertEquals(sent.get(1), sent.get(3));
});
