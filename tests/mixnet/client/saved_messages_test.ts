import { assertEquals, assertThrows } from "@std/assert";
import { utf8 } from "../../../src/core/bytes/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import { MixClientError } from "../../../src/mixnet/client/error.ts";
import { SavedMessages } from "../../../src/mixnet/client/saved_messages.ts";
import { SavedReplies } from "../../../src/mixnet/client/saved_replies.ts";

const id = (n: number) => new Uint8Array(16).fill(n);
const to = {
  gatewayId: new Uint8Array(32).fill(1),
  clientId: new Uint8Array(32).fill(2),
  sealKey: new Uint8Array(32).fill(3),
};

Deno.test("messages and replies under way are there after a restart, until they are forgotten", () => {
  const store = memoryStore();
  const one = { to, bytes: utf8("one"), deadlineWallMs: 1_800_000_000_001 };
  const none = { to, bytes: new Uint8Array(0), deadlineWallMs: 0 };
  const messages = new SavedMessages(store);
  messages.set(id(1), one);
  messages.set(id(2), none);
  new SavedReplies(store).set(id(1), utf8("reply"));
  assertEquals(new SavedMessages(store).all(), [
    { messageId: id(1), ...one },
    { messageId: id(2), ...none },
  ]);
  assertEquals(new SavedReplies(store).all(), [
    { messageId: id(1), bytes: utf8("reply") },
  ]);
  messages.delete(id(1));
  assertEquals(new SavedMessages(store).all().length, 1);
  new SavedReplies(store).delete(id(1));
  assertEquals(new SavedReplies(store).all(), []);
});

Deno.test("a full store takes neither", () => {
  const store = memoryStore({ maxEntries: 0 });
  const error = assertThrows(
    () =>
      new SavedMessages(store).set(id(1), {
        to,
        bytes: utf8("one"),
        deadlineWallMs: 0,
      }),
    MixClientError,
  );
  assertEquals(error.code, "queue_full");
  assertEquals(new SavedReplies(store).set(id(1), utf8("one")), false);
});
