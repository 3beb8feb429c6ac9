import { assertEquals, assertRejects } from "@std/assert";
import {
  FabricError,
  type Group,
  type GroupSettings,
  MlsGroupCrypto,
  type Published,
  type Tally,
  verifyTally,
} from "../../../src/fabric/mod.ts";
import { signBallot } from "../../../src/fabric/group/ballot.ts";
import { crypto } from "../_agents.ts";
import { FabricWorld, keptOf, type TestNode } from "../_fabric_world.ts";

const mls = new MlsGroupCrypto(crypto);
const TIMES = { ackMs: 500, tipMs: 5_000, retryMs: 500, turnMs: 500 };

function settings(joined: Group[] = []): { groups: GroupSettings } {
  return {
    groups: {
      ...{ mls, times: TIMES },
      onInvitation: ({ rules }) => rules.name !== "unwanted",
      onJoined: (group) => void joined.push(group),
    },
  };
}

/** Nodes that know each other, reach each other live and meet for bundles. */
async function start(
  world: FabricWorld,
  names: readonly string[],
): Promise<{ nodes: TestNode[]; joined: Group[][] }> {
  const joined = names.map((): Group[] => []);
  const nodes: TestNode[] = [];
  for (const [i, name] of names.entries()) {
    nodes.push(await world.start(name, `${name}s`, settings(joined[i])));
  }
  world.introduce(...nodes);
  return { nodes, joined };
}

Deno.test("an agent that is invited and wants to is in the group, and reads what is published, live and by bundles", async () => {
  await using world = new FabricWorld();
  const { nodes: [ana, bob], joined } = await start(world, ["ana", "bob"]);
  world.meet(ana!, bob!);
  const group = await world.settle(ana!.fabric.groups.create({ kind: "open" }));
  await world.settle(group.invite(bob!.fabric.agent.id));
  await world.dtn.until(() => joined[1]!.length > 0);
  const [his] = joined[1]!;
  const heard: Published[] = [];
  his!.subscribe((each) => void heard.push(each));
  const { accepted } = await world.settle(
    group.publish("say", { text: "live" }),
  );
  await world.dtn.until(() => heard.length === 1);
  await world.settle(world.cut());
  await world.settle(group.publish("say", { text: "later" }));
  await world.dtn.until(() => heard.length === 2);
  assertEquals(accepted, 1);
  assertEquals(
    heard.map(({ value, type, from }) => [value, type, `${from}`]),
    ["live", "later"].map((
      text,
    ) => [{ text }, "say", `${ana!.fabric.agent.id}`]),
  );
  assertEquals(his!.epochAuthenticator, group.epochAuthenticator);
  assertEquals(
    await world.settle(group.export("files", new Uint8Array(), 32)),
    await world.settle(his!.export("files", new Uint8Array(), 32)),
  );
});

Deno.test("who does not want to be in a group is not, and strangers are refused", async () => {
  await using world = new FabricWorld();
  const { nodes: [ana, bob], joined } = await start(world, ["ana", "bob"]);
  const rules = { kind: "open", name: "unwanted" } as const;
  const group = await world.settle(ana!.fabric.groups.create(rules));
  await world.settle(group.invite(bob!.fabric.agent.id));
  await world.dtn.until(() => bob!.fabric.counts.refused === 1);
  assertEquals([group.members.length, joined[1]!.length], [1, 0]);
  await assertRejects(
    () => world.settle(group.remove(ana!.fabric.agent.id)),
    FabricError,
  );
});

Deno.test("groups go on after a restart of their agent: nothing is lost, nothing is read twice", async () => {
  await using world = new FabricWorld();
  const joined: Group[] = [];
  const kept = keptOf();
  const ana = await world.start("ana", "hill", settings());
  const bob = await world.start("bob", "dale", settings(joined), kept);
  world.introduce(ana, bob);
  const group = await world.settle(ana.fabric.groups.create({ kind: "open" }));
  await world.settle(group.invite(bob.fabric.agent.id));
  await world.dtn.until(() => joined.length > 0);
  await world.settle(group.publish("say", "before anybody listens"));
  await world.dtn.until(() => joined[0]!.counts.read === 1);
  await world.settle(Promise.resolve(bob[Symbol.asyncDispose]()));
  await world.settle(Promise.resolve(bob.bundles[Symbol.asyncDispose]()));
  await world.settle(group.update());
  await world.settle(group.publish("say", "while bob was away"));
  const again = await world.start("bob", "dale", settings(), kept);
  world.introduce(ana, again);
  const his = again.fabric.groups.get(group.id)!;
  const heard: unknown[] = [];
  his.subscribe(({ value }) => void heard.push(value));
  again.fabric.start();
  await world.dtn.until(() => heard.length === 2);
  assertEquals(heard, ["before anybody listens", "while bob was away"]);
  assertEquals(his.epochAuthenticator, group.epochAuthenticator);
});

