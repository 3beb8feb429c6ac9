import { assert, assertEquals, assertLess } from "@std/assert";
import { decodeHex, utf8 } from "../../../src/core/bytes/mod.ts";
import { ByteBudget } from "../../../src/dtn/cla/byte_budget.ts";
import { transferLengthItem } from "../../../src/dtn/tcpcl/extension_item.ts";
import { LoneSession } from "./_session_pair.ts";

const GIGABYTES_100 = 100 * 2 ** 30;

Deno.test("a bundle announced with 100 GB is refused at its first segment, and costs nothing", () => {
  const budget = new ByteBudget(2 ** 28);
  const lone = opened({ budget });
  const extensions = [transferLengthItem(GIGABYTES_100)];
  const data = new Uint8Array(1_000_000);
  assertEquals(lone.segment(0n, data, { end: false, extensions }), []);
  assertEquals(lone.hear(), [
    { type: "XFER_REFUSE", reason: "notAcceptable", transferId: 0n },
  ]);
  assertEquals(budget.taken, 0);
  lone.segment(0n, data, { start: false, end: false });
  lone.segment(0n, data, { start: false });
  assertEquals(lone.hear(), []);
  assertEquals(takes(lone, 1n), true, "the session lives on");
  assertEquals(lone.session.refused, 1);
});

Deno.test("a bundle that grows beyond the transfer MRU without announcing it is refused when it does", () => {
  const budget = new ByteBudget(2 ** 28);
  const lone = opened({ budget, transferMruBytes: 1_000_000 });
  const data = new Uint8Array(300_000);
  lone.segment(0n, data, { end: false });
  for (let i = 0; i < 9; i++) {
    lone.segment(0n, data, { start: false, end: false });
    assertLess(budget.taken, 2_000_001);
  }
  const said = lone.hear();
  assertEquals(said.map(({ type }) => type), ["XFER_REFUSE"]);
  assertEquals(budget.taken, 0);
  assertEquals(takes(lone, 1n), true);
});

Deno.test("a segment longer than the segment MRU ends the session before its data", () => {
  const lone = opened({ segmentMruBytes: 1_000 });
  const head = decodeHex("0103" + "00".repeat(12) + "0000001900000000");
  const [ended] = lone.say(head);
  assertEquals(ended?.type === "ended" && ended.error?.code, "limit");
  assertEquals(lone.hear(), [
    { type: "MSG_REJECT", reason: "unsupported", messageType: 1 },
  ]);
});

Deno.test("an announced length takes room only as data come", () => {
  const budget = new ByteBudget(2 ** 28);
  const lone = opened({ budget });
  const extensions = [transferLengthItem(2 ** 27)];
  lone.segment(0n, new Uint8Array(10_000), { end: false, extensions });
  assertEquals(budget.taken, 20_000);
});

Deno.test("a bundle that stops coming gives its room back, however alive its sender is", () => {
  const budget = new ByteBudget(2 ** 28);
  const lone = opened({ budget, stallTimeoutMs: 5_000 });
  lone.segment(0n, new Uint8Array(10_000), { end: false });
  lone.hear();
  lone.now = 4_000;
  lone.segment(0n, new Uint8Array(1), { start: false, end: false });
  lone.hear();
  assertEquals(lone.session.nextTickMs, 9_000);
  lone.session.pause();
  assertEquals(lone.session.nextTickMs, 604_000);
  lone.session.resume(6_000);
  lone.now = 10_999;
  lone.say({ type: "KEEPALIVE" });
  lone.session.tick(lone.now);
  assertEquals(lone.hear(), []);
  lone.now = 11_000;
  lone.session.tick(lone.now);
  assertEquals(lone.hear(), [
    { type: "XFER_REFUSE", reason: "retransmit", transferId: 0n },
  ]);
  assertEquals(budget.taken, 0);
  assertEquals(lone.session.nextTickMs, 604_000);
  lone.segment(0n, new Uint8Array(1), { start: false });
  assertEquals(takes(lone, 1n), true);
});

Deno.test("a bundle that is not of the announced length is refused", () => {
  for (const [announced, sent] of [[5, 4], [5, 6]] as const) {
    const lone = opened();
    const extensions = [transferLengthItem(announced)];
    lone.segment(0n, utf8("ab"), { end: false, extensions });
    lone.hear();
    lone.segment(0n, new Uint8Array(sent - 2), { start: false });
    assertEquals(lone.hear(), [
      { type: "XFER_REFUSE", reason: "notAcceptable", transferId: 0n },
    ]);
    assertEquals(takes(lone, 1n), true);
  }
});

Deno.test("when the layer's room is used up, bundles are refused until it is free again", () => {
  const budget = new ByteBudget(10_000);
  const [one, two] = [opened({ budget }), opened({ budget })];
  one.segment(0n, new Uint8Array(9_000));
  two.segment(0n, new Uint8Array(9_000));
  assertEquals(two.hear(), [
    { type: "XFER_REFUSE", reason: "noResources", transferId: 0n },
  ]);
  one.session.accept(0n, 0);
  assertEquals(budget.taken, 0);
  assertEquals(takes(two, 1n, 9_000), true);
  two.segment(2n, new Uint8Array(9_000));
  two.session.abandon();
  assertEquals(budget.taken, 0, "a session that is gone holds nothing");
});

