import { assertEquals } from "@std/assert";
import { NetworkTally } from "../../src/htx/network_tally.ts";
import { WaitingRoom } from "../../src/htx/waiting_room.ts";

Deno.test("WaitingRoom sends the oldest away, of the newcomer's network if that has its share", () => {
  const room = new WaitingRoom({ max: 4, maxPerNetwork: 2 });
  const away: string[] = [];
  const enter = (host: string) =>
    room.enter(`tcp://${host}:1`, () => away.push(host));
  enter("10.0.1.1");
  enter("10.0.0.1");
  const second = enter("10.0.0.2");
  enter("10.0.0.3");
  assertEquals(away, ["10.0.0.1"]);
  second[Symbol.dispose]();
  second[Symbol.dispose]();
  enter("10.0.0.4");
  enter("10.0.2.1");
  assertEquals(away, ["10.0.0.1"]);
  enter("10.0.3.1");
  enter("10.0.4.1");
  assertEquals(away, ["10.0.0.1", "10.0.1.1", "10.0.0.3"]);
  enter("10.0.0.5");
  assertEquals(away.at(-1), "10.0.0.4");
});

Deno.test("WaitingRoom counts a visitor who gave way once", () => {
  const room = new WaitingRoom({ max: 2, maxPerNetwork: 2 });
  let away = 0;
  const enter = () => room.enter("tcp://10.0.0.1:1", () => away++);
  for (let i = 0; i < 100; i++) {
    const place = enter();
    enter();
    enter();
    place[Symbol.dispose]();
  }
  assertEquals(away, 298);
});

Deno.test("NetworkTally counts by network and in all", () => {
  const tally = new NetworkTally();
  for (const network of ["a", "a", "b"]) tally.add(network);
  tally.remove("a");
  assertEquals([tally.of("a"), tally.of("b"), tally.of("c")], [1, 1, 0]);
  assertEquals(tally.total, 2);
  tally.remove("a");
  assertEquals([tally.of("a"), tally.total], [0, 1]);
});
