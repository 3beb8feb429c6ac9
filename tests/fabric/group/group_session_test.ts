import { assert, assertEquals, assertRejects } from "@std/assert";
import { FabricError } from "../../../src/fabric/error.ts";
import { epochIdOf } from "../../../src/fabric/group/commit_rank.ts";
import { isEquivocation } from "../../../src/fabric/group/group_evidence.ts";
import {
  decodeGroupMessage,
  encodeGroupMessage,
} from "../../../src/fabric/group/group_message.ts";
import { encodeRules } from "../../../src/fabric/group/group_rules.ts";
import { crypto } from "../_agents.ts";
import {
  GROUP,
  GroupWorld,
  type Letter,
  type Member,
  mls,
  seeded,
} from "./_group_world.ts";

const TIMES = { ackMs: 1_000, tipMs: 10_000, retryMs: 1_000, turnMs: 500 };

function kindOf({ bytes }: Letter): string {
  return decodeGroupMessage(crypto, bytes).kind;
}

function viewsOf(members: readonly Member[]): number {
  return new Set(members.map(({ view }) => view)).size;
}

/** A commit that `by` makes for the newest epoch, past what its own part of the group would do. */
async function forge(
  by: Member,
  changes: Parameters<typeof mls.commit>[1] = {},
): Promise<Uint8Array> {
  const { session, agent } = by;
  const made = await mls.commit(session!.held.mls!, changes);
  return encodeGroupMessage(agent, {
    ...{ kind: "commit", group: session!.group, epoch: session!.epoch },
    at: Uint8Array.fromHex(session!.epochId),
    body: made.commit,
  });
}

Deno.test("members who are added read what is published then, and not what was before", async () => {
  const world = new GroupWorld(seeded(1));
  const [ana, bob] = await world.group(["ana", "bob"]);
  await world.publish(ana!, "one");
  const before = [...world.letters];
  const cat = world.member("cat");
  await world.deliver();
  await world.add(bob!, cat);
  await world.deliver();
  await world.publish(cat, "two");
  await world.deliver();
  for (const letter of before) await world.bring({ ...letter, to: "cat" });
  assertEquals([ana!.heard, bob!.heard, cat.heard], [
    ["two"],
    ["one", "two"],
    [],
  ]);
  assertEquals(cat.session!.counts.tooOld, 1);
  assertEquals(viewsOf([ana!, bob!, cat]), 1);
  assert(ana!.view.startsWith("2 "));
});

Deno.test("a member who was removed reads nothing that is published later", async () => {
  const world = new GroupWorld(seeded(1));
  const [ana, bob, cat] = await world.group(["ana", "bob", "cat"]);
  await world.remove(ana!, bob!);
  await world.deliver();
  assertEquals(bob!.session!.isMember, false);
  await world.publish(cat!, "without bob");
  for (const letter of [...world.letters]) {
    await world.bring({ ...letter, to: "bob" });
  }
  await world.deliver();
  assertEquals([ana!.heard, bob!.heard], [["without bob"], []]);
  await assertRejects(() => world.publish(bob!, "let me in"), FabricError);
});

Deno.test("who was removed while others did not know yet says nothing to them any more", async () => {
  const world = new GroupWorld(seeded(1));
  const [ana, bob, cat] = await world.group(["ana", "bob", "cat"]);
  await world.remove(ana!, bob!);
  await world.publish(bob!, "still here");
  world.letters.sort((a, b) => kindOf(a) < kindOf(b) ? 1 : -1);
  await world.deliver();
  assertEquals([ana!.heard, cat!.heard], [[], []]);
  assertEquals(cat!.session!.counts.unwelcome, 1);
});

Deno.test("what was published on a branch that lost is read once by everybody", async () => {
  const world = new GroupWorld(seeded(3), { times: TIMES });
  const [ana, bob, cat] = await world.group(["ana", "bob", "cat"]);
  await world.update(bob!);
  await world.publish(bob!, "on the branch of bob");
  await world.update(ana!);
  // Cat hears bob first, and ana last.
  world.letters.sort((a) => a.from === "bob" && a.to === "cat" ? -1 : 1);
  await world.settle();
  assertEquals(viewsOf([ana!, bob!, cat!]), 1);
  assertEquals([ana!.heard, cat!.heard], [
    ["on the branch of bob"],
    ["on the branch of bob"],
  ]);
  assertEquals(bob!.session!.counts.rolledBack, 1);
});

