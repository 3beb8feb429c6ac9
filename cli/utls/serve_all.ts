import type { Connection, Listener } from "../../src/core/transport/mod.ts";

/** Serves connections, many at a time, until `listener` closes and all are served; each is closed when `serve` ends or fails. */
export async function serveAll(
  listener: Listener,
  serve: (connection: Connection) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  for await (const connection of listener) {
    const run = serve(connection).catch(() => {}) // it left, as browsers do
      .then(() => connection.close())
      .finally(() => running.delete(run));
    running.add(run);
  }
  await Promise.all(running);
}
