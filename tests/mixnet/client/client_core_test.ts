import { assert, assertEquals, assertThrows } from "@std/assert";
import { utf8 } from "../../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import { noClientDrops } from "../../../src/mixnet/client/client_counts.ts";
import type { ClientEvent } from "../../../src/mixnet/client/client_event.ts";
import { CLIENT_LIMITS } from "../../../src/mixnet/client/client_limits.ts";
import { MixClientError } from "../../../src/mixnet/client/error.ts";
import { encodePacketBody } from "../../../src/mixnet/client/packet_body.ts";
import { seal } from "../../../src/mixnet/client/seal.ts";
import { REGULAR } from "../../../src/mixnet/sphinx/geometry.ts";
import { type Brought, CoreWorld } from "./_core_world.ts";

const ZERO = new Uint8Array(16);
const DAY_MS = 86_400_000;
const BODY_LENGTH = REGULAR.messageLength - 400 - 48;

Deno.test("a message of three fragments arrives, is sent, and leaves nothing behind", () => {
  const { world, alice, bob } = start();
  const key = alice.core.send(
    bob.address,
    new Uint8Array(4_000).fill(7),
    { deadlineMs: DAY_MS },
    world.at,
  );
  world.step(3);
  const [message] = bob.events();
  assert(message?.kind === "message");
  assertEquals(message.bytes, new Uint8Array(4_000).fill(7));
  assertEquals(message.canReply, false);
  assertEquals(alice.events(), [{ kind: "sent", key }]);
  assertEquals(alice.core.counts.queuedPackets, 0);
  assertEquals(alice.store.usage().entries, 0);
  bob.core.taken(message.key, world.at);
  assertEquals(bob.core.counts.heldBytes, 0);
});

Deno.test("a request gets a long reply, and each side learns the end", () => {
  const { world, alice, bob } = start();
  const key = ask(world, alice, bob);
  const [message] = bob.events();
  assert(message?.kind === "message" && message.canReply);
  const reply = crypto.random(30_000);
  bob.core.reply(message.key, reply, world.at);
  for (let i = 0; i < 60; i++) world.step();
  assertEquals(
    alice.events().filter(({ kind }) => kind === "reply"),
    [{ kind: "reply", key, bytes: reply }],
  );
  assertEquals(bob.events(), [{ kind: "replied", key }]);
  assert(alice.core.isIdle && bob.core.isIdle);
});

Deno.test("a reply under way outlives a restart of the replier that had taken the message", () => {
  const { world, alice, bob } = start();
  const key = ask(world, alice, bob);
  const [message] = bob.events() as [ClientEvent & { kind: "message" }];
  bob.core.taken(message.key, world.at);
  const reply = crypto.random(30_000);
  bob.core.reply(message.key, reply, world.at);
  world.step(2);
  bob.restart();
  assertEquals(bob.core.isIdle, false);
  for (let i = 0; i < 100; i++) world.step();
  assertEquals(
    alice.events().filter(({ kind }) => kind === "reply"),
    [{ kind: "reply", key, bytes: reply }],
  );
  assertEquals(bob.events(), [{ kind: "replied", key }]);
  assert(bob.core.isIdle);
});

Deno.test("a request is not asked again after a restart of the requester, which nobody waits for", () => {
  const { world, alice, bob } = start();
  const sent = ask(world, alice, bob);
  assertEquals(sent.length, 32);
  alice.restart();
  assertEquals(alice.core.isIdle, true);
  const [message] = bob.events() as [ClientEvent & { kind: "message" }];
  bob.core.reply(message.key, utf8("reply"), world.at);
  world.step(10);
  assertEquals(alice.events(), []);
  assertEquals(alice.core.counts.dropped.unknown_surb, 1);
  world.pass(CLIENT_LIMITS.replies.keepMs);
  assertEquals(bob.events(), [{
    kind: "failed",
    key: message.key,
    code: "expired",
  }]);
  assertEquals(bob.store.entries(utf8("r")).next().done, true);
});

Deno.test("a request ends with its reply alone, though that comes together with the last acknowledgement", () => {
  const { world, alice, bob } = start();
  const key = ask(world, alice, bob);
  const [message] = bob.events() as [ClientEvent & { kind: "message" }];
  bob.core.reply(message.key, utf8("!"), world.at);
  world.step();
  assertEquals(
    alice.events(),
    [{ kind: "reply", key, bytes: utf8("!") }],
  );
});

