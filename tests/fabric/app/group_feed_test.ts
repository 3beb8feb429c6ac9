import { assertEquals, assertRejects } from "@std/assert";
import {
  AgentGroups,
  type Fabric,
  type Follower,
  type Group,
  type GroupSettings,
  MlsGroupCrypto,
  type Published,
} from "../../../src/fabric/mod.ts";
import { crypto } from "../_agents.ts";
import { FabricWorld, keptOf } from "../_fabric_world.ts";

const mls = new MlsGroupCrypto(crypto);
const TIMES = { ackMs: 500, tipMs: 5_000, retryMs: 500, turnMs: 500 };

function settings(
  onInvitation: GroupSettings["onInvitation"],
): { groups: GroupSettings } {
  return {
    groups: { mls, times: TIMES, ...onInvitation && { onInvitation } },
  };
}

/** An application that keeps what it gets, and says when it is done. */
class Reader implements Follower {
  readonly got: { published: Published; done: () => void }[] = [];
  readonly events: string[] = [];

  published(published: Published, done: () => void): void {
    this.got.push({ published, done });
  }

  happened({ kind }: { readonly kind: string }): void {
    this.events.push(kind);
  }

  ended(): void {
    this.events.push("ended");
  }

  get values(): unknown[] {
    return this.got.map(({ published }) => published.value);
  }
}

/** Ana has a group in which Bob, who is asked about invitations, is. */
async function pair(world: FabricWorld): Promise<{
  readonly hers: Group;
  readonly his: Group;
  readonly bob: Fabric;
}> {
  const ana = await world.start("ana", "hill", settings(undefined));
  const { fabric: bob } = await world.start(
    ...["bob", "dale", settings(() => "later")] as const,
  ).then((node) => {
    world.introduce(ana, node);
    return node;
  });
  const hers = await world.settle(ana.fabric.groups.create({ kind: "open" }));
  await world.settle(hers.invite(bob.agent.id));
  await world.dtn.until(() => bob.groups.invitations.length === 1);
  await world.settle(bob.groups.accept(hers.id));
  await world.dtn.until(() => bob.groups.get(hers.id)?.isMember === true);
  return { hers, his: bob.groups.get(hers.id)!, bob };
}

Deno.test("an invitation waits over a restart until it is accepted; one that is declined is forgotten", async () => {
  await using world = new FabricWorld();
  const kept = keptOf();
  const ana = await world.start("ana", "hill", settings(undefined));
  const ask = settings(() => "later");
  const bob = await world.start("bob", "dale", ask, kept);
  world.introduce(ana, bob);
  const { groups } = ana.fabric;
  const wanted = await world.settle(groups.create({ kind: "open", name: "a" }));
  const other = await world.settle(groups.create({ kind: "open", name: "b" }));
  for (const group of [wanted, other]) {
    await world.settle(group.invite(bob.fabric.agent.id));
  }
  await world.dtn.until(() => bob.fabric.groups.invitations.length === 2);
  await world.settle(Promise.resolve(bob[Symbol.asyncDispose]()));
  await world.settle(Promise.resolve(bob.bundles[Symbol.asyncDispose]()));
  const again = await world.start("bob", "dale", ask, kept);
  world.introduce(ana, again);
  again.fabric.start();
  const his = again.fabric.groups;
  assertEquals(
    his.invitations.map(({ rules, from }) => [rules.name, `${from}`]).sort(),
    ["a", "b"].map((name) => [name, `${ana.fabric.agent.id}`]),
  );
  his.decline(other.id);
  await world.settle(his.accept(wanted.id));
  assertEquals(his.invitations, []);
  await world.dtn.until(() => his.get(wanted.id)?.isMember === true);
  assertEquals(his.get(other.id), undefined);
  await world.settle(
    assertRejects(() => his.accept(other.id), RangeError, "No such invitation"),
  );
});