Deno.test("a commit that breaks the rules is refused by everybody and kept as evidence", async () => {
  const world = new GroupWorld(seeded(1));
  const [ana, bob, cat] = await world.group(["ana", "bob", "cat"], () => ({
    isAdminOnlyAdd: true,
    isAdminOnlyRemove: true,
    maxMembers: 3,
  }));
  const eve = world.member("eve");
  const rules = { ...bob!.session!.held.rules, admins: [bob!.agent.id] };
  const attempts = [
    await forge(bob!, { add: [await eve.keyPackage()] }),
    await forge(bob!, { remove: [cat!.agent.id] }),
    await forge(bob!, { settings: encodeRules(rules) }),
  ];
  const { view } = ana!;
  for (const bytes of attempts) {
    for (const to of ["ana", "cat"]) {
      await world.bring({ from: "bob", to, bytes });
    }
  }
  for (const member of [ana!, cat!]) {
    assertEquals(member.view, view);
    assertEquals(member.session!.counts.forbidden, 3);
    assertEquals(
      member.session!.evidence.entries.map(({ kind, agent }) => [
        kind,
        world.nameOf(agent),
      ]),
      [["forbidden", "bob"], ["forbidden", "bob"], ["forbidden", "bob"]],
    );
  }
  // An admin may, but not more members than the rules allow.
  const full = await forge(ana!, { add: [await eve.keyPackage()] });
  await world.bring({ from: "ana", to: "cat", bytes: full });
  assertEquals(cat!.session!.counts.forbidden, 4);
  // His own part of the group does not even try.
  await world.remove(bob!, cat!);
  assertEquals([bob!.session!.counts.unfulfilled, world.letters], [1, []]);
});

Deno.test("a commit in the name of another member is not taken", async () => {
  const world = new GroupWorld(seeded(1));
  const [ana, bob, cat] = await world.group(["ana", "bob", "cat"]);
  const stolen = decodeGroupMessage(crypto, await forge(ana!));
  const bytes = encodeGroupMessage(bob!.agent, stolen);
  await world.bring({ from: "bob", to: "cat", bytes });
  assertEquals([cat!.session!.epoch, cat!.session!.counts.invalid], [2, 1]);
});

Deno.test("two commits of one member for one epoch are evidence that anybody can check; all take the same one", async () => {
  for (const isReversed of [false, true]) {
    const world = new GroupWorld(seeded(1), { times: TIMES });
    const members = await world.group(["ana", "bob", "cat", "dan"]);
    const [ana, bob, cat, dan] = members;
    const two = [await forge(bob!), await forge(bob!)];
    if (isReversed) two.reverse();
    // Bob tells each one thing first.
    for (const [to, bytes] of [["cat", two[0]!], ["dan", two[1]!]] as const) {
      await world.bring({ from: "bob", to, bytes });
    }
    assertEquals(viewsOf([cat!, dan!]), 2);
    for (const to of ["ana", "cat", "dan"]) {
      for (const bytes of two) await world.bring({ from: "bob", to, bytes });
    }
    await world.deliver();
    assertEquals(viewsOf([ana!, cat!, dan!]), 1);
    const ids = two.map((bytes) => {
      const { at, body } = decodeGroupMessage(crypto, bytes);
      return epochIdOf(crypto, at, body).toHex();
    });
    assertEquals(ana!.session!.epochId, ids.sort()[0]);
    for (const { session } of [ana!, cat!, dan!]) {
      const [evidence] = session!.evidence.entries;
      assertEquals(evidence?.kind, "equivocation");
      assertEquals(world.nameOf(evidence!.agent), "bob");
      assertEquals(isEquivocation(crypto, evidence!), true);
      const [one] = evidence!.proofs;
      const same = { ...evidence!, proofs: [one!, one!] };
      assertEquals(isEquivocation(crypto, same), false);
      const other = { ...evidence!, agent: ana!.agent.id };
      assertEquals(isEquivocation(crypto, other), false);
    }
  }
});

Deno.test("a better commit that comes when the members have decided is refused and kept as evidence", async () => {
  const world = new GroupWorld(seeded(1), { times: TIMES });
  const members = await world.group(["ana", "bob", "cat", "dan"]);
  await world.settle(3);
  const [ana, bob] = members;
  // Ana is the admin, so that hers would be better; she keeps it back.
  const late = await forge(ana!);
  await world.update(bob!);
  await world.settle(3);
  const { view } = bob!;
  assertEquals(viewsOf(members), 1);
  for (const to of ["bob", "cat", "dan"]) {
    await world.bring({ from: "ana", to, bytes: late });
  }
  await world.settle(3);
  assertEquals([bob!.view, viewsOf(members)], [view, 1]);
  for (const { session } of members.slice(1)) {
    assertEquals(session!.counts.late, 1);
    assertEquals(session!.evidence.entries.map(({ kind }) => kind), ["late"]);
  }
});

Deno.test("a member that was away hears what it missed, and a restart changes nothing", async () => {
  const world = new GroupWorld(seeded(5), { times: TIMES });
  const members = await world.group(["ana", "bob", "cat"]);
  const [ana, bob, cat] = members;
  for (let i = 0; i < 12; i++) {
    await world.update([ana!, bob!][i % 2]!);
    await world.publish(ana!, `${i}`);
    // Nothing reaches cat.
    world.letters = world.letters.filter(({ to }) => to !== "cat");
    await world.deliver();
  }
  assert(ana!.session!.epoch > cat!.session!.epoch + 8);
  for (const member of members) member.restart();
  await world.settle();
  assertEquals(viewsOf(members), 1);
  await world.publish(cat!, "back");
  await world.deliver();
  assertEquals([ana!.heard, bob!.heard.at(-1)], [["back"], "back"]);
});

