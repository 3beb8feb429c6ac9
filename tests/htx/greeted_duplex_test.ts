import { assertEquals } from "@std/assert";
import {
  type Connection,
  MemoryNetwork,
} from "../../src/core/transport/mod.ts";
import { Decoy } from "../../src/htx/decoy.ts";
import { readAll } from "./_prober.ts";

const GREETING = Uint8Array.of(1, 2, 3, 4, 5, 6);

Deno.test("a visitor who was greeted hears the rest of what the origin says, whatever the pieces", async () => {
  for (const sizes of [[6, 4], [10], [1, 1, 1, 1, 1, 1, 4], [4, 6], [6]]) {
    const said = [...GREETING, 7, 8, 9, 10];
    const pieces = sizes.map((size) => Uint8Array.from(said.splice(0, size)));
    const { heard, decoy } = await visit(pieces);
    assertEquals([...heard], sizes[0] === 6 && !sizes[1] ? [] : [7, 8, 9, 10]);
    assertEquals(decoy.counts.unlike, 0);
  }
});

Deno.test("Decoy closes a visitor whose origin begins with something else", async () => {
  for (const piece of [[1, 2, 9], [9], [1, 2, 3, 4, 5, 7, 7], []]) {
    const { heard, decoy } = await visit([Uint8Array.from(piece)]);
    assertEquals(heard, new Uint8Array(0));
    assertEquals(decoy.counts.unlike, 1);
  }
});

/** What a visitor with the greeting hears from an origin that says `pieces` and ends. */
async function visit(pieces: readonly Uint8Array[]) {
  const network = new MemoryNetwork();
  const [origin, server] = await Promise.all(
    ["origin", "server"].map((host) =>
      network.transport(host).listen(`memory://${host}`)
    ),
  );
  const decoy = new Decoy({
    dial: () => network.transport("server").dial("memory://origin"),
  });
  const visitor = await network.transport("visitor").dial("memory://server");
  const served = decoy.serve(await first(server!), new Uint8Array(0), {
    greeting: GREETING,
  });
  const far = await first(origin!);
  for (const piece of pieces) await far.write(piece);
  await far.closeWrite();
  const heard = await readAll(visitor);
  visitor.close();
  await served;
  far.close();
  for (const listener of [origin!, server!]) listener.close();
  return { heard, decoy };
}

async function first(listener: AsyncIterable<Connection>): Promise<Connection> {
  for await (const connection of listener) return connection;
  throw new Error("Nobody came");
}
