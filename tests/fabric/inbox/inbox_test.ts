import { assertEquals, assertRejects } from "@std/assert";
import { memoryStore, StorageError } from "../../../src/core/storage/mod.ts";
import type { Message } from "../../../src/fabric/mod.ts";
import { Inbox, type InboxLimits } from "../../../src/fabric/inbox/inbox.ts";
import type { Outcome } from "../../../src/fabric/inbox/inbox_rows.ts";
import { ana, bob, eve, messageOf } from "../_messages.ts";

function world(limits: InboxLimits = {}) {
  const store = memoryStore();
  const open = () => new Inbox(store, limits);
  return { store, open, inbox: open() };
}

const HANDLED: Outcome = { state: "handled", reason: "", atMs: 5 };
const ordered = (n: number, floor = 0, fields: Partial<Message> = {}) =>
  messageOf(n, { order: { sequence: n, floor }, ...fields });
const kindOf = (inbox: Inbox, message: Message, nowMs = 1) =>
  inbox.admit(message, nowMs).kind;
/** The message, once the inbox has admitted it. */
function admitted(inbox: Inbox, message: Message): Message {
  assertEquals(["new", "held"].includes(kindOf(inbox, message)), true);
  return message;
}

/** Payloads of what is next, each settled before the next is asked for. */
async function handledAll(inbox: Inbox): Promise<(number | undefined)[]> {
  const all: (number | undefined)[] = [];
  for (let next; (next = inbox.next());) {
    all.push(next.message.payload[0]);
    await inbox.settle(next.message, HANDLED);
  }
  return all;
}

Deno.test("a message is new once, busy until it is settled, and then done, also after a restart", async () => {
  const { inbox, open } = world();
  const request = messageOf(1, { kind: "request" });
  assertEquals(kindOf(inbox, request), "new");
  assertEquals(kindOf(inbox, request), "busy");
  const answer = messageOf(2, {
    ...{ kind: "reply", from: bob.id, to: ana.id },
    replyTo: request.id,
  });
  await inbox.settle(request, { ...HANDLED, answer });
  for (const each of [inbox, open()]) {
    assertEquals(each.admit(request, 1), {
      kind: "done",
      outcome: { ...HANDLED, answer },
    });
    assertEquals(kindOf(each, { ...request, from: eve.id }), "new");
  }
});

Deno.test("what became of a request is written only if its answer is not confirmed soon", async () => {
  const { inbox, open, store } = world();
  const requests = [1, 2].map((n) => messageOf(n, { kind: "request" }));
  for (const request of requests) {
    assertEquals(kindOf(inbox, request), "new");
    assertEquals(inbox.settleUnkept(request, HANDLED), true);
    assertEquals(kindOf(inbox, request), "done");
  }
  assertEquals(await inbox.keepUnconfirmed(), true);
  const outcomes = [...store.entries(Uint8Array.of(0x73))];
  assertEquals(outcomes.length, 0);
  inbox.forget(requests[0]!);
  assertEquals(await inbox.keepUnconfirmed(), false);
  for (const each of [inbox, open()]) {
    assertEquals(requests.map((one) => kindOf(each, one)), ["new", "done"]);
  }
});

Deno.test("what became of a request that cannot be written stays known, and the next time it is written", async () => {
  const { inbox, open, store } = world();
  const request = messageOf(1, { kind: "request" });
  assertEquals(kindOf(inbox, request), "new");
  assertEquals(inbox.settleUnkept(request, HANDLED), true);
  const { transaction } = store;
  store.transaction = () => {
    throw new StorageError("full", "no room");
  };
  await assertRejects(() => inbox.keepUnconfirmed("all"), StorageError);
  assertEquals(kindOf(inbox, request), "done");
  store.transaction = transaction.bind(store);
  assertEquals(await inbox.keepUnconfirmed(), false);
  for (const each of [inbox, open()]) {
    assertEquals(kindOf(each, request), "done");
  }
});