Deno.test("who is invited twice, and by two members, is in the group once", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill", settings(undefined));
  const bob = await world.start("bob", "dale", settings(() => true));
  const cat = await world.start("cat", "glen", settings(() => "later"));
  world.introduce(ana, bob, cat);
  const { id } = cat.fabric.agent;
  const hers = await world.settle(ana.fabric.groups.create({ kind: "open" }));
  await world.settle(hers.invite(bob.fabric.agent.id));
  const at = ({ fabric }: typeof ana) => fabric.groups.get(hers.id);
  await world.dtn.until(() => at(bob)?.isMember === true);
  const { groups } = cat.fabric;
  await world.settle(Promise.all([hers.invite(id), at(bob)!.invite(id)]));
  await world.dtn.until(() => groups.invitations.length === 2);
  const both = groups.invitations;
  // The second time she says yes before Ana has heard of the first.
  const twice = both.flatMap(({ group, from }) => [
    groups.accept(group, from),
    groups.accept(group, from),
  ]);
  await world.settle(Promise.all(twice));
  await world.dtn.until(() => at(cat)?.isMember === true);
  const keys = () =>
    [ana, bob, cat].map((each) => at(each)!.epochAuthenticator?.toHex());
  await world.dtn.until(() => new Set(keys()).size === 1);
  assertEquals([hers.members.length, groups.invitations], [3, []]);
  await world.settle(hers.publish("say", "hello"));
  await world.dtn.until(() => at(cat)!.counts.read === 1);
});

Deno.test("of invitations only so many of one agent wait", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill", settings(undefined));
  const bob = await world.start("bob", "dale", settings(() => "later"));
  world.introduce(ana, bob);
  for (let i = 0; i < 17; i++) {
    const group = await world.settle(
      ana.fabric.groups.create({ kind: "open" }),
    );
    await world.settle(group.invite(bob.fabric.agent.id));
  }
  const { groups } = bob.fabric;
  await world.dtn.until(() => bob.fabric.counts.refused === 1);
  assertEquals(groups.invitations.length, 16);
});

Deno.test("what an application was shown, and is not done with, waits for the next; each that follows gets all of it", async () => {
  await using world = new FabricWorld();
  const { hers, his, bob } = await pair(world);
  await using own = new AgentGroups(bob);
  const feed = own.feed(his);
  for (const text of ["one", "two"]) {
    await world.settle(hers.publish("say", text));
  }
  await world.dtn.until(() => his.counts.read === 2);
  const first = new Reader();
  const following = feed.follow(first);
  assertEquals(first.values, ["one"]);
  following[Symbol.dispose]();
  const second = new Reader();
  using _second = feed.follow(second);
  await world.dtn.until(() => second.got.length === 1);
  const third = new Reader();
  using _third = feed.follow(third);
  assertEquals([second.values, third.values], [["one"], ["one"]]);
  third.got[0]!.done();
  await world.dtn.until(() => second.got.length === 2);
  assertEquals([second.values, third.values], [["one", "two"], ["one", "two"]]);
  second.got[1]!.done();
  await world.settle(hers.update());
  await world.dtn.until(() => second.events.length > 0);
  assertEquals([first.events, second.events], [[], ["epoch"]]);
  assertEquals(first.values, ["one"]);
});

Deno.test("a node that closes while an application has a message gives it again after", async () => {
  await using world = new FabricWorld();
  const { hers, his, bob } = await pair(world);
  const own = new AgentGroups(bob);
  const reader = new Reader();
  own.feed(his).follow(reader);
  await world.settle(hers.publish("say", "kept"));
  await world.dtn.until(() => reader.got.length === 1);
  await world.settle(Promise.resolve(own[Symbol.asyncDispose]()));
  assertEquals(reader.events, ["ended"]);
  await using again = new AgentGroups(bob);
  const next = new Reader();
  again.feed(his).follow(next);
  await world.dtn.until(() => next.got.length === 1);
  assertEquals(next.values, ["kept"]);
  next.got[0]!.done();
  await world.settle(hers.publish("say", "more"));
  await world.dtn.until(() => next.got.length === 2);
});
