import { assert, assertEquals } from "@std/assert";
import type { Logger } from "../../src/core/log/mod.ts";
import { sqliteStore, StorageError } from "../../src/core/storage/mod.ts";
import { statusOf, ticketRequest } from "../htx/_ticket_request.ts";
import { World } from "../htx/_world.ts";

Deno.test("a server whose replay memory cannot be written shows its decoy until there is room again", async () => {
  const dir = Deno.makeTempDirSync();
  const path = `${dir}/replay.db`;
  try {
    using store = sqliteStore(path, { maxEntries: 2 });
    const { log, failures } = recorder();
    await using world = await World.start({ log }, {}, store);
    const { client } = await world.pair();
    const status = (request: Uint8Array) => statusOf(world.connect(), request);
    const requests = Array.from(
      { length: 5 },
      () => ticketRequest(world.offer, Date.now()),
    );
    const statuses = [];
    for (const request of requests) statuses.push(await status(request));
    assertEquals(statuses, [200, 404, 404, 404, 404]);
    assertEquals(world.gate.counts.full, 4);
    assertEquals(failures.map(({ code }) => code), Array(4).fill("full"));
    assert(await client.ping() >= 0);

    // The limits of the last to open a store hold for all.
    using _roomier = sqliteStore(path, { maxEntries: 100 });
    const again = [];
    for (const request of requests) again.push(await status(request));
    assertEquals(again, [404, 200, 200, 200, 200]);
    assertEquals(world.gate.counts.replayed, 1);
    const { client: next } = await world.pair();
    assert(await next.ping() >= 0 && await client.ping() >= 0);
    assertEquals(failures.length, 4);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
});

/** A logger that keeps the failures of the replay memory. */
function recorder(): { log: Logger; failures: StorageError[] } {
  const failures: StorageError[] = [];
  return {
    failures,
    log: {
      debug() {},
      info() {},
      warn() {},
      error(event, { error } = {}) {
        assertEquals(event, "htx.replay_store_failed");
        assert(error instanceof StorageError);
        failures.push(error);
      },
    },
  };
}
