import { assertEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../../src/core/bytes/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import type { GroupEpoch } from "../../../src/fabric/group/group_branches.ts";
import { GroupHistory } from "../../../src/fabric/group/group_history.ts";
import { GroupRows } from "../../../src/fabric/group/group_rows.ts";
import { rulesOf } from "../../../src/fabric/group/group_rules.ts";
import { epochOf, type Held } from "../../../src/fabric/group/held_epoch.ts";
import {
  decodeLineage,
  encodeLineage,
} from "../../../src/fabric/group/lineage.ts";
import { OldForks } from "../../../src/fabric/group/old_forks.ts";
import { agentOf, crypto } from "../_agents.ts";
import { GROUP, mls } from "./_group_world.ts";

const AGENTS = ["ana", "bob", "cat", "dan", "eve"].map((name) =>
  agentOf(`${name}@node`).id
);
const RULES = rulesOf(AGENTS[0]!, { kind: "open" });

function nameOf(number: number, branch = 0): Uint8Array<ArrayBuffer> {
  return new Uint8Array(32).fill(16 * branch + number);
}

/** Epoch `number` of five members, made by no admin. */
function epoch(number: number, isFinal = false): GroupEpoch<Held> {
  const name = {
    ...{ group: GROUP, id: nameOf(number), parent: nameOf(number - 1) },
    ...{ epoch: number, isByAdmin: false },
  };
  const held: Held = {
    ...{ mls: undefined, rules: RULES, members: AGENTS },
    ...{ committer: AGENTS[1]!, commit: new Uint8Array() },
  };
  return { ...epochOf(crypto, name, held), isFinal };
}

/** Epochs 1 to 5 are known by name, 6 and 7 are kept whole; those of `final` are decided for. */
function forksOf(final: readonly number[] = []): OldForks {
  const rows = new GroupRows({
    ...{ crypto, mls, group: GROUP, store: memoryStore() },
  });
  const past = [1, 2, 3, 4, 5].map((each) => epoch(each, final.includes(each)));
  const history = GroupHistory.start(rows, {}, epoch(6), past);
  history.append(epoch(7));
  return new OldForks(history);
}

/** Another branch that parted at epoch 3; better or worse than ours by its committer. */
function rival(isBetter: boolean): Parameters<OldForks["addRival"]>[0] {
  const rank = { ...epoch(4).rank, id: nameOf(4, 1), isAdmin: isBetter };
  const turn = new Uint8Array(32).fill(255);
  return {
    ...{ id: nameOf(4, 1).toHex(), parent: nameOf(3).toHex() },
    rank: { ...rank, turn },
  };
}

/** So many members have decided for an epoch of the other branch. */
function decide(forks: OldForks, number: number, count: number): void {
  for (const member of AGENTS.slice(0, count)) {
    forks.addDecision(nameOf(number, 1).toHex(), number, member);
  }
}

const BEATEN = { number: 4, ours: nameOf(4).toHex(), isDecided: false };
const LOST = { ...BEATEN, isDecided: true };

Deno.test("of old forks the better commit wins where nobody has decided", () => {
  const forks = forksOf();
  assertEquals(forks.judge(), undefined);
  forks.addRival(rival(false));
  assertEquals(forks.judge(), undefined);
  forks.addRival(rival(true));
  assertEquals(forks.judge(), BEATEN);
  forks.reset();
  assertEquals(forks.judge(), undefined);
});

Deno.test("a better commit for an old epoch undoes nothing that members decided, there or behind it", () => {
  for (const final of [4, 5]) {
    const forks = forksOf([final]);
    forks.addRival(rival(true));
    assertEquals(forks.judge(), undefined);
  }
  const before = forksOf([3]);
  before.addRival(rival(true));
  assertEquals(before.judge(), BEATEN);
});

Deno.test("more than half of the weight decides for the other branch, and not half", () => {
  for (const number of [4, 5, 7, 9]) {
    const forks = forksOf();
    forks.addRival(rival(false));
    decide(forks, number, 2);
    assertEquals(forks.judge(), undefined);
    decide(forks, number, 3);
    assertEquals(forks.judge(), LOST);
  }
});

Deno.test("decisions for old epochs that are not here show a lost branch without its commit, newer ones do not", () => {
  const forks = forksOf();
  decide(forks, 7, 5);
  assertEquals(forks.judge(), undefined);
  decide(forks, 5, 3);
  assertEquals(forks.judge(), { ...LOST, number: 5, ours: nameOf(5).toHex() });
  const decided = forksOf([5]);
  decide(decided, 5, 3);
  assertEquals(decided.judge(), undefined);
});

Deno.test("who is no member decides nothing, and a member for two epochs of a number at most", () => {
  const forks = forksOf();
  for (const name of ["max", "mia", "moe"]) {
    const { id } = agentOf(`${name}@node`);
    forks.addDecision(nameOf(5, 1).toHex(), 5, id);
  }
  assertEquals(forks.judge(), undefined);
  for (const branch of [2, 3]) {
    forks.addDecision(nameOf(5, branch).toHex(), 5, AGENTS[0]!);
  }
  decide(forks, 5, 3);
  assertEquals(forks.judge(), undefined);
});

Deno.test("a rival whose fork is not ours any more is forgotten", () => {
  const forks = forksOf();
  forks.addRival({ ...rival(true), parent: nameOf(3, 2).toHex() });
  assertEquals(forks.judge(), undefined);
});

Deno.test("a lineage says of each epoch its name, rank, rules, members and whether it was decided for", () => {
  const [ana, bob, cat, dan] = AGENTS;
  const other = rulesOf(ana!, {
    kind: "open",
    weights: new Map([[`${bob}`, 3]]),
  });
  const changed = (
    each: GroupEpoch<Held>,
    state: Partial<Held>,
  ): GroupEpoch<Held> => {
    const held = { ...each.state, ...state };
    const name = {
      ...{ group: GROUP, id: each.rank.id, epoch: each.epoch },
      ...{ parent: Uint8Array.fromHex(each.parent), isByAdmin: true },
    };
    return { ...epochOf(crypto, name, held), isFinal: each.isFinal };
  };
  const lineage = [
    changed(epoch(1), { members: [ana!] }),
    changed(epoch(2, true), { members: [ana!, bob!], rules: other }),
    changed(epoch(3), { members: [ana!, bob!, cat!], rules: other }),
    changed(epoch(4, true), { members: [ana!, cat!], committer: cat! }),
  ];
  const behind = { ...epoch(5).state, members: [ana!, cat!, dan!] };
  const bytes = encodeLineage(lineage, behind);
  const told = decodeLineage(crypto, GROUP, bytes, 4, behind);
  const seen = (each: GroupEpoch<Held>) => ({
    ...each,
    electors: [...each.electors].sort(),
    state: {
      rules: each.state.rules,
      committer: each.state.committer,
      members: each.state.members.map(String).sort(),
    },
  });
  const first = { ...seen(lineage[0]!), parent: "" };
  assertEquals(told.map(seen), [first, ...lineage.slice(1).map(seen)]);
  for (const last of [0, 2]) {
    assertThrows(
      () => decodeLineage(crypto, GROUP, bytes, last, behind),
      DecodeError,
    );
  }
  for (let i = 0; i < bytes.length; i++) {
    const cut = bytes.slice(0, i);
    assertThrows(
      () => decodeLineage(crypto, GROUP, cut, 4, behind),
      DecodeError,
    );
  }
  // Of more than 32 the newest are told.
  const many = Array.from({ length: 40 }, (_, i) => epoch(i + 1));
  const newest = decodeLineage(
    crypto,
    GROUP,
    encodeLineage(many, many[39]!.state),
    40,
    many[39]!.state,
  );
  assertEquals([newest.length, newest[0]!.epoch, newest.at(-1)!.epoch], [
    32,
    9,
    40,
  ]);
});
