import { assertEquals } from "@std/assert";
import { MemoryNetwork } from "../../../src/core/transport/mod.ts";
import { AdaptiveReader } from "../../../src/dtn/cla/adaptive_reader.ts";

Deno.test("AdaptiveReader grows with what comes, and shrinks when less does", async () => {
  const network = new MemoryNetwork();
  await using listener = await network.transport("b").listen("memory://b");
  await using near = await network.transport("a").dial("memory://b");
  const { value: far } = await listener[Symbol.asyncIterator]().next();
  const reader = new AdaptiveReader(far);
  await near.write(new Uint8Array(40_000).fill(1));
  const sizes: number[] = [];
  for (let left = 40_000; left > 0; left -= sizes.at(-1)!) {
    sizes.push((await reader.read())!.length);
  }
  assertEquals(sizes.slice(0, 3), [4_096, 8_192, 4_096]);
  for (let i = 0; i < 3; i++) {
    await near.write(new Uint8Array([i]));
    assertEquals(await reader.read(), new Uint8Array([i]));
  }
  await near.write(new Uint8Array(10_000));
  assertEquals((await reader.read())!.length, 4_096);
  await near.closeWrite();
  while (await reader.read());
  far.close();
});
