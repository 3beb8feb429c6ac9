import { assertEquals } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { decodeDatagram } from "../../src/betanet_cla/datagram.ts";
import { DatagramSender } from "../../src/betanet_cla/datagram_sender.ts";

const BUNDLE = new Uint8Array(10);
const ACKNOWLEDGED = { kind: "acknowledged" } as const;

/** A sender, and when it sent which bundle. */
function start({ rttMs = 0, maxSize = 100 } = {}) {
  const clock = new VirtualClock(0);
  const sent: [atMs: number, id: number][] = [];
  const sender = new DatagramSender({
    clock,
    rttMs: () => rttMs,
    datagrams: {
      maxSize,
      send(message) {
        const said = decodeDatagram(message.slice());
        sent.push([clock.now(), said.id]);
        return Promise.resolve();
      },
    },
  });
  return { clock, sent, sender };
}

Deno.test("DatagramSender sends again with doubled waits, and leaves what nobody answers to a stream", async () => {
  const { clock, sent, sender } = start();
  const { id, outcome } = sender.send(BUNDLE);
  await clock.run(10_000);
  assertEquals(sent, [[0, 0], [200, 0], [600, 0], [1_400, 0]]);
  assertEquals(await outcome, undefined);
  sender.hear({ kind: "answer", id, outcome: ACKNOWLEDGED });
  sender.settle(id);
});

Deno.test("DatagramSender waits at least two round trips", async () => {
  const { clock, sent, sender } = start({ rttMs: 500 });
  sender.send(BUNDLE);
  await clock.run(3_100);
  assertEquals(sent, [[0, 0], [1_000, 0], [3_000, 0]]);
  sender.close();
  await clock.run(60_000);
  assertEquals(sent.length, 3);
});

Deno.test("DatagramSender asks on while the peer says that the node has not decided, and ends with the answer", async () => {
  const { clock, sent, sender } = start();
  const { id, outcome } = sender.send(BUNDLE);
  for (let second = 0; second < 120; second++) {
    await clock.run(1_000);
    sender.hear({ kind: "pending", id });
  }
  const gaps = sent.slice(-3).map(([at], i, all) =>
    at - (all[i - 1]?.[0] ?? at)
  );
  assertEquals(gaps, [0, 8_000, 8_000]);
  sender.hear({ kind: "answer", id, outcome: ACKNOWLEDGED });
  assertEquals(await outcome, ACKNOWLEDGED);
  sender.settle(id);
  const { length } = sent;
  await clock.run(60_000);
  assertEquals(sent.length, length);
});

Deno.test("DatagramSender takes 64 at once, none 256 from the lowest, and none larger than a datagram", () => {
  const { sender } = start({ maxSize: 100 });
  assertEquals([sender.takes(95), sender.takes(96)], [true, false]);
  const first = sender.send(BUNDLE).id;
  for (let i = 1; i < 64; i++) sender.send(BUNDLE);
  assertEquals(sender.takes(1), false);
  for (let id = 1; id < 256; id++) {
    sender.settle(id);
    if (id < 193) assertEquals(sender.send(BUNDLE).id, id + 63);
  }
  assertEquals(sender.takes(1), false, "256 from the first");
  sender.settle(first);
  assertEquals(sender.takes(1), true);
  sender.close();
});
