import {
  sqliteStore,
  StorageError,
  type Store,
} from "../../src/core/storage/mod.ts";
import { htx } from "../../mod.ts";
import { CliError } from "../_error.ts";

/** Opens the replay memory. */
export function openStore(path: string): Store {
  try {
    return sqliteStore(path);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    throw new CliError("failed", `Cannot open the replay memory ${path}`, {
      cause: error,
      hint: "Is the folder writable, and is no other server using it?",
    });
  }
}

/** What clients may reach. */
export function allowList(rules: readonly string[]): htx.tunnel.AllowList {
  try {
    return new htx.tunnel.AllowList(rules);
  } catch (error) {
    throw new CliError("usage", "A rule of the allow-list is wrong", {
      cause: error,
      hint:
        'Write targets as "example.org:443", "*.example.org:443" or "10.0.0.0/8:22".',
    });
  }
}

/** Serves the streams of every session until the server has closed. */
export async function forwardAll(
  server: htx.HtxServer,
  forwarder: htx.tunnel.Forwarder,
): Promise<void> {
  const running = new Set<Promise<void>>();
  for await (const session of server) {
    const task = forwarder.serve({
      [Symbol.asyncIterator]: () => session[Symbol.asyncIterator](),
    });
    running.add(task);
    void task.finally(() => running.delete(task));
  }
  await Promise.all(running);
}
