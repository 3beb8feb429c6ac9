import { assertEquals, assertThrows } from "@std/assert";
import { AgentId } from "../../../src/fabric/mod.ts";
import {
  compareCommits,
  epochIdOf,
  foundingIdOf,
  turnOf,
} from "../../../src/fabric/group/commit_rank.ts";
import {
  GroupBranches,
  type NewEpoch,
} from "../../../src/fabric/group/group_branches.ts";
import { crypto } from "../_agents.ts";

const GROUP = new Uint8Array(32).fill(1);
const ELECTORS = new Map([["a", 1], ["b", 1], ["c", 1], ["d", 1]]);

function idOf(name: string): string {
  return crypto.hash("sha256", new TextEncoder().encode(name)).toHex();
}

/** The epoch `name` behind the one whose name has one letter less; its turn is that of its last letter. */
function epochOf(name: string, isAdmin = false): NewEpoch<string> {
  const turn = new Uint8Array(32).fill(name.charCodeAt(name.length - 1));
  return {
    id: idOf(name),
    epoch: name.length,
    parent: name === "" ? "" : idOf(name.slice(0, -1)),
    rank: { isAdmin, turn, id: Uint8Array.fromHex(idOf(name)) },
    electors: ELECTORS,
    state: name,
  };
}

function branchesOf(...names: readonly string[]): GroupBranches<string> {
  const branches = new GroupBranches(epochOf(""));
  for (const name of names) branches.add(epochOf(name));
  return branches;
}

function* orders<T>(items: readonly T[]): IterableIterator<readonly T[]> {
  if (items.length === 0) yield [];
  for (const [i, item] of items.entries()) {
    for (const rest of orders(items.toSpliced(i, 1))) yield [item, ...rest];
  }
}

Deno.test("turnOf() depends on the group, the epoch and the agent; admins go before all turns", () => {
  const [a, b] = [1, 2].map((each) =>
    new AgentId(new Uint8Array(32).fill(each))
  );
  const turn = turnOf(crypto, GROUP, 7, a!);
  assertEquals(
    turn,
    crypto.hash(
      "sha256",
      new Uint8Array([
        ...new TextEncoder().encode("betanet-fabric-turn"),
        ...GROUP,
        ...[0, 0, 0, 0, 0, 0, 0, 7],
        ...a!.bytes,
      ]),
    ),
  );
  const all = [
    turn,
    turnOf(crypto, GROUP, 8, a!),
    turnOf(crypto, GROUP, 7, b!),
    turnOf(crypto, new Uint8Array(32), 7, a!),
  ];
  assertEquals(new Set(all.map((each) => each.toHex())).size, 4);
  const id = new Uint8Array(32);
  const low = { isAdmin: false, turn: new Uint8Array(32), id };
  const admin = { isAdmin: true, turn: new Uint8Array(32).fill(255), id };
  assertEquals(compareCommits(admin, low) < 0, true);
  assertEquals(
    compareCommits(low, { ...low, id: id.slice().fill(1) }) < 0,
    true,
  );
  assertEquals(compareCommits(low, low), 0);
});

Deno.test("epochIdOf() names an epoch by all commits before it", () => {
  const first = foundingIdOf(crypto, GROUP);
  const commit = new Uint8Array([1, 2, 3]);
  const one = epochIdOf(crypto, first, commit);
  const other = epochIdOf(crypto, first, new Uint8Array([1, 2]));
  const names = [
    ...[first, one, other],
    ...[epochIdOf(crypto, one, commit), epochIdOf(crypto, other, commit)],
  ];
  assertEquals(new Set(names.map((each) => each.toHex())).size, 5);
});