Deno.test("what is kept, ordered, or wants a receipt is settled before its answer leaves", async () => {
  const { inbox } = world();
  const kept = messageOf(1, { kind: "request" });
  assertEquals(kindOf(inbox, kept), "new");
  await inbox.keep(kept);
  const others = [
    ordered(0, 0, { kind: "request" }),
    messageOf(3, { kind: "request", wantsReceipts: true }),
    messageOf(4),
  ];
  for (const each of others) assertEquals(kindOf(inbox, each), "new");
  for (const each of [kept, ...others]) {
    assertEquals(inbox.settleUnkept(each, HANDLED), false);
    assertEquals(kindOf(inbox, each), "busy");
  }
});

Deno.test("more bytes of answers than can wait are settled at once", () => {
  const { inbox } = world();
  const payload = new Uint8Array(4 * 1024 * 1024);
  const isTaken = [1, 2].map((n) => {
    const request = messageOf(n, { kind: "request" });
    assertEquals(kindOf(inbox, request), "new");
    const answer = messageOf(9, { payload });
    return inbox.settleUnkept(request, { ...HANDLED, answer });
  });
  assertEquals(isTaken, [true, false]);
});

Deno.test("what was kept comes out after a restart too, the most urgent first", async () => {
  const { inbox, open } = world();
  for (const n of [1, 2]) {
    const message = messageOf(n, { priority: n === 2 ? "critical" : "low" });
    assertEquals(kindOf(inbox, message), "new");
    await inbox.keep(message);
    assertEquals(kindOf(inbox, message), "busy");
  }
  assertEquals(inbox.next()?.isAgain, false);
  const again = open();
  assertEquals([again.size, kindOf(again, messageOf(1))], [2, "busy"]);
  const first = again.next()!;
  assertEquals([first.isAgain, first.message.payload[0]], [true, 2]);
  await again.settle(first.message, HANDLED);
  assertEquals(await handledAll(again), [1]);
  assertEquals([again.size, open().size], [0, 0]);
});

Deno.test("a message whose deadline has passed is refused, unless it is done", async () => {
  const { inbox } = world();
  assertEquals(inbox.admit(messageOf(1), 10_000), {
    kind: "refused",
    reason: "expired",
  });
  assertEquals(kindOf(inbox, messageOf(1), 9_999), "new");
  await inbox.settle(messageOf(1), HANDLED);
  assertEquals(kindOf(inbox, messageOf(1), 10_000), "done");
});

Deno.test("outcomes are forgotten when no copy can be new any more", async () => {
  const { inbox, store } = world({ slackMs: 100 });
  kindOf(inbox, messageOf(1));
  await inbox.settle(messageOf(1), HANDLED);
  inbox.sweep(10_099);
  assertEquals(kindOf(inbox, messageOf(1), 9_000), "done");
  inbox.sweep(10_100);
  inbox.close();
  assertEquals([...store.entries()].length, 0);
  assertEquals(kindOf(inbox, messageOf(1), 10_100), "refused");
});

Deno.test("messages in order go to their handlers in order, one at a time", async () => {
  const { inbox } = world();
  for (const n of [2, 1]) {
    assertEquals(kindOf(inbox, ordered(n)), "held");
    await inbox.keep(ordered(n));
  }
  assertEquals(inbox.next(), undefined);
  assertEquals(kindOf(inbox, ordered(0)), "new");
  assertEquals(kindOf(inbox, messageOf(9)), "new");
  assertEquals(inbox.next(), undefined);
  await inbox.settle(ordered(0), HANDLED);
  assertEquals(await handledAll(inbox), [1, 2]);
  assertEquals(kindOf(inbox, ordered(3)), "new");
});

Deno.test("a message in order may be kept, and order holds over a restart", async () => {
  const { inbox, open } = world();
  assertEquals(kindOf(inbox, ordered(0)), "new");
  await inbox.keep(ordered(0));
  for (const n of [2, 1]) {
    kindOf(inbox, ordered(n));
    await inbox.keep(ordered(n));
  }
  assertEquals(inbox.next()?.message, ordered(0));
  assertEquals(inbox.next(), undefined);
  assertEquals(await handledAll(open()), [0, 1, 2]);
  const again = open();
  assertEquals(kindOf(again, ordered(0)), "done");
  assertEquals(kindOf(again, ordered(3)), "new");
});