Deno.test("what send() and reply() were given may be written over", () => {
  const { world, alice, bob } = start();
  const bytes = utf8("as it was");
  const address = { ...bob.address, clientId: bob.address.clientId.slice() };
  alice.core.send(address, bytes, { deadlineMs: DAY_MS }, world.at);
  bytes.fill(0);
  address.clientId.fill(0);
  world.step();
  const [message] = bob.events();
  assert(message?.kind === "message");
  assertEquals(message.bytes, utf8("as it was"));
});

Deno.test("a message to a gateway that no route leads to stops no other, and fails as no_route", () => {
  const { world, alice, bob } = start();
  const far = world.client();
  world.cut.add(far.address.gatewayId.toHex());
  const options = { deadlineMs: 10_000 };
  const keys = Array.from(
    { length: 3 },
    () => alice.core.send(far.address, crypto.random(3_000), options, world.at),
  );
  const key = alice.core.send(bob.address, utf8("near"), options, world.at);
  world.send(alice.core);
  assertEquals(alice.events(), [{ kind: "sent", key }]);
  assertEquals(bob.events().length, 1);
  world.cut.delete(far.address.gatewayId.toHex());
  world.send(alice.core);
  world.cut.add(far.address.gatewayId.toHex());
  world.step(10);
  world.pass(10_000);
  assertEquals(
    alice.events(),
    keys.map((key) => ({ kind: "failed", key, code: "no_route" })),
  );
  assertEquals(alice.core.counts.queuedPackets, 0);
});

Deno.test("cover ends at each gateway as often, where nobody gets it, and comes back as an acknowledgement or not at all", () => {
  const { world, alice, bob } = start();
  const gateways = [alice, bob].map(({ address }) => address.gatewayId);
  for (let i = 0; i < 100; i++) world.send(alice.core);
  assertEquals(world.cover.size, 2);
  for (const gateway of gateways) {
    const { message, reply } = world.cover.get(gateway.toHex())!;
    assert(message > 30 && message < 70, `${message}`);
    assert(reply > 30 && reply < 70, `${reply}`);
  }
  assertEquals(bob.brought, []);
  assertEquals(alice.brought.length, 100);
  const { coverPackets, realPackets, surbsGiven, dropped, loops } =
    alice.core.counts;
  assertEquals([coverPackets, realPackets, surbsGiven], [200, 0, 0]);
  assertEquals(dropped, noClientDrops());
  assertEquals(loops.sent, 0);
});

Deno.test("without any route nothing leaves, and that is counted", () => {
  const { world, alice, bob } = start();
  world.cut.add(alice.address.gatewayId.toHex());
  alice.core.send(bob.address, utf8("?"), { deadlineMs: DAY_MS }, world.at);
  for (const slot of ["message", "reply", "loop"] as const) {
    assertEquals(alice.core.next(slot, world.at), undefined);
  }
  assertEquals(alice.core.counts.dropped.no_route, 3);
  assertEquals(alice.core.counts.realPackets, 0);
});

Deno.test("an address that is none is refused at once", () => {
  const { world, alice, bob } = start();
  const short = { ...bob.address, clientId: new Uint8Array(31) };
  for (const wantsReply of [false, true]) {
    const options = { deadlineMs: DAY_MS, wantsReply };
    assertThrows(
      () => alice.core.send(short, utf8("?"), options, world.at),
      RangeError,
    );
  }
  assert(alice.core.isIdle);
});

Deno.test("pings are bounded, and one that is cancelled makes room", () => {
  const { world, alice } = start();
  const keys = Array.from(
    { length: CLIENT_LIMITS.maxPings },
    () => alice.core.ping(),
  );
  const error = assertThrows(() => alice.core.ping(), MixClientError);
  assertEquals(error.code, "queue_full");
  alice.core.cancel(keys[0]!);
  keys.push(alice.core.ping());
  world.step(CLIENT_LIMITS.maxPings + 1);
  assertEquals(
    alice.events().map(({ kind, key }) => [kind, key]),
    keys.slice(1).map((key) => ["pong", key]),
  );
});