Deno.test("a broadcast is of admins, an alert has the priority of its severity, training messages have their forms", async () => {
  await using world = new FabricWorld();
  const { nodes: [ana, bob], joined } = await start(world, ["ana", "bob"]);
  const create = async (kind: "broadcast" | "alert" | "training") => {
    const group = await world.settle(ana!.fabric.groups.create({ kind }));
    const count = joined[1]!.length;
    await world.settle(group.invite(bob!.fabric.agent.id));
    await world.dtn.until(() => joined[1]!.length > count);
    const heard: Published[] = [];
    const his = joined[1]!.at(-1)!;
    his.subscribe((each) => void heard.push(each));
    return { group, his, heard };
  };
  const refused = (work: () => Promise<unknown>) =>
    world.settle(assertRejects(work, FabricError, "does not allow"));
  const broadcast = await create("broadcast");
  await refused(() => broadcast.his.publish("news", 1));
  await world.settle(broadcast.group.publish("news", 2));
  await world.dtn.until(() => broadcast.heard.length === 1);
  const alert = await create("alert");
  const fire = { severity: "emergency", category: "fire", text: "Leave" };
  await world.settle(alert.group.publish("alert", fire));
  await world.dtn.until(() => alert.heard.length === 1);
  assertEquals(alert.heard[0]!.priority, "critical");
  await refused(() => alert.group.publish("alert", fire, { priority: "low" }));
  await refused(() => alert.group.publish("alert", { severity: "emergency" }));
  await refused(() => alert.group.publish("chat", fire));
  const training = await create("training");
  const gradients = new Uint8Array([1, 2]);
  const part = { session: "s", round: 1, samples: 10, gradients };
  await world.settle(training.his.publish("training.gradients", part));
  await refused(() =>
    training.his.publish("training.gradients", { session: "s" })
  );
  await refused(() => training.his.publish("say", part));
});

Deno.test("votes: weights, one ballot each, a tally that anybody checks, and what has passed is carried out once", async () => {
  await using world = new FabricWorld();
  const { nodes, joined } = await start(world, ["ana", "bob", "cat"]);
  const [ana, bob, cat] = nodes.map(({ fabric }) => fabric);
  const weights = new Map([[`${cat!.agent.id}`, 3]]);
  const rules = { kind: "vote", weights } as const;
  const group = await world.settle(ana!.groups.create(rules));
  for (const fabric of [bob!, cat!]) {
    await world.settle(group.invite(fabric.agent.id));
    await world.dtn.until(() =>
      joined.flat().length === group.members.length - 1 &&
      group.members.some((each) => each.equals(fabric.agent.id))
    );
  }
  const passed: string[] = [];
  const votesOf = (fabric: typeof ana, of: Group, name: string) =>
    fabric!.groups.votes(of, {
      graceMs: 1_000,
      onPassed: (tally: Tally) =>
        void passed.push(`${name} ${tally.proposal.text}`),
    });
  await using hers = votesOf(ana, group, "ana");
  await using his = votesOf(bob, joined[1]![0]!, "bob");
  await using cats = votesOf(cat, joined[2]![0]!, "cat");
  const all = [hers, his, cats];
  const id = await world.settle(
    hers.propose("paint it", { timeoutMs: 20_000 }),
  );
  const all2 = await world.settle(
    hers.propose("all of us", { timeoutMs: 20_000, isUnanimous: true }),
  );
  await world.dtn.until(() =>
    all.every(({ proposals }) => proposals.length === 2)
  );
  await world.settle(hers.cast(id, "against"));
  await world.settle(his.cast(id, "against"));
  await world.settle(cats.cast(id, "for"));
  await world.settle(cats.cast(all2, "for"));
  await world.settle(
    assertRejects(() => his.cast(id, "for"), FabricError, "was cast"),
  );
  await world.dtn.until(() =>
    all.every((each) =>
      each.tally(id).weights.for + each.tally(id).weights.against === 5
    )
  );
  for (const each of all) {
    const { weights, total, isPassed } = verifyTally(
      crypto,
      each.export(id),
    );
    assertEquals([weights, total, isPassed], [
      { for: 3, against: 2, abstain: 0 },
      5,
      true,
    ]);
    assertEquals(each.tally(all2).isPassed, false);
  }
  // Bob casts another one past his own part of the vote.
  const ballot = {
    group: group.id,
    proposal: all2,
    atMs: world.clock.wallTime(),
  };
  for (const choice of ["for", "against"] as const) {
    const signed = signBallot(bob!.agent, { ...ballot, choice });
    await world.settle(joined[1]![0]!.publish("vote.ballot", signed));
  }
  await world.dtn.until(() => hers.counts.doubles + cats.counts.doubles === 2);
  assertEquals(hers.tally(all2).equivocators.map(String), [`${bob!.agent.id}`]);
  assertEquals(
    group.evidence.map(({ kind, agent }) => [kind, `${agent}`]),
    [["double_ballot", `${bob!.agent.id}`]],
  );
  await world.clock.run(25_000);
  assertEquals(passed.sort(), ["ana paint it", "bob paint it", "cat paint it"]);
  await world.settle(
    assertRejects(() => his.cast(all2, "for"), FabricError, "deadline"),
  );
});