Deno.test("a critical transfer extension that we do not know is refused, another is nothing", () => {
  const lone = opened();
  const value = utf8("?");
  for (const critical of [true, false]) {
    const extensions = [{ critical, type: 0x7777, value }];
    const events = lone.segment(critical ? 0n : 1n, utf8("x"), { extensions });
    assertEquals(events.length, critical ? 0 : 1);
  }
  assertEquals(lone.hear(), [
    { type: "XFER_REFUSE", reason: "extensionFailure", transferId: 0n },
  ]);
});

Deno.test("what is out of place is rejected and ends the session", () => {
  const ack = { type: "XFER_ACK", start: true, end: true } as const;
  const cases: [string, (lone: LoneSession) => unknown, number][] = [
    ["a second SESS_INIT", (lone) => lone.open(), 7],
    [
      "a segment of no transfer",
      (lone) => lone.segment(3n, utf8("x"), { start: false }),
      1,
    ],
    ["a segment of another transfer", (lone) => {
      lone.segment(3n, utf8("x"), { end: false });
      lone.segment(4n, utf8("x"), { start: false });
    }, 1],
    ["a transfer inside another", (lone) => {
      lone.segment(3n, utf8("x"), { end: false });
      lone.segment(4n, utf8("x"));
    }, 1],
    ["an id that is in use", (lone) => {
      lone.segment(3n, utf8("x"));
      lone.segment(3n, utf8("x"));
    }, 1],
    [
      "an acknowledgement of nothing",
      (lone) => lone.say({ ...ack, transferId: 0n, ackedLength: 0 }),
      2,
    ],
    ["an acknowledgement of unsent bytes", (lone) => {
      const transferId = lone.session.send(utf8("abc"));
      lone.hear();
      lone.say({ ...ack, transferId, ackedLength: 4 });
    }, 2],
    ["an acknowledgement of a bundle that waits", (lone) => {
      const transferId = lone.session.send(utf8("abc"));
      lone.say({ ...ack, transferId, ackedLength: 3 });
    }, 2],
    [
      "a refusal of nothing",
      (lone) =>
        lone.say({ type: "XFER_REFUSE", transferId: 9n, reason: "unknown" }),
      3,
    ],
  ];
  for (const [what, act, messageType] of cases) {
    const lone = opened();
    act(lone);
    assertEquals(lone.session.state, "ended", what);
    const rejection = lone.hear().find(({ type }) => type === "MSG_REJECT");
    assertEquals(rejection, {
      type: "MSG_REJECT",
      reason: "unexpected",
      messageType,
    }, what);
  }
});

Deno.test("what comes before SESS_INIT, or is no message, is rejected and ends the session", () => {
  for (
    const [hex, reason, messageType] of [
      ["04", "unexpected", 4],
      ["0103", "", 0],
      ["00", "typeUnknown", 0],
      ["485454502f312e31", "typeUnknown", 0x48],
    ] as const
  ) {
    const lone = new LoneSession(false);
    lone.say(decodeHex(hex));
    assertEquals(
      lone.hear(),
      reason === "" ? [] : [{ type: "MSG_REJECT", reason, messageType }],
    );
  }
});

Deno.test("a peer's MSG_REJECT, and SESS_TERM in the place of SESS_INIT, end the session", () => {
  const rejected = opened();
  const [event] = rejected.say(decodeHex("060301"));
  assertEquals(event?.type === "ended" && event.error?.code, "rejected");
  const refused = new LoneSession(true);
  const [ended] = refused.say(decodeHex("050003"));
  assertEquals(ended?.type === "ended" && ended.error?.code, "refused");
});

Deno.test("a transfer that starts after the peer's SESS_TERM is a violation", () => {
  const lone = opened();
  lone.segment(0n, utf8("x"), { end: false });
  lone.say({ type: "SESS_TERM", reply: false, reason: "unknown" });
  assertEquals(lone.segment(0n, utf8("y"), { start: false }).length, 1);
  lone.segment(1n, utf8("z"));
  assertEquals(lone.session.state, "ended");
});

Deno.test("a peer that reads nothing cannot make us hold answers without end", () => {
  const lone = opened();
  let segments = 0;
  lone.segment(0n, utf8("x"), { end: false });
  while (lone.session.wantsInput) {
    lone.segment(0n, utf8("x"), { start: false, end: false });
    segments++;
  }
  assertLess(segments, 5_000);
  assert(lone.hear().length > 4_000);
  assertEquals(lone.session.wantsInput, true);
});

function opened(tweaks?: ConstructorParameters<typeof LoneSession>[1]) {
  const lone = new LoneSession(false, tweaks);
  lone.open();
  lone.hear();
  return lone;
}

/** Whether the session takes a bundle of `size` bytes. */
function takes(lone: LoneSession, id: bigint, size = 10): boolean {
  const bytes = new Uint8Array(size).fill(7);
  const [event] = lone.segment(id, bytes);
  lone.session.accept(id, 0);
  assertEquals(lone.hear().map(({ type }) => type), ["XFER_ACK"]);
  return event?.type === "bundle" && event.bytes.length === size;
}
