import { assertEquals } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import { silentLogger } from "../../../src/core/log/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import { Delivery, type LiveWay } from "../../../src/fabric/agent/delivery.ts";
import { Outbox } from "../../../src/fabric/outbox/outbox.ts";
import type { RpcLink } from "../../../src/fabric/rpc/rpc_link.ts";
import { messageOf } from "../_messages.ts";

Deno.test("a word that a message is handled settles it only if no signed receipt is wanted", async () => {
  const clock = new VirtualClock(0);
  const outbox = new Outbox(memoryStore());
  for (const n of [1, 2]) {
    await outbox.accept(messageOf(n, { wantsReceipts: n === 2 }));
  }
  const said = { kind: "status", code: "handled", reason: "" } as const;
  const link: Pick<RpcLink, "send"> = { send: () => Promise.resolve(said) };
  const live: LiveWay = {
    with: () => link as RpcLink,
    canDial: () => true,
    dial: () => Promise.reject(new Error("not asked for")),
    sinceHeardMs: () => 0,
    sinceFailedMs: () => undefined,
  };
  const events = { onTaken() {}, onEnd() {}, onAnswer() {} };
  const delivery = new Delivery({
    ...{ outbox, live, events, clock, log: silentLogger },
    random: () => 0.5,
  });
  await clock.run(100);
  assertEquals(
    [...outbox.entries()].map(({ id }) => id),
    [messageOf(2).id.toHex()],
  );
  await delivery.close();
});
