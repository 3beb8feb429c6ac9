import { assertEquals } from "@std/assert";
import {
  type Connection,
  MemoryNetwork,
} from "../../src/core/transport/mod.ts";
import { concat } from "../../src/core/bytes/mod.ts";
import { FLAG } from "../../src/http2/mod.ts";
import { frame } from "../http2/_peer.ts";
import { Decoy } from "../../src/htx/decoy.ts";
import { readAll } from "./_prober.ts";

const SETTINGS = encodeSettingsFrame([3, 128]);
const WINDOW_UPDATE = frame("windowUpdate", 0, [0, 0, 1, 0]);
const ACK = frame("settings", 0, [], FLAG.ack);
const GREETING = concat(SETTINGS, WINDOW_UPDATE, ACK);
const LATER = Uint8Array.of(7, 8, 9, 10);

Deno.test("a visitor who was greeted hears the rest of what the origin says, whatever the pieces", async () => {
  const said = concat(GREETING, LATER);
  for (const size of [1, 7, 15, GREETING.length, said.length]) {
    const pieces = [];
    for (let at = 0; at < said.length; at += size) {
      pieces.push(said.subarray(at, at + size));
    }
    const { heard, decoy } = await visit(pieces);
    assertEquals(heard, LATER);
    assertEquals(decoy.counts.unlike, 0);
  }
});

Deno.test("the frames of an origin's greeting come in any order", async () => {
  const pieces = [SETTINGS, ACK, WINDOW_UPDATE, LATER];
  const { heard, decoy } = await visit(pieces);
  assertEquals([heard, decoy.counts.unlike], [LATER, 0]);
});

Deno.test("an acknowledgement that the visitor has not got yet is passed on", async () => {
  const pieces = [SETTINGS, ACK, WINDOW_UPDATE, LATER];
  const greeting = concat(SETTINGS, WINDOW_UPDATE);
  const { heard, decoy } = await visit(pieces, greeting);
  assertEquals([heard, decoy.counts.unlike], [concat(ACK, LATER), 0]);
});

Deno.test("Decoy closes a visitor whose origin begins with something else", async () => {
  for (
    const piece of [
      SETTINGS,
      concat(SETTINGS, ACK, ACK, ACK),
      concat(SETTINGS, SETTINGS, WINDOW_UPDATE, ACK),
      concat(SETTINGS, ACK, LATER, LATER, LATER, LATER, LATER),
      encodeSettingsFrame([3, 100]),
      new TextEncoder().encode(`HTTP/1.1 400 Bad Request${"\r\n".repeat(99)}`),
      new Uint8Array(0),
    ]
  ) {
    const { heard, decoy } = await visit([piece]);
    assertEquals(heard, new Uint8Array(0));
    assertEquals(decoy.counts.unlike, 1);
  }
});

function encodeSettingsFrame([identifier, value]: [number, number]) {
  return frame("settings", 0, [0, identifier, 0, 0, 0, value]);
}

/** What a visitor with the greeting hears from an origin that says `pieces` and ends. */
async function visit(pieces: readonly Uint8Array[], greeting = GREETING) {
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
    greeting,
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
