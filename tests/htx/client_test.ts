import { assert, assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { concat, utf8 } from "../../src/core/bytes/mod.ts";
import { generateX25519, nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  type Connection,
  TransportError,
} from "../../src/core/transport/mod.ts";
import { HtxError } from "../../src/htx/error.ts";
import { HYBRID_REQUIRED_FROM_MS } from "../../src/htx/handshake.ts";
import { World } from "./_world.ts";

async function codeOf(dialing: Promise<unknown>): Promise<string> {
  const error = await assertRejects(() => dialing);
  assert(error instanceof HtxError || error instanceof TransportError);
  return error.code;
}

/** A server that answers each connection with `answer` and otherwise says nothing. */
async function impostor(
  world: World,
  answer: Uint8Array,
): Promise<AsyncDisposable> {
  const listener = await world.network.transport("impostor").listen(
    "memory://impostor",
  );
  const serving = (async () => {
    const connections: Connection[] = [];
    for await (const connection of listener) {
      connections.push(connection);
      await connection.write(answer);
    }
    for (const connection of connections) connection.close();
  })();
  return {
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

function dialImpostor(world: World): () => Promise<Connection> {
  return () => world.network.transport("client").dial("memory://impostor");
}

Deno.test("dialHtx() fails soon if the server has another key than the pinned one", async () => {
  await using world = await World.start();
  const staticKey = generateX25519(nodeProvider).publicKey;
  assertEquals(await codeOf(world.dial({ staticKey })), "reset");
  assertEquals(world.server.counts.handshakeRejected, 1);
});

Deno.test("dialHtx() takes no answer from who does not own the pinned key", async () => {
  await using world = await World.start();
  const head = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream";
  const zeros = new Uint8Array(0x0497);
  const anything = nodeProvider.random(0x0497);
  for (
    const [message, code] of [
      [concat(Uint8Array.of(0x04, 0x97), zeros), "unauthenticated"],
      [concat(Uint8Array.of(0x04, 0x97), anything), "unauthenticated"],
      [concat(Uint8Array.of(0xff, 0xff), anything), "malformed"],
    ] as const
  ) {
    const answer = concat(utf8(`${head}\r\n\r\n`), message);
    await using _ = await impostor(world, answer);
    const dialing = world.dial({ dial: dialImpostor(world) });
    assertEquals(await codeOf(dialing), code);
  }
});

Deno.test("dialHtx() says what may be wrong when the server shows its decoy", async () => {
  await using world = await World.start();
  const offer = {
    ...world.offer,
    publicKey: generateX25519(nodeProvider).publicKey,
  };
  for (const address of ["tcp://server:443", "ws://server:443"]) {
    const error = await assertRejects(
      () => world.dial({ offer, address }),
      HtxError,
      "wrong ticket key, a clock off by an hour, or too many tickets",
    );
    assertEquals(error.code, "refused");
  }
  assertEquals(world.gate.counts.forged, 2);
});

Deno.test("dialHtx() gives `unreachable` if nobody listens", async () => {
  await using world = await World.start();
  const dial = () => world.network.transport("client").dial("memory://nobody");
  assertEquals(await codeOf(world.dial({ dial })), "unreachable");
});

Deno.test("dialHtx() gives `timeout` after timeoutMs, wherever it waits", async () => {
  const clock = new VirtualClock();
  await using world = await World.start({ clock }, { clock });
  await using _ = await impostor(world, utf8("HTTP/1.1 200 OK\r\n"));
  const late = async () => {
    const connection = await world.connect();
    await new Promise<void>((resolve) => clock.setTimeout(resolve, 5_000));
    return connection;
  };
  for (const dial of [dialImpostor(world), late]) {
    const dialing = codeOf(world.dial({ dial, timeoutMs: 2_000 }));
    await clock.run(1_999);
    let settled = false;
    void dialing.then(() => settled = true);
    await clock.run(0);
    assertEquals(settled, false);
    await clock.run(5_000);
    assertEquals(await dialing, "timeout");
  }
});

Deno.test("dialHtx() gives the reason of its signal", async () => {
  await using world = await World.start();
  await using _ = await impostor(world, new Uint8Array(0));
  const abort = new AbortController();
  const dialing = assertRejects(
    () => world.dial({ dial: dialImpostor(world), signal: abort.signal }),
    Error,
    "changed my mind",
  );
  abort.abort(new Error("changed my mind"));
  await dialing;
});

Deno.test("dialHtx() never falls back to the classic suite", async () => {
  const clock = new VirtualClock(HYBRID_REQUIRED_FROM_MS - 1);
  const link = { clock };
  await using strict = await World.start({ clock }, link);
  assertEquals(await codeOf(strict.dial({ classic: true })), "reset");
  await using lax = await World.start({ clock, classic: true }, link);
  for (const classic of [true, false]) {
    await using session = await lax.dial({ classic });
    assertEquals(session.stats.streams, 0);
    await clock.run(0);
    const closing = session.close();
    await clock.run(3_000);
    await closing;
  }
  clock.setWallTime(HYBRID_REQUIRED_FROM_MS);
  assertEquals(await codeOf(lax.dial({ classic: true })), "incompatible");
});