Deno.test("what its sender has given up is not waited for, and too late when it comes", async () => {
  const { inbox } = world();
  for (const n of [1, 3]) {
    kindOf(inbox, ordered(n));
    await inbox.keep(ordered(n));
  }
  assertEquals(kindOf(inbox, ordered(1, 1)), "busy");
  assertEquals(await handledAll(inbox), [1]);
  assertEquals(kindOf(inbox, ordered(4, 3)), "held");
  assertEquals(await handledAll(inbox), [3]);
  assertEquals(inbox.admit(ordered(2), 1), {
    kind: "refused",
    reason: "out_of_order",
  });
  await inbox.keep(ordered(4, 3));
  assertEquals(await handledAll(inbox), [4]);
});

Deno.test("a floor that rises while a handler runs counts when it is done", async () => {
  const { inbox } = world();
  assertEquals(kindOf(inbox, ordered(0)), "new");
  assertEquals(kindOf(inbox, ordered(5, 5)), "held");
  await inbox.keep(ordered(5, 5));
  assertEquals(inbox.next(), undefined);
  await inbox.settle(ordered(0), HANDLED);
  assertEquals(await handledAll(inbox), [5]);
});

Deno.test("a message that the floor passed over goes to its handler before the one at the floor", async () => {
  const { inbox } = world();
  await inbox.keep(admitted(inbox, ordered(1)));
  assertEquals(inbox.next(), undefined);
  await inbox.keep(admitted(inbox, ordered(2, 2)));
  const first = inbox.next()!.message;
  assertEquals([first.payload[0], inbox.next()], [1, undefined]);
  await inbox.settle(first, HANDLED);
  assertEquals(await handledAll(inbox), [2]);
});

Deno.test("an inbox is full for one sender before it is for all", async () => {
  const { inbox } = world({ maxKept: 3, maxKeptOfSender: 2, maxHeld: 1 });
  const fullOf = (message: Message) => {
    const admission = inbox.admit(message, 1);
    return admission.kind === "full" ? admission.of : admission.kind;
  };
  for (const n of [1, 2]) {
    assertEquals(kindOf(inbox, messageOf(n)), "new");
    await inbox.keep(messageOf(n));
  }
  assertEquals(fullOf(messageOf(3)), "sender");
  const other = messageOf(3, { from: eve.id });
  assertEquals(kindOf(inbox, other), "new");
  await inbox.keep(other);
  assertEquals(fullOf(messageOf(4, { from: bob.id })), "all");
  await inbox.settle(inbox.next()!.message, HANDLED);
  assertEquals(kindOf(inbox, messageOf(3)), "new");
});

Deno.test("one sender gets a part of an inbox's bytes, and one message at least", async () => {
  const { inbox } = world({ maxKeptBytesOfSender: 10, maxKeptBytes: 40 });
  const kept = async (n: number, from = ana.id, bytes = 11) => {
    const message = messageOf(n, { from, payload: new Uint8Array(bytes) });
    const admission = inbox.admit(message, 1);
    if (admission.kind === "new") await inbox.keep(message);
    return admission.kind === "full" ? admission.of : admission.kind;
  };
  assertEquals(await kept(1), "new");
  assertEquals(await kept(2, ana.id, 1), "sender");
  assertEquals(await kept(2, eve.id, 20), "new");
  assertEquals(await kept(3, bob.id), "all");
  await inbox.settle(inbox.next()!.message, HANDLED);
  assertEquals(await kept(2, ana.id, 1), "new");
});

Deno.test("no more messages of a sender are held than the limit", async () => {
  const { inbox } = world({ maxHeld: 1 });
  assertEquals(kindOf(inbox, ordered(1)), "held");
  await inbox.keep(ordered(1));
  assertEquals(kindOf(inbox, ordered(2)), "full");
  assertEquals(kindOf(inbox, ordered(0)), "new");
});

