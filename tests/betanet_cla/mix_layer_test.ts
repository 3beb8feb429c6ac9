import { assertEquals, assertRejects } from "@std/assert";
import { ContactError } from "../../src/dtn/cla/contact_error.ts";
import type { Contact } from "../../src/dtn/cla/convergence_layer.ts";
import { testConvergenceLayer } from "../compliance/convergence_layer.ts";
import { accepting, MixNodeWorld, MixPair } from "./_mix_node_world.ts";

const SLOW = { packetsPerSecond: 5 };

testConvergenceLayer("mix over a mixnet in memory that loses packets", () => {
  const pair = new MixPair(
    { loss: 0.02 },
    { sending: { maxCount: 64, maxBytes: 150_000 } },
  );
  return {
    dialer: pair.dialer,
    listener: pair.listener,
    listenAt: "mix:",
    isOneWay: true,
    acknowledges: true,
    holdsBack: true,
    reorders: true,
    maxBundleBytes: 1_048_286,
    manyBundles: 100,
    maxBufferedBytes: 200_000,
  };
});

Deno.test("nodes that trust each other send both ways over one contact, with a tenth of packets lost at each hop", async () => {
  await using world = new MixNodeWorld({ loss: 0.1 });
  const near = world.peer("east", { nodeId: "dtn://near/" });
  const far = world.peer("west", {
    trusted: new Map([["dtn://near/", near.client.address]]),
  });
  const listener = await far.layer.listen(far.layer.address);
  const there = await near.layer.dial(far.layer.address);
  const back = await taken(listener);
  assertEquals(back.peerNodeId, "dtn://near/");
  assertEquals(back.remoteAddress, near.layer.address);
  const got = [accepting(back), accepting(there)];
  const sizes = [0, 1, 3_000, 9_000];
  const sent = sizes.map((size) => new Uint8Array(size).fill(size));
  const outcomes = await Promise.all(
    sent.flatMap((each) => [there.send(each), back.send(each)]),
  );
  assertEquals(outcomes, outcomes.map(() => ({ kind: "acknowledged" })));
  for (const bundles of got) {
    assertEquals(bundles.sort((a, b) => a.length - b.length), sent);
  }
  await Promise.all([back.end(), there.closed]);
});

Deno.test("a name counts only if it is trusted, and nothing can be sent to who is not", async () => {
  await using world = new MixNodeWorld();
  const near = world.peer("east", { nodeId: "dtn://near/" });
  const far = world.peer("west", {
    trusted: new Map([["dtn://other/", near.client.address]]),
  });
  const listener = await far.layer.listen(far.layer.address);
  await near.layer.dial(far.layer.address);
  const back = await taken(listener);
  assertEquals(back.peerNodeId, undefined);
  assertEquals(back.remoteAddress, "mix:");
  const error = await assertRejects(
    () => back.send(new Uint8Array(1)),
    ContactError,
  );
  assertEquals(error.code, "tooLarge");
});

Deno.test("bundles wait in the mailbox of a node that is away", async () => {
  await using world = new MixNodeWorld(SLOW);
  const near = world.peer("east");
  const far = world.peer("west");
  await world.pass(1_000);
  world.mixnet.cut("west");
  const contact = await near.layer.dial(far.layer.address);
  const sending = contact.send(Uint8Array.of(7));
  await world.pass(120_000);
  assertEquals(contact.counts.sent, 0);
  world.mixnet.heal("west");
  const listener = await far.layer.listen(far.layer.address);
  accepting(await taken(listener));
  assertEquals(await sending, { kind: "acknowledged" });
});

Deno.test("a contact ends when its peer lets a bundle time out, and that peer must answer before there is another", async () => {
  await using world = new MixNodeWorld(SLOW);
  const times = { attemptTimeoutMs: 20_000, answerTimeoutMs: 50_000 };
  const near = world.peer("east", { ...times, openTimeoutMs: 10_000 });
  const far = world.peer("west");
  const contact = await near.layer.dial(far.layer.address);
  far.layer[Symbol.dispose]();
  const code = async (work: () => Promise<unknown>) =>
    (await assertRejects(work, ContactError)).code;
  assertEquals(await code(() => contact.send(Uint8Array.of(7))), "timeout");
  await contact.closed;
  assertEquals(contact.counts.bytesOut > 3 * 36, true, "several attempts");
  assertEquals(
    await code(() => near.layer.dial(far.layer.address)),
    "timeout",
  );
});

Deno.test("contacts end when the link to our gateway is gone, and none begins until it is back", async () => {
  await using world = new MixNodeWorld(SLOW);
  const near = world.peer("east", { openTimeoutMs: 20_000 });
  const far = world.peer("west");
  const contact = await near.layer.dial(far.layer.address);
  world.mixnet.cut("east");
  const error = await assertRejects(
    () => contact.send(Uint8Array.of(1)),
    ContactError,
  );
  assertEquals(error.code, "disconnected");
  const late = await assertRejects(
    () => near.layer.dial(far.layer.address),
    ContactError,
  );
  assertEquals(late.code, "timeout");
  world.mixnet.heal("east");
  const listener = await far.layer.listen(far.layer.address);
  void (async () => {
    for await (const each of listener) accepting(each);
  })();
  const again = await near.layer.dial(far.layer.address);
  assertEquals(await again.send(Uint8Array.of(1)), { kind: "acknowledged" });
});

Deno.test("dial() wants mix: and a mix address, listen() its own and once", async () => {
  await using world = new MixNodeWorld(SLOW);
  const { layer } = world.peer("east");
  for (const address of ["mix:", "mix:betanet-mix:AAAA", "tcpcl://a:1"]) {
    const error = await assertRejects(() => layer.dial(address), ContactError);
    assertEquals(error.code, "unreachable");
  }
  await assertRejects(() => layer.listen("mix:elsewhere"), RangeError);
  await layer.listen(layer.address);
  await assertRejects(() => layer.listen(layer.address), Error, "already");
});

async function taken(contacts: AsyncIterable<Contact>): Promise<Contact> {
  return (await contacts[Symbol.asyncIterator]().next()).value;
}
