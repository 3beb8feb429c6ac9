import { assertEquals, assertRejects } from "@std/assert";
import {
  signBallot,
  signProposal,
  verifyProposal,
} from "../../../src/fabric/group/ballot.ts";
import { encodePayload } from "../../../src/fabric/agent/payload.ts";
import {
  FabricError,
  type Group,
  isDoubleBallot,
  MlsGroupCrypto,
  type Tally,
  verifyTally,
  type Votes,
} from "../../../src/fabric/mod.ts";
import { crypto } from "../_agents.ts";
import {
  FabricWorld,
  type Kept,
  keptOf,
  type TestNode,
} from "../_fabric_world.ts";

const mls = new MlsGroupCrypto(crypto);
const TIMES = { ackMs: 500, tipMs: 5_000, retryMs: 500, turnMs: 500 };
const GRACE_MS = 5_000;

/** A voter whose process may die. */
interface Voter {
  readonly name: string;
  readonly kept: Kept;
  readonly joined: Group[];
  /** What it carried out, and whether again. */
  readonly passed: [string, boolean][];
  node: TestNode;
  votes: Votes;
}

async function start(world: FabricWorld, voter: Voter): Promise<void> {
  const { name, kept, joined } = voter;
  voter.node = await world.start(name, `${name}s`, {
    groups: {
      ...{ mls, times: TIMES, onInvitation: () => true },
      onJoined: (group) => void joined.push(group),
    },
  }, kept);
}

/** Its part of the votes, from what is stored. */
function open(voter: Voter): void {
  const { fabric } = voter.node;
  voter.votes = fabric.groups.votes(fabric.groups.all[0]!, {
    graceMs: GRACE_MS,
    onPassed: ({ proposal }: Tally, isAgain) =>
      void voter.passed.push([proposal.text, isAgain]),
  });
}

async function kill(world: FabricWorld, voter: Voter): Promise<void> {
  const { node, votes } = voter;
  await world.settle(Promise.resolve(votes[Symbol.asyncDispose]()));
  await world.settle(Promise.resolve(node[Symbol.asyncDispose]()));
  await world.settle(Promise.resolve(node.bundles[Symbol.asyncDispose]()));
}

async function revive(
  world: FabricWorld,
  voter: Voter,
  voters: readonly Voter[],
): Promise<void> {
  await start(world, voter);
  world.introduce(...voters.map(({ node }) => node));
  open(voter);
  voter.node.fabric.start();
}

/** Three voters in one group, the first of whom made it. */
async function voting(world: FabricWorld): Promise<Voter[]> {
  const voters = ["ana", "bob", "cat"].map((name) => ({
    ...{ name, kept: keptOf(), joined: [] as Group[] },
    passed: [] as [string, boolean][],
  } as unknown as Voter));
  for (const voter of voters) await start(world, voter);
  world.introduce(...voters.map(({ node }) => node));
  const { groups } = voters[0]!.node.fabric;
  const group = await world.settle(groups.create({ kind: "vote" }));
  for (const voter of voters.slice(1)) {
    await world.settle(group.invite(voter.node.fabric.agent.id));
    await world.dtn.until(() => voter.joined.length === 1);
  }
  await world.dtn.until(() =>
    voters.every(({ node }) => node.fabric.groups.all[0]!.epoch === group.epoch)
  );
  for (const voter of voters) open(voter);
  return voters;
}

Deno.test("a vote goes on over restarts of a voter and of who proposed: the same tally, carried out once", async () => {
  await using world = new FabricWorld();
  const voters = await voting(world);
  const [ana, bob, cat] = voters as [Voter, Voter, Voter];
  const id = await world.settle(
    ana.votes.propose("paint it", { timeoutMs: 60_000 }),
  );
  await world.dtn.until(() =>
    voters.every(({ votes }) => votes.proposals.length === 1)
  );
  // Bob's process dies when his ballot is stored and not published yet.
  await bob.node.fabric.groups.all[0]!.close();
  await assertRejects(() => bob.votes.cast(id, "for"), FabricError, "closed");
  await kill(world, bob);
  assertEquals(ana.votes.tally(id).weights.for, 0);
  await revive(world, bob, voters);
  assertEquals(bob.votes.tally(id).weights.for, 1);
  await world.dtn.until(() =>
    voters.every(({ votes }) => votes.tally(id).weights.for === 1)
  );
  // Ana, who proposed, is away from before the last ballot until the deadline and the grace are over.
  await kill(world, ana);
  await world.settle(cat.votes.cast(id, "for"));
  await world.clock.run(60_000 + 2 * GRACE_MS);
  assertEquals([bob, cat].map(({ passed }) => passed), [
    [["paint it", false]],
    [["paint it", false]],
  ]);
  await revive(world, ana, voters);
  await world.dtn.until(() => ana.votes.tally(id).weights.for === 2);
  assertEquals(ana.passed, []);
  await world.clock.run(2 * GRACE_MS);
  assertEquals(ana.passed, [["paint it", false]]);
  for (const voter of voters) {
    const { weights, isPassed } = verifyTally(crypto, voter.votes.export(id));
    assertEquals([weights.for, isPassed], [2, true]);
    await kill(world, voter);
    await revive(world, voter, voters);
  }
  await world.clock.run(2 * GRACE_MS);
  for (const { passed, votes } of voters) {
    assertEquals(passed, [["paint it", false]]);
    assertEquals(votes.tally(id).isPassed, true);
    await votes[Symbol.asyncDispose]();
  }
});

