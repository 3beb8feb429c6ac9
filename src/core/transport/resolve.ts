import { lookup } from "node:dns/promises";
import { orAbort } from "../async/mod.ts";
import type { DialOptions } from "./connection.ts";
import { TransportError } from "./error.ts";

/**
 * The IP addresses of `name` as the system resolves it, `/etc/hosts` included, best first.
 *
 * The system's resolver cannot be interrupted: after an abort its answer is dropped.
 *
 * @throws {TransportError} `unreachable` if there are none.
 * @throws The reason of the signal.
 */
export async function resolveHost(
  name: string,
  { signal }: DialOptions = {},
): Promise<string[]> {
  signal?.throwIfAborted();
  try {
    const found = await orAbort(lookup(name, { all: true }), signal);
    return found.map(({ address }) => address);
  } catch (cause) {
    signal?.throwIfAborted();
    throw new TransportError("unreachable", "The name does not resolve", {
      cause,
    });
  }
}
