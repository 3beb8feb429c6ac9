import { assertEquals } from "@std/assert";
import type { Clock } from "../../src/core/async/mod.ts";
import { TurnShare } from "../../src/fabric/turn_share.ts";

/** A clock that somebody sets, and the turns that were asked for. */
function world() {
  const turns: (() => void)[] = [];
  const clock: Clock & { ms: number } = {
    ms: 100,
    wallTime: () => 0,
    now: () => clock.ms,
    setTimeout(fn) {
      turns.push(fn);
      return () => turns.splice(turns.indexOf(fn) >>> 0, 1);
    },
  };
  const nextTurn = () => turns.splice(0).forEach((fn) => fn());
  return {
    clock,
    turns,
    nextTurn,
    share: new TurnShare(clock, { minMs: 8, maxMs: 20 }),
  };
}

const settled = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

Deno.test("a share of a turn is given until it is used up, then in the next, first come, first served", async () => {
  const { clock, nextTurn, share } = world();
  const done: string[] = [];
  const enter = (name: string) => share.enter().then(() => done.push(name));
  void enter("a");
  clock.ms += 7.9;
  void enter("b");
  clock.ms += 0.2;
  void enter("c");
  void enter("d");
  await settled();
  assertEquals(done, ["a", "b"]);
  nextTurn();
  void enter("e");
  await settled();
  assertEquals(done, ["a", "b", "c", "d", "e"]);
});

Deno.test("a share is as long as everything else took while somebody waited, within limits", async () => {
  const { clock, nextTurn, share } = world();
  /** Milliseconds that are given of a turn. */
  const given = async () => {
    let isWaiting = true;
    for (let ms = 0;; ms++, clock.ms++) {
      isWaiting = true;
      void share.enter().then(() => isWaiting = false);
      await settled();
      if (isWaiting) return ms;
    }
  };
  const shares: number[] = [];
  for (const othersMs of [3, 12, 100, 9]) {
    shares.push(await given());
    clock.ms += othersMs;
    nextTurn();
  }
  shares.push(await given());
  assertEquals(shares, [8, 8, 12, 20, 9]);
  nextTurn();
  void share.enter();
  nextTurn();
  assertEquals(await given(), 8);
});

Deno.test("a share begins anew in a turn in which nothing was done for long", async () => {
  const { clock, nextTurn, turns, share } = world();
  await share.enter();
  assertEquals(turns.length, 1);
  nextTurn();
  clock.ms += 1_000;
  await share.enter();
  assertEquals(turns.length, 1);
});

Deno.test("who waits goes on when the share is disposed of, and no turn is asked for", async () => {
  const { clock, turns, share } = world();
  await share.enter();
  clock.ms += 8;
  const waiting = share.enter();
  share[Symbol.dispose]();
  assertEquals(turns.length, 0);
  await waiting;
});
