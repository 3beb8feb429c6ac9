import { assert, assertEquals } from "@std/assert";
import { readAll } from "./_prober.ts";
import { World } from "./_world.ts";

Deno.test("Session forgets streams that were reset before anybody took them", async () => {
  await using world = await World.start({ parameters: { maxStreams: 16 } });
  const { client, server } = await world.pair();
  for (let i = 0; i < 2_000; i++) (await client.open()).close();
  const live = await client.open();
  await live.write(Uint8Array.of(7));
  await live.closeWrite();
  const { value: first } = await server[Symbol.asyncIterator]().next();
  assertEquals(first.id, live.id);
  assertEquals(await readAll(first), Uint8Array.of(7));
});

Deno.test("Session keeps what a stream said before its reset, of as many streams as it offered", async () => {
  await using world = await World.start({ parameters: { maxStreams: 16 } });
  const { client, server } = await world.pair();
  for (let i = 0; i < 500; i++) {
    const stream = await client.open();
    await stream.write(Uint8Array.of(i));
    await stream.closeWrite();
    stream.close();
  }
  await client.ping();
  const taken = server[Symbol.asyncIterator]();
  for (let i = 0; i < 16; i++) {
    const { value: stream } = await taken.next();
    assertEquals(await readAll(stream), Uint8Array.of(i));
  }
  const live = await client.open();
  assertEquals((await taken.next()).value.id, live.id);
  assert(await client.ping() >= 0);
});