Deno.test("a gateway that brings everything twice, in any order, changes nothing", () => {
  const { world, alice, bob } = start();
  const held: Brought[] = [];
  bob.bring = (brought) => void held.push(brought);
  const text = crypto.random(20_000);
  const key = alice.core.send(
    bob.address,
    text,
    { deadlineMs: DAY_MS },
    world.at,
  );
  world.step(14);
  for (const { identifier, payload } of [...held, ...held].reverse()) {
    bob.core.receive(identifier, payload.slice(), world.at);
  }
  assertEquals(alice.events(), [{ kind: "sent", key }]);
  const events = bob.events();
  assertEquals(events.map(({ kind }) => kind), ["message"]);
  assert(events[0]?.kind === "message");
  assertEquals(events[0].bytes, text);
  bob.core.taken(events[0].key, world.at);
  for (const { identifier, payload } of held) {
    bob.core.receive(identifier, payload.slice(), world.at);
  }
  assertEquals(bob.events(), []);
  assertEquals(bob.core.counts.heldBytes, 0);
  assertEquals(bob.core.counts.fragments.duplicate, 2 * 13);
});

Deno.test("a gateway that gives demands again gets no reply packet twice, nor one more", () => {
  const { world, alice, bob } = start();
  ask(world, alice, bob);
  const [message] = bob.events() as [ClientEvent & { kind: "message" }];
  bob.core.reply(message.key, crypto.random(20_000), world.at);
  const before = bob.core.counts.realPackets;
  const seen = new Set<string>();
  for (let i = 0; i < 40; i++) {
    world.send(alice.core);
    for (const { identifier, payload } of bob.brought.slice(-20)) {
      bob.core.receive(identifier, payload.slice(), world.at);
    }
    for (const packet of world.send(bob.core)) {
      const header = packet.subarray(0, 32).toHex();
      assert(!seen.has(header));
      seen.add(header);
    }
    world.pass(100);
  }
  assertEquals(alice.events().filter(({ kind }) => kind === "reply").length, 1);
  const sent = bob.core.counts.realPackets - before;
  assertEquals(sent, 10 + bob.core.counts.replies.resent);
  assert(bob.core.counts.replies.surbsDropped > 0);
});

Deno.test("a gateway that brings garbage, or garbage under ids of our SURBs, gets it dropped and counted", () => {
  const { world, alice, bob } = start();
  const garbage = () => crypto.random(REGULAR.payloadLength);
  alice.core.receive(ZERO, garbage(), world.at);
  alice.core.receive(crypto.random(16), garbage(), world.at);
  assertEquals(alice.core.counts.dropped.unsealable, 1);
  assertEquals(alice.core.counts.dropped.unknown_surb, 1);
  const key = alice.core.send(
    bob.address,
    utf8("hello"),
    { deadlineMs: DAY_MS },
    world.at,
  );
  alice.bring = ({ identifier }) => {
    alice.core.receive(identifier, garbage(), world.at);
  };
  world.send(alice.core);
  assertEquals(alice.core.counts.dropped.malformed, 1);
  assertEquals(alice.events(), []); // no forged acknowledgement
  alice.bring = ({ identifier, payload }) => {
    alice.core.receive(identifier, payload, world.at);
  };
  world.pass(60_000);
  world.send(alice.core);
  assertEquals(alice.events(), [{ kind: "sent", key }]);
  assertEquals(bob.events().length, 1);
});

Deno.test("what is sealed to us and malformed, a loop that is not ours and a demand for nothing are dropped and counted", () => {
  const { world, bob } = start();
  const give = (plain: Uint8Array) => {
    const payload = new Uint8Array(REGULAR.payloadLength);
    payload.set(seal(crypto, bob.address.sealKey, plain));
    assertEquals(bob.core.receive(ZERO, payload, world.at), true);
  };
  give(new Uint8Array(BODY_LENGTH).fill(9));
  give(
    encodePacketBody(BODY_LENGTH, { kind: "loop", nonce: crypto.random(16) }),
  );
  give(encodePacketBody(BODY_LENGTH, {
    kind: "demand",
    messageId: crypto.random(16),
    next: 0,
    later: new Uint8Array(32),
    surbs: [],
  }));
  const { dropped, replies } = bob.core.counts;
  assertEquals(dropped.malformed, 1);
  assertEquals(dropped.unknown_loop, 1);
  assertEquals(replies.unknownDemands, 1);
  assertEquals(bob.events(), []);
});

