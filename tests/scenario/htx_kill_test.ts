import { assert, assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { type Connection, dialTcp } from "../../src/core/transport/mod.ts";
import { HtxError } from "../../src/htx/error.ts";
import { statusOf, ticketRequest } from "../htx/_ticket_request.ts";
import { World } from "../htx/_world.ts";
import { LineProcess, report } from "./_line_process.ts";
import { ServerKeys, ServerProcess } from "./_server_process.ts";

/** How soon the survivor of a SIGKILL knows; the kernel tells it at once. */
const NOTICE_MS = 5_000;

/** Writes and reads on a stream until it fails, and returns why. */
async function transferUntilFailure(stream: Connection): Promise<unknown> {
  const buffer = new Uint8Array(65_536);
  const failure = (task: () => Promise<unknown>) =>
    (async () => {
      for (;;) await task();
    })().catch((error) => error);
  const [writing, reading] = await Promise.all([
    failure(() => stream.write(new Uint8Array(65_536))),
    failure(async () => {
      if (await stream.read(buffer) === null) throw new Error("Ended");
    }),
  ]);
  assertEquals(writing, reading);
  return writing;
}

Deno.test("SIGKILL of the server ends a client's session and all that waits with a typed error", async () => {
  await using server = await ServerProcess.start();
  const session = await server.dial();
  const streams = [];
  for (let i = 0; i < 5; i++) streams.push(await session.open());
  const transfers = streams.map(transferUntilFailure);
  await server.until(({ bytesIn }) => bytesIn > 1_000_000);
  const pinging = session.ping().then(() => {}, (error) => error);
  const killedAtMs = performance.now();
  await server.process.kill();
  const end = await session.closed;
  const noticedMs = performance.now() - killedAtMs;
  for (const error of await Promise.all(transfers)) {
    assert(error instanceof HtxError && error.code === "closed");
  }
  await pinging;
  assertEquals(end.error?.code, "closed");
  await assertRejects(() => session.open(), HtxError);
  await assertRejects(() => session.ping(), HtxError);
  report(
    `SIGKILL of the server: 5 busy streams fail after ${
      noticedMs.toFixed(0)
    } ms`,
  );
  assert(noticedMs < NOTICE_MS, `${noticedMs} ms`);
});

Deno.test("SIGKILL of a client frees its session at the server", async () => {
  await using server = await ServerProcess.start();
  await using client = new LineProcess(
    "./_htx_client_process.ts",
    server.invitation,
  );
  await client.line();
  await server.until(({ bytesIn }) => bytesIn > 1_000_000);
  const killedAtMs = performance.now();
  await client.kill();
  const { streams } = await server.until(({ sessions }) => sessions === 0);
  const freedMs = performance.now() - killedAtMs;
  assertEquals(streams, 0);
  report(
    `SIGKILL of a client: its session is gone after ${freedMs.toFixed(0)} ms`,
  );
  assert(freedMs < NOTICE_MS, `${freedMs} ms`);
  await using next = await server.dial();
  assert(await next.ping() >= 0);
});

Deno.test("a peer that vanishes without a word is noticed by an unanswered PING", async () => {
  const clock = new VirtualClock();
  await using world = await World.start({ clock }, { clock });
  const { client, server } = await world.pair();
  world.network.partition("client", "server");
  // A PING goes out within 66 s and may stay unanswered for 30 s; the CLOSE that nobody takes costs 2 s more.
  await clock.run(66_000 + 30_000 + 2_000);
  for (const session of [client, server]) {
    assertEquals((await session.closed).error?.code, "timeout");
  }
  assertEquals(world.server.sessions.size, 0);
});

Deno.test("a server that comes back after SIGKILL still refuses the tickets it had taken", async () => {
  const dir = Deno.makeTempDirSync();
  const [keys, storePath] = [new ServerKeys(), `${dir}/replay.db`];
  try {
    const requests = [1, 2, 3].map(() => ticketRequest(keys.offer, Date.now()));
    const statuses = (server: ServerProcess) =>
      Promise.all(requests.map((r) => statusOf(dialTcp(server.address), r)));
    {
      await using server = await ServerProcess.start({ storePath }, keys);
      assertEquals(await statuses(server), [200, 200, 200]);
      await server.process.kill();
    }
    await using server = await ServerProcess.start({ storePath }, keys);
    assertEquals(await statuses(server), [404, 404, 404]);
    const { gate } = await server.stats();
    assertEquals([gate["replayed"], gate["admitted"]], [3, 0]);
    await using session = await server.dial();
    assert(await session.ping() >= 0);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
});
