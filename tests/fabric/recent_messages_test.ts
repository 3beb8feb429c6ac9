import { assertEquals } from "@std/assert";
import { encodeMessage } from "../../src/fabric/mod.ts";
import { RecentMessages } from "../../src/fabric/recent_messages.ts";
import { messageOf } from "./_messages.ts";

Deno.test("a message that was written a moment ago is given once, as it was written", () => {
  const recent = new RecentMessages();
  const payload = Uint8Array.of(1, 2, 3);
  const metadata = new Map([["a", "b"]]);
  const message = messageOf(1, { payload, metadata });
  recent.put(5, message, encodeMessage(message));
  recent.put(
    6,
    messageOf(2, { payload: new Uint8Array() }),
    encodeMessage(messageOf(2)),
  );
  payload[0] = 9;
  metadata.clear();
  assertEquals(
    recent.take(5),
    messageOf(1, {
      payload: Uint8Array.of(1, 2, 3),
      metadata: new Map([["a", "b"]]),
    }),
  );
  assertEquals(recent.take(5), undefined);
  assertEquals(recent.take(6)?.payload, new Uint8Array());
  assertEquals(recent.bytes, 0);
});

Deno.test("of recent messages the oldest give way, and one that is too long is not held", () => {
  const recent = new RecentMessages(3_100);
  const put = (n: number, length: number) => {
    const message = messageOf(n, { payload: new Uint8Array(length) });
    recent.put(n, message, encodeMessage(message));
  };
  for (const n of [1, 2, 3]) put(n, 1_000);
  assertEquals(recent.take(1), undefined);
  assertEquals(recent.take(2)?.id[0], 2);
  put(4, 3_000);
  assertEquals([3, 4].map((n) => recent.take(n)?.id[0]), [3, undefined]);
  assertEquals(recent.bytes, 0);
});