Deno.test("the branch that counts is the same for all orders of the same commits and decisions", () => {
  const names = ["x", "y", "xz", "ya", "yb"];
  const seen = new Set<string>();
  for (const order of orders(names)) {
    const branches = branchesOf();
    let waiting = [...order];
    while (waiting.length > 0) {
      waiting = waiting.filter((name) => {
        const { id, parent, epoch, rank } = epochOf(name);
        const { kind } = branches.place(id, parent, epoch - 1, rank);
        if (kind === "open") branches.add(epochOf(name));
        return kind === "unknown";
      });
    }
    seen.add(branches.path().map(({ state }) => state).join());
  }
  assertEquals([...seen], [",x,xz"]);
  const decided = new Set<string>();
  for (const order of orders(["y", "x", "ack", "ack2", "ack3"])) {
    const branches = branchesOf();
    for (const name of order) {
      if (name.startsWith("ack")) {
        branches.acknowledge(
          idOf("y"),
          1,
          `${"abc"[["ack", "ack2", "ack3"].indexOf(name)]}`,
        );
      } else if (branches.place(idOf(name), idOf(""), 0).kind === "open") {
        branches.add(epochOf(name));
      }
    }
    decided.add(branches.tip.state);
  }
  assertEquals([...decided], ["y"]);
});

Deno.test("half of the weight decides nothing, more than half does, and what it decided stands", () => {
  const branches = branchesOf("y");
  branches.acknowledge(idOf("y"), 1, "a");
  branches.acknowledge(idOf("y"), 1, "b");
  branches.acknowledge(idOf("y"), 1, "stranger");
  assertEquals(branches.get(idOf("y"))!.isFinal, false);
  branches.add(epochOf("x"));
  assertEquals(branches.tip.state, "x");
  branches.acknowledge(idOf("y"), 1, "c");
  assertEquals(branches.tip.state, "y");
  assertEquals(branches.place(idOf("w"), idOf(""), 0).kind, "final");
  assertThrows(() => branches.add(epochOf("w")), RangeError);
  // What leads to a decided epoch goes before what does not.
  const deep = branchesOf("x", "y", "yy");
  assertEquals(deep.tip.state, "x");
  for (const each of ["a", "b", "c"]) deep.acknowledge(idOf("yy"), 2, each);
  assertEquals(deep.tip.state, "yy");
});

Deno.test("epochs beyond the window are given up with all that is beside them", () => {
  const branches = new GroupBranches(epochOf(""), { maxEpochs: 2 });
  branches.add(epochOf("x"));
  branches.add(epochOf("y"));
  branches.add(epochOf("xx"));
  const dropped = branches.add(epochOf("xxx"));
  assertEquals(dropped.map(({ state }) => state), ["", "y"]);
  assertEquals([branches.root.state, branches.size], ["x", 3]);
  assertEquals(branches.place(idOf("w"), idOf(""), 0).kind, "stale");
  assertEquals(branches.place(idOf("vw"), idOf("v"), 3).kind, "unknown");
  assertEquals(branches.acknowledge(idOf("x"), 1, "a"), undefined);
  assertEquals(branches.acknowledge(idOf("zzzzzz"), 6, "a"), undefined);
});

Deno.test("the best commits for an epoch are kept, and branches are bounded", () => {
  const branches = branchesOf("d", "c", "b");
  assertEquals(branches.add(epochOf("a")).map(({ state }) => state), ["d"]);
  const { kind } = branches.place(idOf("e"), idOf(""), 0, epochOf("e").rank);
  assertEquals(kind, "beaten");
  const small = new GroupBranches(epochOf(""), { maxBranchEpochs: 4 });
  for (const name of ["a", "b", "c", "ba", "aa"]) small.add(epochOf(name));
  assertEquals([...small.entries()].map(({ state }) => state), ["", "a", "aa"]);
});

Deno.test("a member names few epochs of a number that are not here, and two of them are seen", () => {
  const branches = branchesOf();
  for (const name of ["x", "y", "z"]) branches.acknowledge(idOf(name), 1, "a");
  assertEquals(branches.ackedBy("a", 1).length, 2);
  assertEquals(branches.acknowledge(idOf("x"), 1, "a"), undefined);
});
