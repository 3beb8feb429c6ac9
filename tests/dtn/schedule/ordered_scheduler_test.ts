import { assert, assertEquals } from "@std/assert";
import {
  deadlineScheduler,
  fifoScheduler,
} from "../../../src/dtn/schedule/ordered_scheduler.ts";
import type {
  ContactCost,
  ScheduledBundle,
  Scheduler,
} from "../../../src/dtn/schedule/scheduler.ts";
import { contact, waiting } from "./_bundle.ts";

function bundle(
  n: number,
  changes: Partial<ScheduledBundle> = {},
): ScheduledBundle {
  const times = { receivedMs: n, expiresMs: 1_000 - n };
  return waiting(`bundle ${n}`, { ...times, ...changes });
}

function to(peer: string): ContactCost {
  return contact({ peer });
}

function drain(scheduler: Scheduler, peer: string): number[] {
  const taken: number[] = [];
  for (;;) {
    const next = scheduler.next(to(peer), 0);
    if (!next) return taken;
    taken.push(Number(next.id.split(" ")[1]));
  }
}

Deno.test("fifoScheduler() serves each class in the order of arrival, expedited first", () => {
  const scheduler = fifoScheduler();
  const classes = [0, 1, 2, 1, 0, 2] as const;
  for (const [n, priority] of classes.entries()) {
    scheduler.add(bundle(n, { priority }), "b");
  }
  assertEquals(scheduler.size, 6);
  assertEquals(drain(scheduler, "b"), [2, 5, 1, 3, 0, 4]);
  assertEquals(scheduler.size, 0);
});

Deno.test("deadlineScheduler() serves what expires first, equals in the order of addition", () => {
  const scheduler = deadlineScheduler();
  for (const n of [1, 2, 3]) scheduler.add(bundle(n), "b");
  scheduler.add(bundle(4, { expiresMs: 998 }), "b");
  assertEquals(drain(scheduler, "b"), [3, 2, 4, 1]);
});

Deno.test("a bundle waits for each neighbour on its own, and for none when it is removed", () => {
  const scheduler = fifoScheduler();
  for (const n of [1, 2, 3]) {
    for (const peer of ["b", "c"]) assert(scheduler.add(bundle(n), peer));
  }
  assert(scheduler.add(bundle(1), "b"));
  assertEquals(scheduler.size, 6);
  assertEquals(scheduler.next(to("b"), 0)?.id, "bundle 1");
  scheduler.remove("bundle 2");
  assertEquals(scheduler.size, 3);
  assertEquals(drain(scheduler, "b"), [3]);
  scheduler.add(bundle(1), "b");
  scheduler.removePeer("c");
  assertEquals(scheduler.size, 1);
  assertEquals(drain(scheduler, "c"), []);
  assertEquals(drain(scheduler, "b"), [1]);
});

Deno.test("a full scheduler takes no more until something left", () => {
  const scheduler = fifoScheduler({ maxWaiting: 2 });
  assert(scheduler.add(bundle(1), "b"));
  assert(scheduler.add(bundle(2), "b"));
  assert(!scheduler.add(bundle(3), "b"));
  scheduler.remove("bundle 1");
  assert(scheduler.add(bundle(3), "b"));
  scheduler.add(bundle(1), "b");
  assertEquals(drain(scheduler, "b"), [2, 3]);
});

Deno.test("fifoScheduler() and deadlineScheduler() gain most over what brings most bytes a second", () => {
  for (const scheduler of [fifoScheduler(), deadlineScheduler()]) {
    const gain = (changes: Parameters<typeof contact>[0]) =>
      scheduler.gain(contact(changes), 0);
    assert(gain({ bytesPerSecond: 2_000 }) > gain({ bytesPerSecond: 1_900 }));
    assert(
      gain({ bytesPerSecond: 1_900 }) >
        gain({ bytesPerSecond: 2_000, reliability: 0.9 }),
    );
    // Where speeds are not known, what is said of arrival decides.
    const unknown = { bytesPerSecond: Infinity };
    assert(gain(unknown) > gain({ ...unknown, reliability: 0.9 }));
    assertEquals(gain(unknown), gain({ ...unknown, moneyPerByte: 5 }));
  }
});