Deno.test("who opens thousands of messages and ends none leaves bounded memory, and others their messages", () => {
  const { world, alice, bob } = start({
    inbox: { ...CLIENT_LIMITS.inbox, maxMessages: 20, maxBytes: 40_000 },
  });
  const text = crypto.random(8_000);
  alice.core.send(bob.address, text, { deadlineMs: DAY_MS }, world.at);
  for (let i = 0; i < 6; i++) {
    for (let j = 0; j < 19; j++) flood(world, bob);
    world.send(alice.core);
  }
  const events = bob.events();
  assertEquals(events.map(({ kind }) => kind), ["message"]);
  assert(bob.core.counts.heldBytes <= 40_000);
  for (let i = 0; i < 2_000; i++) flood(world, bob);
  assert(bob.core.counts.heldBytes <= 40_000);
  assert(bob.store.usage().entries <= 40, `${bob.store.usage().entries}`);
  assert(bob.core.counts.fragments.evicted > 2_000);
});

Deno.test("SURBs given away are bounded: the oldest are forgotten and counted", () => {
  const { world, alice, bob } = start({ maxSurbs: 5, maxLoops: 3 });
  bob.bring = alice.bring = () => {};
  for (let i = 0; i < 12; i++) alice.core.next("loop", world.at);
  const { surbsGiven, surbsEvicted, loops } = alice.core.counts;
  assertEquals([surbsGiven, surbsEvicted], [5, 7]);
  assertEquals(loops.lost, 9);
});

Deno.test("SURBs of an epoch that has ended are forgotten by who gave them, and after such silence by who got them", () => {
  const { world, alice, bob } = start();
  const key = ask(world, alice, bob, { deadlineMs: DAY_MS });
  const [message] = bob.events() as [ClientEvent & { kind: "message" }];
  const given = alice.core.counts.surbsGiven;
  assert(given >= 3);
  alice.bring = bob.bring = () => {}; // away for two hours
  for (let i = 0; i < 2 * 60; i++) world.pass(60_000);
  alice.bring = ({ identifier, payload }) => {
    alice.core.receive(identifier, payload, world.at);
  };
  bob.bring = ({ identifier, payload }) => {
    bob.core.receive(identifier, payload, world.at);
  };
  assertEquals(alice.core.counts.surbsGiven, 0);
  const fault = assertThrows(
    () => bob.core.reply(message.key, utf8("late"), world.at),
    MixClientError,
  );
  assertEquals(fault.code, "expired"); // nobody asked in all that time
  assertEquals(alice.events(), []);
  world.send(alice.core); // goes on asking, by fresh SURBs
  assert(alice.core.counts.surbsGiven >= 3);
  alice.core.cancel(key);
});

Deno.test("a requester that goes on asking gets a reply two epochs later, by SURBs of then", () => {
  const { world, alice, bob } = start();
  const key = ask(world, alice, bob, { deadlineMs: DAY_MS });
  const [message] = bob.events() as [ClientEvent & { kind: "message" }];
  for (let i = 0; i < 2 * 60 * 2; i++) world.step(1, 30_000);
  bob.core.reply(message.key, utf8("two hours late"), world.at);
  world.step(4);
  assertEquals(
    alice.events().filter(({ kind }) => kind === "reply"),
    [{ kind: "reply", key, bytes: utf8("two hours late") }],
  );
});

function start(limits = {}) {
  const world = new CoreWorld(crypto);
  return { world, alice: world.client(limits), bob: world.client(limits) };
}

/** Alice's request, which Bob gets; gives its key. */
function ask(
  world: CoreWorld,
  alice: ReturnType<CoreWorld["client"]>,
  bob: ReturnType<CoreWorld["client"]>,
  options = { deadlineMs: 3_600_000 },
): string {
  const key = alice.core.send(
    bob.address,
    utf8("?"),
    { ...options, wantsReply: true },
    world.at,
  );
  world.send(alice.core);
  return key;
}

/** The first fragment of a message that is never whole. */
function flood(
  world: CoreWorld,
  { core, address }: ReturnType<CoreWorld["client"]>,
) {
  const payload = new Uint8Array(REGULAR.payloadLength);
  const body = encodePacketBody(BODY_LENGTH, {
    kind: "fragment",
    messageId: crypto.random(16),
    index: 0,
    count: 2,
    surbs: [],
    bytes: crypto.random(1_000),
  });
  payload.set(seal(crypto, address.sealKey, body));
  core.receive(ZERO, payload, world.at);
}