Deno.test("a message whose deadline is too far is refused, as it would be remembered as long", () => {
  const { inbox } = world({ maxLifetimeMs: 100_000, slackMs: 0 });
  for (const deadlineMs of [100_002, Number.MAX_SAFE_INTEGER]) {
    assertEquals(inbox.admit(messageOf(1, { deadlineMs }), 1), {
      ...{ kind: "refused", reason: "lifetime" },
    });
  }
  assertEquals(kindOf(inbox, messageOf(1, { deadlineMs: 100_001 })), "new");
});

Deno.test("a message is with its handler until it can be written that it is not", async () => {
  const { store, inbox } = world();
  const message = messageOf(1);
  assertEquals(kindOf(inbox, message), "new");
  await inbox.keep(message);
  assertEquals(inbox.next()?.message, message);
  const { transaction } = store;
  store.transaction = () => {
    throw new StorageError("full", "no room");
  };
  await assertRejects(() => inbox.settle(message, HANDLED), StorageError);
  assertEquals([kindOf(inbox, message), inbox.next()], ["busy", undefined]);
  store.transaction = transaction.bind(store);
  await inbox.settle(message, HANDLED);
  assertEquals([kindOf(inbox, message), inbox.size], ["done", 0]);
});

Deno.test("a request that was not kept may have been with a handler if the inbox was not closed since it was made", async () => {
  const { inbox, open } = world({ slackMs: 1_000 });
  const request = messageOf(1, { kind: "request", createdMs: 900 });
  assertEquals(kindOf(inbox, request, 950), "new");
  assertEquals(inbox.isAgain(request), false);
  const cut = open();
  assertEquals(kindOf(cut, request, 2_000), "new");
  assertEquals(cut.isAgain(request), true);
  await cut.keep(request);
  assertEquals(cut.next()?.isAgain, true);
  // Whoever made it is ahead by the slack at most.
  assertEquals(
    [3_000, 3_001].map((createdMs) =>
      cut.isAgain(messageOf(2, { kind: "request", createdMs }))
    ),
    [true, false],
  );
  // What is no request is kept before a handler sees it.
  assertEquals(cut.isAgain(messageOf(2)), false);
  await cut.settle(request, HANDLED);
  cut.close();
  const closed = open();
  const other = messageOf(3, { kind: "request", createdMs: 900 });
  assertEquals(kindOf(closed, other, 2_001), "new");
  assertEquals(closed.isAgain(other), false);
  closed.close();
  const interrupted = open();
  assertEquals(kindOf(interrupted, other, 2_002), "new");
  assertEquals(interrupted.isAgain(other), true);
});

Deno.test("what a sender says of the lowest place that may still come outlives the process", async () => {
  const { inbox, open } = world();
  await inbox.keep(admitted(inbox, ordered(2)));
  assertEquals(kindOf(inbox, ordered(2, 2)), "busy");
  await Promise.resolve();
  const again = open();
  assertEquals(again.next()?.message.payload[0], 2);
  await again.settle(ordered(2), HANDLED);
  assertEquals(kindOf(open(), ordered(3)), "new");
  const late = open();
  await late.keep(admitted(late, ordered(5, 4)));
  assertEquals(await handledAll(open()), []);
  await late.keep(admitted(late, ordered(4, 4)));
  assertEquals(await handledAll(open()), [4, 5]);
});

Deno.test("a message that waits for one before it is let go at its deadline, and that one may still come", async () => {
  const { inbox } = world();
  await inbox.keep(admitted(inbox, ordered(1)));
  inbox.sweep(9_999);
  assertEquals(await handledAll(inbox), []);
  inbox.sweep(10_000);
  assertEquals(await handledAll(inbox), [1]);
  assertEquals([inbox.size, kindOf(inbox, ordered(1))], [0, "done"]);
  const first = ordered(0, 0, { deadlineMs: 20_000 });
  assertEquals(kindOf(inbox, first), "new");
});