Deno.test("a fork that is older than what is kept heals: the lesser branch comes back to the better", async () => {
  const world = new GroupWorld(seeded(7), { times: TIMES });
  const names = ["ana", "bob", "cat", "dan"];
  const members = await world.group(names);
  const [ana, , cat] = members;
  const sideOf = (name: string) => names.indexOf(name) < 2;
  for (let i = 0; i < 12; i++) {
    for (const by of [ana!, cat!]) await world.update(by);
    for (let round = 0; round < 3; round++) {
      world.letters = world.letters.filter(({ from, to }) =>
        sideOf(from) === sideOf(to)
      );
      await world.deliver();
    }
  }
  assertEquals(viewsOf(members), 2);
  const better = ana!.session!.branches.path()[2]!.id;
  await world.settle(40);
  assertEquals(viewsOf(members), 1);
  assertEquals(ana!.session!.held.members.length, 4);
  // Ana is the admin: her branch stays.
  assert(cat!.outputs.some(({ kind }) => kind === "healing"));
  assertEquals(ana!.outputs.some(({ kind }) => kind === "healing"), false);
  assert(better.length > 0);
  assert(
    cat!.session!.evidence.entries.some(({ kind }) => kind === "fork"),
  );
  await world.publish(cat!, "again");
  await world.deliver();
  assertEquals(ana!.heard.at(-1), "again");
});

Deno.test("a member that wants to leave is removed by one of the others", async () => {
  const world = new GroupWorld(seeded(1), { times: TIMES });
  const members = await world.group(["ana", "bob", "cat"], () => ({
    isAdminOnlyRemove: true,
  }));
  const [ana, bob, cat] = members;
  world.post(bob!, bob!.session!.leave());
  await world.settle(4);
  assertEquals(bob!.session!.isMember, false);
  assertEquals(viewsOf([ana!, cat!]), 1);
  assertEquals(ana!.session!.held.committer.equals(ana!.agent.id), true);
});

Deno.test("mutated, cut and foreign messages change nothing", async () => {
  const world = new GroupWorld(seeded(1));
  const [ana, bob] = await world.group(["ana", "bob"]);
  await world.update(ana!);
  await world.publish(ana!, "hello");
  const letters = world.letters;
  const { view } = bob!;
  const random = seeded(4);
  for (const { bytes } of letters) {
    for (let i = 0; i < 40; i++) {
      const bad = bytes.slice(0, i % 2 ? bytes.length : i * 7);
      const at = Math.floor(random() * bad.length);
      if (bad.length > 0) bad[at]! ^= 1 + Math.floor(random() * 255);
      await world.bring({ from: "ana", to: "bob", bytes: bad })
        .catch((error) =>
          assert(error.name === "DecodeError" || error instanceof FabricError)
        );
      assertEquals(bob!.view, view);
    }
  }
  const other = encodeGroupMessage(ana!.agent, {
    ...decodeGroupMessage(crypto, letters[0]!.bytes),
    group: GROUP.map((each) => each ^ 1),
  });
  await world.bring({ from: "ana", to: "bob", bytes: other });
  assertEquals(bob!.view, view);
  await world.deliver();
  assertEquals(bob!.heard, ["hello"]);
});

Deno.test("a Welcome that the outbox did not get comes again, after a crash too, and once it has it no more", async () => {
  const world = new GroupWorld(seeded(5), { times: TIMES });
  const [ana, bob] = await world.group(["ana", "bob"]);
  const dan = world.member("dan");
  await ana!.session!.want(
    {
      ...{ kind: "add", agent: dan.agent.id },
      keyPackage: await dan.keyPackage(),
    },
    world.nowMs,
  );
  // The process dies when the commit is stored, before anything is sent.
  ana!.restart();
  world.post(ana!, ana!.session!.resume());
  await world.settle(4);
  assertEquals(dan.session?.isMember, true);
  assertEquals(new Set([ana!, bob!, dan].map(({ view }) => view)).size, 1);
  ana!.restart();
  const again = ana!.session!.resume();
  assertEquals(
    again.some((each) => each.kind === "send" && each.welcome),
    false,
  );
});

Deno.test("what could not be written is written with what comes next, and said only then", async () => {
  const world = new GroupWorld(seeded(6), { times: TIMES });
  const members = await world.group(["ana", "bob"]);
  const [ana] = members;
  await world.settle(2);
  const { store } = ana!;
  const transaction = store.transaction.bind(store);
  store.transaction = () => {
    throw new Error("The disk is full");
  };
  await assertRejects(() => world.update(ana!), Error, "disk");
  assertEquals(world.letters.length, 0);
  store.transaction = transaction;
  await world.update(ana!);
  await world.settle(2);
  const { view, epoch } = { view: ana!.view, epoch: ana!.session!.epoch };
  ana!.restart();
  assertEquals(ana!.session!.epoch, epoch);
  assertEquals(members.map((each) => each.view), [view, view]);
});
