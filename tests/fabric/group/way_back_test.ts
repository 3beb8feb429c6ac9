import { assert, assertEquals } from "@std/assert";
import {
  decodeGroupMessage,
  encodeGroupMessage,
  encodeList,
} from "../../../src/fabric/group/group_message.ts";
import { decodeAcks } from "../../../src/fabric/group/epoch_acks.ts";
import { crypto } from "../_agents.ts";
import {
  GroupWorld,
  type Letter,
  type Member,
  seeded,
} from "./_group_world.ts";

const TIMES = { ackMs: 1_000, tipMs: 10_000, retryMs: 1_000, turnMs: 500 };

function kindOf({ bytes }: Letter): string {
  return decodeGroupMessage(crypto, bytes).kind;
}

function viewsOf(members: readonly Member[]): number {
  return new Set(members.map(({ view }) => view)).size;
}

/** Brings the letters that `filter` takes, and those they lead to; the others wait. */
async function bringThose(
  world: GroupWorld,
  filter: (letter: Letter) => boolean,
): Promise<void> {
  for (;;) {
    const at = world.letters.findIndex(filter);
    if (at < 0) return;
    const [letter] = world.letters.splice(at, 1);
    await world.bring(letter!);
  }
}

/** Ana is the admin; of bob's and her commit for one epoch hers is better, until bob and cat have decided for bob's. */
async function twoBranches(): Promise<{
  readonly world: GroupWorld;
  readonly members: readonly Member[];
  readonly dan: Member;
}> {
  const world = new GroupWorld(seeded(2), { times: TIMES });
  const members = await world.group(["ana", "bob", "cat"]);
  await world.settle(3);
  const [ana, bob] = members;
  const dan = world.member("dan");
  await world.update(ana!);
  await world.add(bob!, dan);
  return { world, members, dan };
}

Deno.test("an agent that was let in on two branches and is on the one that loses comes back to the other", async () => {
  const { world, members, dan } = await twoBranches();
  const [, bob, cat] = members;
  // Cat hears bob and decides for his branch, and so does he; nobody hears that yet.
  await bringThose(
    world,
    (each) => each.from === "bob" && each.to === "cat",
  );
  await world.tick(2_000);
  const acks = world.letters.filter((each) => kindOf(each) === "ack");
  world.letters = world.letters.filter((each) => kindOf(each) !== "ack");
  const first = world.letters.filter((each) => kindOf(each) === "welcome");
  assertEquals(acks.some(({ from }) => from === "cat"), true);
  world.letters = world.letters.filter((each) => kindOf(each) !== "welcome");
  // Bob hears ana, goes over to her branch and lets dan in there.
  await bringThose(world, (each) => each.to === "bob" && each.from === "ana");
  assertEquals(bob!.session!.counts.rolledBack, 1);
  for (let i = 0; i < 4; i++) {
    await bringThose(world, (each) => each.to !== "cat" && each.from !== "cat");
    await world.tick(1_000);
    world.letters = world.letters.filter((each) => kindOf(each) !== "ack");
  }
  const wrong = dan.session!.epochId;
  assertEquals(dan.session!.epoch, bob!.session!.epoch);
  // What was decided for the first branch is heard now: all go back.
  for (const letter of [...first, ...acks]) await world.bring(letter);
  assertEquals(bob!.session!.branches.get(wrong) !== undefined, true);
  assertEquals(bob!.view, cat!.view);
  assertEquals(dan.session!.epochId, wrong);
  await world.settle(30);
  assertEquals(viewsOf([...members, dan]), 1);
  assertEquals(dan.session!.branches.get(wrong), undefined);
  assert(dan.outputs.some(({ kind }) => kind === "healing"));
  await world.publish(cat!, "all here");
  await world.deliver();
  assertEquals(dan.heard, ["all here"]);
});

