import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Connection, Listener } from "../../src/core/transport/mod.ts";
import { HtxError } from "../../src/htx/error.ts";
import { HtxServer } from "../../src/htx/server.ts";
import type { Session } from "../../src/htx/session.ts";
import { World } from "./_world.ts";

/** Lets `connection` export `byte`s, as one over TLS would export secrets. */
function secure(connection: Connection, byte: number): Connection {
  return Object.assign(connection, {
    exportKeyingMaterial(label: string, length: number) {
      assertEquals(label, "htx inner v1");
      return new Uint8Array(length).fill(byte);
    },
  });
}

/** A second server of `world`, whose connections come over a channel that exports `byte`s. */
async function serveSecurely(world: World, byte: number): Promise<HtxServer> {
  const listener = await world.network.transport("tls").listen("memory://tls");
  const securing: Listener = {
    address: listener.address,
    close: () => listener.close(),
    async *[Symbol.asyncIterator]() {
      for await (const connection of listener) yield secure(connection, byte);
    },
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  };
  return new HtxServer([securing], {
    staticKeyPair: world.staticKeyPair,
    gate: world.gate,
    decoy: world.decoy,
    cookieName: world.offer.cookieName,
  });
}

/** A session over a channel that exports `byte`s at the client's end, or nothing. */
function dialOver(world: World, byte: number | undefined): Promise<Session> {
  return world.dial({
    dial: async () => {
      const to = "memory://tls";
      const raw = await world.network.transport("client").dial(to);
      return byte === undefined ? raw : secure(raw, byte);
    },
  });
}

Deno.test("the inner keys are bound to the exporter of the channel below", async () => {
  await using world = await World.start();
  await using _server = await serveSecurely(world, 7);
  await using client = await dialOver(world, 7);
  assert(await client.ping() >= 0);
});

for (const byte of [8, undefined]) {
  Deno.test(`two channels that somebody joined carry no session: ${byte}`, async () => {
    await using world = await World.start();
    await using _server = await serveSecurely(world, 7);
    await using client = await dialOver(world, byte);
    await assertRejects(() => client.ping(), HtxError);
    const { error } = await client.closed;
    assert(error && ["unauthenticated", "closed"].includes(error.code));
  });
}
