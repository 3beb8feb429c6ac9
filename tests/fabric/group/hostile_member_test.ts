import { assert, assertEquals } from "@std/assert";
import { FabricError } from "../../../src/fabric/error.ts";
import {
  decodeGroupMessage,
  encodeGroupMessage,
} from "../../../src/fabric/group/group_message.ts";
import { crypto } from "../_agents.ts";
import { GROUP, GroupWorld, mls, seeded } from "./_group_world.ts";

const TIMES = { ackMs: 1_000, tipMs: 10_000, retryMs: 1_000, turnMs: 500 };

Deno.test("who sends what belongs to no epoch keeps nobody else's messages from waiting, nor from being asked for", async () => {
  const world = new GroupWorld(seeded(3), { times: TIMES });
  const [ana, bob] = await world.group(["ana", "bob", "cat"]);
  await world.settle(2);
  world.letters = [];
  for (let i = 0; i < 8 * 130; i++) {
    const stranger = world.member(`stranger${i % 8}`);
    const bytes = encodeGroupMessage(stranger.agent, {
      ...{ kind: "application", group: GROUP, epoch: 2 ** 50 },
      ...{
        at: crypto.random(32),
        body: crypto.random(8),
      },
    });
    await world.bring({ from: stranger.name, to: "bob", bytes });
  }
  assert(bob!.session!.counts.unparked > 0);
  const before = bob!.session!.counts.unparked;
  // What ana says comes before the commit that it is behind, which is lost.
  await world.update(ana!);
  await world.publish(ana!, "hello");
  for (const letter of world.letters.splice(0)) {
    const { kind } = decodeGroupMessage(crypto, letter.bytes);
    if (letter.to === "bob" && letter.from === "ana" && kind !== "commit") {
      await world.bring(letter);
    }
  }
  assertEquals(bob!.session!.counts.unparked, before);
  const asked = world.letters.filter(({ from, to }) =>
    from === "bob" && to === "ana"
  );
  assertEquals(asked.length, 1);
  world.letters = asked;
  await world.deliver();
  assertEquals(bob!.heard, ["hello"]);
});

Deno.test("a member that cannot follow a commit that the others decided for comes back behind it", async () => {
  const world = new GroupWorld(seeded(4), { times: TIMES });
  const members = await world.group(["ana", "bob", "cat", "dan"]);
  await world.settle(3);
  const [ana, , , dan] = members;
  await world.update(ana!);
  const commit = world.letters.find(({ to }) => to === "dan")!.bytes;
  const { body } = decodeGroupMessage(crypto, commit);
  // As if ana had made the path secret for dan of something else.
  const process = mls.process.bind(mls);
  let refused = 0;
  const here = dan!.session;
  mls.process = (state, message) => {
    const isDan = state.self.id.equals(dan!.agent.id);
    if (!isDan || message.length !== body.length || !isSame(message, body)) {
      return process(state, message);
    }
    refused++;
    return Promise.reject(new FabricError("group_epoch", "It cannot be read"));
  };
  try {
    await world.settle(20);
    assert(refused > 0);
    assertEquals(here, dan!.session);
    assertEquals(new Set(members.map(({ view }) => view)).size, 1);
    await world.publish(ana!, "hello");
    await world.deliver();
    assertEquals(dan!.heard, ["hello"]);
    await world.publish(dan!, "here");
    await world.deliver();
    assertEquals(ana!.heard, ["here"]);
  } finally {
    mls.process = process;
  }
});

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((each, i) => each === b[i]);
}