Deno.test("who is no member on the branch that counts learns it, does not come back by itself, and may be let in again", async () => {
  const { world, members, dan } = await twoBranches();
  const [ana, bob, cat] = members;
  await bringThose(world, (each) => each.to === "dan");
  assertEquals(dan.session!.isMember, true);
  // Ana's commit is better, and bob, who let dan in, is removed before he can do it again.
  await world.remove(ana!, bob!);
  await bringThose(world, (each) => each.from === "ana");
  const said: string[] = [];
  for (let i = 0; i < 40; i++) {
    said.push(
      ...world.letters.filter(({ from }) => from === "dan").map(kindOf),
    );
    await world.deliver();
    await world.tick(5_000);
  }
  assertEquals([bob, dan].map((each) => each!.session!.isMember), [
    false,
    false,
  ]);
  assertEquals(viewsOf([ana!, cat!]), 1);
  assertEquals(said.includes("ask"), true);
  assertEquals(said.includes("commit"), false);
  // Nothing is asked any more when everybody knows, not after a restart either.
  dan.restart();
  assertEquals(dan.session!.isMember, false);
  assertEquals(dan.session!.nextMs, undefined);
  const { view } = ana!;
  await world.settle(10);
  assertEquals(ana!.view, view);
  await world.add(ana!, dan);
  await world.settle(10);
  assertEquals(viewsOf([ana!, cat!, dan]), 1);
  assertEquals(dan.session!.isMember, true);
});

Deno.test("a small branch of an admin that parted long ago comes back to what most members decided for", async () => {
  const world = new GroupWorld(seeded(7), { times: TIMES });
  const names = ["ana", "bob", "cat", "dan", "eve"];
  const members = await world.group(names);
  await world.settle(3);
  const [ana, , cat] = members;
  // Ana and bob hear nothing of the three others, who decide without them.
  const sideOf = (name: string) => names.indexOf(name) < 2;
  for (let i = 0; i < 12; i++) {
    for (const by of [ana!, cat!]) await world.update(by);
    for (let round = 0; round < 3; round++) {
      world.letters = world.letters.filter(({ from, to }) =>
        sideOf(from) === sideOf(to)
      );
      await world.deliver();
      await world.tick(1_000);
    }
  }
  world.letters = [];
  assertEquals(viewsOf(members), 2);
  const decided = cat!.session!.branches.root.id;
  await world.settle(40);
  assertEquals(viewsOf(members), 1);
  assertEquals(
    members.map(({ outputs }) =>
      outputs.some(({ kind }) => kind === "healing")
    ),
    [true, true, false, false, false],
  );
  assert(decided !== ana!.session!.epochId);
  await world.publish(ana!, "again");
  await world.deliver();
  assertEquals(members.slice(1).map(({ heard }) => heard), [
    ["again"],
    ["again"],
    ["again"],
    ["again"],
  ]);
});

Deno.test("a better commit for an old epoch that begins nothing holds nobody up", async () => {
  const world = new GroupWorld(seeded(3), {
    times: { ...TIMES, ackMs: 1_000_000 },
  });
  const members = await world.group(["ana", "bob", "cat"]);
  const [ana, bob, cat] = members;
  const at = Uint8Array.fromHex(bob!.session!.epochId);
  const empty = encodeGroupMessage(ana!.agent, {
    ...{ kind: "commit", group: bob!.session!.group, at },
    ...{ epoch: bob!.session!.epoch, body: new Uint8Array([1, 2, 3]) },
  });
  // Nothing is decided, and the fork is older than what is kept.
  for (let i = 0; i < 12; i++) {
    await world.update([bob!, cat!][i % 2]!);
    await world.deliver();
  }
  for (const to of ["bob", "cat"]) {
    await world.bring({ from: "ana", to, bytes: empty });
  }
  const { epoch } = bob!.session!;
  await world.settle(5);
  await world.update(cat!);
  await world.settle(5);
  assertEquals(viewsOf(members), 1);
  assertEquals(bob!.session!.epoch, epoch + 1);
  assertEquals(members.map(({ session }) => session!.isMember), [
    true,
    true,
    true,
  ]);
  const [evidence] = bob!.session!.evidence.entries;
  assertEquals(evidence?.kind, "fork");
});

