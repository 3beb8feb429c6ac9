import { assertEquals } from "@std/assert";
import { utf8 } from "../../../src/core/bytes/mod.ts";
import { Inbox } from "../../../src/dtn/cla/inbox.ts";

Deno.test("Inbox has room again when the node has decided, and tells once", async () => {
  const inbox = new Inbox({ maxCount: 2, maxBytes: 10 });
  const told: (string | undefined)[] = [];
  inbox.deliver(utf8("one"), (refusal) => told.push(refusal));
  assertEquals(inbox.hasRoom, true);
  inbox.deliver(utf8("two"), (refusal) => told.push(refusal));
  assertEquals(inbox.hasRoom, false);
  const taken = [];
  inbox.close();
  for await (const bundle of inbox) taken.push(bundle);
  assertEquals(taken.map(({ bytes }) => bytes), [utf8("one"), utf8("two")]);
  assertEquals(inbox.hasRoom, false, "taken is not decided");
  taken[0]!.accept();
  taken[0]!.refuse("unknown");
  taken[1]!.refuse("noResources");
  assertEquals(told, [undefined, "noResources"]);
  assertEquals(inbox.hasRoom, true);
});

Deno.test("Inbox is full of one bundle that is larger than it", () => {
  const inbox = new Inbox({ maxCount: 2, maxBytes: 10 });
  inbox.deliver(new Uint8Array(100), () => {});
  assertEquals(inbox.hasRoom, false);
});
