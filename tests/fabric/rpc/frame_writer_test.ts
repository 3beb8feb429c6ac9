import { assertEquals } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import type { FabricError } from "../../../src/fabric/mod.ts";
import { FrameWriter } from "../../../src/fabric/rpc/frame_writer.ts";
import type { Stream } from "../../../src/htx/mod.ts";

Deno.test("what is written to who never reads is bounded", async () => {
  const errors: unknown[] = [];
  const stuck = { write: () => new Promise(() => {}) } as unknown as Stream;
  const writer = new FrameWriter(
    stuck,
    new VirtualClock(),
    (error) => errors.push(error),
  );
  const body = new Uint8Array(1024 * 1024 - 5);
  for (let i = 0; i < 64; i++) writer.write("receipts", body);
  await Promise.resolve();
  assertEquals([writer.backlog, errors.length], [64 * 1024 * 1024, 0]);
  writer.write("receipts", body);
  assertEquals(errors.length, 1);
  assertEquals((errors[0] as FabricError).code, "full");
});