Deno.test("two members that lie put nobody out for longer than until another one is heard", async () => {
  const world = new GroupWorld(seeded(5), {
    times: { ...TIMES, ackMs: 1_000_000 },
  });
  const members = await world.group(["ana", "bob", "cat", "dan", "eve"]);
  const [ana, , cat, dan] = members;
  const { session } = cat!;
  const { group } = session!;
  const rival = encodeGroupMessage(ana!.agent, {
    ...{ kind: "commit", group, at: Uint8Array.fromHex(session!.epochId) },
    ...{ epoch: session!.epoch, body: new Uint8Array([1, 2, 3]) },
  });
  for (let i = 0; i < 12; i++) {
    await world.update([dan!, cat!][i % 2]!);
    await world.deliver();
  }
  await world.bring({ from: "ana", to: "cat", bytes: rival });
  // Whoever cat asks says that it is none.
  for (let i = 0; i < 20 && session!.isMember; i++) {
    const asks = world.letters.filter((each) =>
      each.from === "cat" && kindOf(each) === "ask"
    );
    world.letters = [];
    for (const { to } of asks) {
      const bytes = encodeGroupMessage(world.member(to).agent, {
        ...{ kind: "info", group, at: new Uint8Array(32) },
        ...{ epoch: session!.epoch, body: encodeList([new Uint8Array()]) },
      });
      await world.bring({ from: to, to: "cat", bytes });
    }
    await world.tick(10_000);
  }
  assertEquals(session!.isMember, false);
  assertEquals(session!.members.length, 4);
  world.letters = [];
  await world.publish(dan!, "cat is one of us");
  await world.deliver();
  assertEquals([session!.isMember, cat!.heard], [true, ["cat is one of us"]]);
  await world.settle(10);
  assertEquals([session!.isMember, viewsOf(members)], [true, 1]);
});

Deno.test("a member that comes back decides for no number a second time, and is not accused of it", async () => {
  const world = new GroupWorld(seeded(7), { times: TIMES });
  const names = ["ana", "bob", "cat", "dan", "eve"];
  const members = await world.group(names);
  await world.settle(3);
  const [ana, , cat] = members;
  // Ana and bob hear nothing of the three others, who decide without them.
  const sideOf = (name: string) => names.indexOf(name) < 2;
  for (let i = 0; i < 12; i++) {
    await world.update(ana!);
    if (i < 10) await world.update(cat!);
    for (let round = 0; round < 3; round++) {
      world.letters = world.letters.filter(({ from, to }) =>
        sideOf(from) === sideOf(to)
      );
      await world.deliver();
      await world.tick(1_000);
    }
  }
  world.letters = [];
  assertEquals(viewsOf(members), 2);
  await world.settle(40);
  assertEquals(viewsOf(members), 1);
  assertEquals(
    members.map(({ outputs }) =>
      outputs.some(({ kind }) => kind === "healing")
    ),
    [true, true, false, false, false],
  );
  for (let i = 0; i < 6; i++) {
    await world.update(cat!);
    await world.settle(2);
  }
  assertEquals(viewsOf(members), 1);
  const kinds = members.flatMap(({ session }) =>
    session!.evidence.entries.map(({ kind }) => kind)
  );
  assertEquals(kinds.filter((each) => each === "double_ack"), []);
  // Who shows all that ana signed shows no two decisions for one number.
  const named = new Map<number, Set<string>>();
  for (const output of ana!.outputs) {
    if (
      output.kind !== "send" ||
      kindOf({ from: "", to: "", bytes: output.bytes }) !== "ack"
    ) continue;
    const { bytes } = output;
    const { body } = decodeGroupMessage(crypto, bytes);
    for (const { epoch, id } of decodeAcks(body)) {
      named.set(epoch, (named.get(epoch) ?? new Set()).add(id));
    }
  }
  assert(named.size > 10);
  for (const ids of named.values()) assertEquals(ids.size, 1);
});