Deno.test("a proposal that was stored and not published goes out at the next start", async () => {
  await using world = new FabricWorld();
  const voters = await voting(world);
  const [ana, bob] = voters as [Voter, Voter, Voter];
  await ana.node.fabric.groups.all[0]!.close();
  await assertRejects(
    () => ana.votes.propose("ring it"),
    FabricError,
    "closed",
  );
  await kill(world, ana);
  assertEquals(bob.votes.proposals, []);
  await revive(world, ana, voters);
  await world.dtn.until(() =>
    voters.every(({ votes }) => votes.proposals.length === 1)
  );
  for (const { votes } of voters) await votes[Symbol.asyncDispose]();
});

Deno.test("a ballot that comes before its proposal waits for it, over a restart too", async () => {
  await using world = new FabricWorld();
  const voters = await voting(world);
  const [ana, bob, cat] = voters as [Voter, Voter, Voter];
  const group = ana.node.fabric.groups.all[0]!;
  const { agent } = ana.node.fabric;
  const signed = signProposal(agent, {
    ...{ group: group.id, text: "later", isUnanimous: false },
    deadlineMs: world.clock.wallTime() + 60_000,
    electors: group.electors(group.epoch)[0]!,
  });
  const proposal = verifyProposal(crypto, signed).id;
  const ballot = signBallot(cat.node.fabric.agent, {
    ...{ group: group.id, proposal, choice: "for" },
    atMs: world.clock.wallTime(),
  });
  const his = cat.node.fabric.groups.all[0]!;
  const { read } = bob.node.fabric.groups.all[0]!.counts;
  await world.settle(his.publish("vote.ballot", ballot));
  await world.dtn.until(() =>
    bob.node.fabric.groups.all[0]!.counts.read === read + 1
  );
  await kill(world, bob);
  await revive(world, bob, voters);
  await world.settle(group.publish("vote.proposal", signed));
  await world.dtn.until(() => bob.votes.proposals.length === 1);
  assertEquals(bob.votes.tally(proposal).weights.for, 1);
  for (const { votes } of voters) await votes[Symbol.asyncDispose]();
});

Deno.test("a voter that tells each one another ballot is seen by all", async () => {
  await using world = new FabricWorld();
  const voters = await voting(world);
  const [ana, bob, cat] = voters as [Voter, Voter, Voter];
  const id = await world.settle(
    ana.votes.propose("paint it", { timeoutMs: 60_000 }),
  );
  await world.dtn.until(() =>
    voters.every(({ votes }) => votes.proposals.length === 1)
  );
  const { agent, groups } = bob.node.fabric;
  const his = groups.all[0]!;
  const tell = (to: Voter, choice: "for" | "against") => {
    const atMs = world.clock.wallTime();
    const ballot = { group: his.id, proposal: id, choice, atMs };
    return world.settle(his.run(async (session) => {
      const outputs = await session.publish({
        id: crypto.random(16),
        ...{ type: "vote.ballot", priority: "normal" },
        payload: encodePayload(signBallot(agent, ballot)).slice(),
      });
      return outputs.filter((each) =>
        each.kind === "send" && each.to.equals(to.node.fabric.agent.id)
      );
    }));
  };
  await tell(ana, "for");
  await tell(cat, "against");
  await world.settle(ana.votes.cast(id, "for"));
  const honest = [ana, cat];
  await world.dtn.until(() =>
    ana.votes.tally(id).weights.for === 2 &&
    cat.votes.tally(id).weights.against === 1
  );
  await world.clock.run(60_000 + 2 * GRACE_MS);
  for (const { votes, node, passed } of honest) {
    const { weights, equivocators } = votes.tally(id);
    assertEquals(weights, { for: 1, against: 0, abstain: 0 });
    assertEquals(equivocators.map(String), [`${agent.id}`]);
    const [found] = node.fabric.groups.all[0]!.evidence;
    assertEquals(isDoubleBallot(crypto, found!), true);
    assertEquals(passed, []);
  }
  for (const { votes } of voters) await votes[Symbol.asyncDispose]();
});
