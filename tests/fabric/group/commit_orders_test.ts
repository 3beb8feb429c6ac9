import { assert, assertEquals } from "@std/assert";
import {
  GroupWorld,
  type Letter,
  type Member,
  seeded,
} from "./_group_world.ts";

/** Quick to decide and to try again, so that a test settles soon. */
const TIMES = { ackMs: 1_000, tipMs: 10_000, retryMs: 1_000, turnMs: 500 };

function* orders<T>(items: readonly T[]): IterableIterator<readonly T[]> {
  if (items.length === 0) yield [];
  for (const [i, item] of items.entries()) {
    for (const rest of orders(items.toSpliced(i, 1))) yield [item, ...rest];
  }
}

function* products<T>(
  lists: readonly (readonly T[])[],
): IterableIterator<readonly T[]> {
  const [first, ...others] = lists;
  if (!first) return yield [];
  for (const item of first) {
    for (const rest of products(others)) yield [item, ...rest];
  }
}

function viewsOf(world: GroupWorld): Set<string> {
  return new Set(
    [...world.members.values()].map(({ view }) => view)
      .filter((view) => view !== "out"),
  );
}

/**
 * Brings what every member is to hear in every order, all members' orders combined, each letter once or twice; says in how many ways.
 */
async function everyOrder(
  start: GroupWorld,
  copies: number,
  check: (world: GroupWorld) => void,
): Promise<number> {
  const byMember = Map.groupBy(start.letters, ({ to }) => to);
  const lists = [...byMember.values()].map((letters) => {
    const doubled = Array.from({ length: copies }, () => letters).flat();
    const seen = new Set<string>();
    return [...orders(doubled)].filter((each) => {
      const key = each.map((letter) => letters.indexOf(letter)).join();
      return !seen.has(key) && seen.add(key);
    });
  });
  let count = 0;
  for (const order of products<readonly Letter[]>(lists)) {
    const world = start.fork(seeded(count));
    world.letters = [];
    for (const letter of order.flat()) await world.bring(letter);
    await world.settle(12, 2_000);
    check(world);
    count++;
  }
  return count;
}

function converged(names: readonly string[]): (world: GroupWorld) => void {
  return (world) => {
    assertEquals(viewsOf(world).size, 1);
    const [member] = [...world.members.values()];
    const roster = member!.session!.held.members.map((id) => world.nameOf(id));
    assertEquals(roster.sort(), [...names].sort());
  };
}

async function founded(
  names: readonly string[],
): Promise<[GroupWorld, Member[]]> {
  const world = new GroupWorld(seeded(1), { times: TIMES });
  const members = await world.group(names);
  await world.settle(4);
  assertEquals([viewsOf(world).size, world.letters.length], [1, 0]);
  return [world, members];
}

Deno.test("two concurrent commits of three members end in one epoch, in all orders, with copies", async () => {
  const [world, [ana, bob]] = await founded(["ana", "bob", "cat"]);
  const dan = world.member("dan");
  await world.add(ana!, dan);
  await world.update(bob!);
  // The Welcome to dan may come before or after all else.
  const names = ["ana", "bob", "cat", "dan"];
  assertEquals(await everyOrder(world, 2, converged(names)), 6);
});

Deno.test("three concurrent commits of four members end in one epoch, in all orders", async () => {
  const [world, [ana, bob, cat, dan]] = await founded([
    "ana",
    "bob",
    "cat",
    "dan",
  ]);
  const eve = world.member("eve");
  await world.remove(ana!, dan!);
  await world.add(bob!, eve);
  await world.update(cat!);
  const names = ["ana", "bob", "cat", "eve"];
  assertEquals(await everyOrder(world, 1, converged(names)), 48);
});

Deno.test("a branch of two commits against a better one ends in one epoch, in all orders", async () => {
  const [world, [ana, bob]] = await founded(["ana", "bob", "cat"]);
  await world.update(bob!);
  await world.update(bob!);
  await world.update(ana!);
  let rolledBack = 0;
  const count = await everyOrder(world, 1, (after) => {
    converged(["ana", "bob", "cat"])(after);
    rolledBack += after.member("bob").session!.counts.rolledBack;
  });
  assertEquals(count, 12);
  // Ana is the admin: hers is better, and bob goes back.
  assert(rolledBack > 0);
});
