import { assert, assertEquals } from "@std/assert";
import {
  GroupWorld,
  type Member,
  openKindOf,
  seeded,
} from "../fabric/group/_group_world.ts";

const [FIRST, LAST] = (Deno.env.get("BETANET_GROUP_SEED") ?? "7").split("-")
  .map(Number) as [number, number?];
const ROUNDS = Number(Deno.env.get("BETANET_GROUP_ROUNDS") ?? "3");
const MEMBERS = Number(Deno.env.get("BETANET_GROUP_MEMBERS") ?? "50");
const CHURN = 0.3;
const LOSS = 0.1;
const COPIES = 0.05;
const COMMITTERS = 3;
const TIMES = { ackMs: 2_000, tipMs: 8_000, retryMs: 4_000, askMs: 4_000 };

/** Brings letters in an order drawn by chance, of which some get lost, some come twice, and none crosses a partition. */
async function storm(
  world: GroupWorld,
  random: () => number,
  sideOf: (name: string) => number,
  rounds: number,
): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    for (let i = 0; world.letters.length > 0 && i < 4_000; i++) {
      const at = Math.floor(random() * world.letters.length);
      const [letter] = world.letters.splice(at, 1);
      const { from, to } = letter!;
      if (random() < LOSS || sideOf(from) !== sideOf(to)) {
        // The outbox sends again until it hears; what members find out by themselves is lost here for good.
        if (openKindOf(letter!) === "welcome") world.letters.push(letter!);
        continue;
      }
      await world.bring(letter!);
      if (random() < COPIES) await world.bring(letter!);
    }
    await world.tick(2_000);
  }
}

function membersOf(world: GroupWorld): Member[] {
  return [...world.members.values()].filter(({ session }) => session?.isMember);
}

/** Who is where, for a message when they do not agree. */
function placesOf(
  world: GroupWorld,
  fresh: readonly Member[],
  gone: readonly Member[],
): string {
  const byPlace = Map.groupBy(
    world.members.values(),
    ({ session }) =>
      `${session?.isMember} ${session?.epoch} ${session?.epochId}`,
  );
  const roleOf = (member: Member) =>
    `${member.name}${fresh.includes(member) ? "+" : ""}${
      gone.includes(member) ? "-" : ""
    } root ${member.session?.branches.root.epoch} next ${
      (member.session?.nextMs ?? 0) - world.nowMs
    }`;
  return [
    `${world.letters.length} letters`,
    ...[...byPlace].map(([place, members]) =>
      `${place}: ${members.length}: ${members.slice(0, 6).map(roleOf)}`
    ),
  ].join("\n");
}

for (let seed = FIRST; seed <= (LAST ?? FIRST); seed++) {
  Deno.test(`a group of ${MEMBERS} with churn ${CHURN} over a network that loses, reorders and parts converges in ${ROUNDS} rounds, seed ${seed}`, () =>
    churn(seed));
}

async function churn(seed: number): Promise<void> {
  const began = performance.now();
  const random = seeded(seed);
  const world = new GroupWorld(random, { times: TIMES });
  const names = Array.from({ length: MEMBERS }, (_, i) => `m${i}`);
  const founder = world.member(names[0]!);
  await founder.found();
  const others = names.slice(1).map((name) => world.member(name));
  await world.addAll(founder, ...others);
  await world.deliver();
  assertEquals(membersOf(world).length, MEMBERS);
  let next = MEMBERS;
  let count = MEMBERS;
  let rolledBack = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const pool = membersOf(world);
    const draw = () => pool.splice(Math.floor(random() * pool.length), 1)[0]!;
    const committers = Array.from({ length: COMMITTERS }, draw);
    const changes = Math.round(MEMBERS * CHURN);
    const gone = Array.from({ length: changes >> 1 }, draw);
    const fresh = Array.from(
      { length: changes - gone.length },
      () => world.member(`m${next++}`),
    );
    for (const [i, by] of committers.entries()) {
      const mine = <T>(list: readonly T[]) =>
        list.filter((_, j) => j % COMMITTERS === i);
      await world.changeAll(by, mine(fresh), mine(gone));
    }
    const cut = 2 + Math.floor(random() * MEMBERS);
    const order = new Map(
      [...world.members.keys()].map((name, i) => [name, i]),
    );
    await storm(world, random, (name) => order.get(name)! < cut ? 0 : 1, 2);
    rolledBack += membersOf(world).reduce(
      (sum, { session }) => sum + session!.counts.rolledBack,
      0,
    );
    // A third of the processes die in the middle of it, and start again.
    for (const [i, member] of [...world.members.values()].entries()) {
      if (i % 3 === 0) member.restart();
    }
    for (let i = 0; i < 60; i++) {
      await storm(world, random, () => 0, 1);
      const views = new Set(membersOf(world).map(({ view }) => view));
      const isDone = fresh.every(({ session }) => session?.isMember) &&
        gone.every(({ session }) => !session!.isMember);
      // Members tell each other again and again where they are; nothing else is under way.
      const isQuiet = world.letters.every((each) => openKindOf(each) === "tip");
      if (views.size === 1 && isDone && isQuiet) break;
    }
    const members = membersOf(world);
    assertEquals(
      new Set(members.map(({ view }) => view)).size,
      1,
      placesOf(world, fresh, gone),
    );
    count += fresh.length - gone.length;
    assertEquals(members.length, count);
    assert(gone.every(({ session }) => !session!.isMember));
    // What is published now is read by all members and nobody else.
    const text = `round ${round}`;
    await world.publish(committers[0]!, text);
    await world.deliver();
    for (const member of world.members.values()) {
      const hears = member.session!.isMember && member !== committers[0];
      assertEquals(member.heard.includes(text), hears);
    }
  }
  const seconds = (performance.now() - began) / 1_000;
  const epochs = membersOf(world).map(({ session }) => session!.epoch);
  // deno-lint-ignore no-console -- the seed, to run it again
  console.log(
    `seed ${seed}, ${ROUNDS} rounds, epoch ${
      Math.max(...epochs)
    }, ${rolledBack} branches left, ${seconds.toFixed(0)} s`,
  );
  assert(rolledBack > 0);
}
