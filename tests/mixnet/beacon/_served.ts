import { beaconFetch } from "../../../cli/mixnode/beacon_fetch.ts";
import {
  type HttpHandler,
  serveHttp,
} from "../../../src/core/transport/mod.ts";
import { beacon } from "../../../src/mixnet/mod.ts";
import { assertRejects } from "@std/assert";

/** Runs `use` with a source that asks a server on the loopback, which answers as `handler` says. */
export async function withServed<T>(
  handler: HttpHandler,
  use: (
    at: { readonly url: string; readonly beaconFetch: typeof beaconFetch },
  ) => Promise<T>,
): Promise<T> {
  await using server = serveHttp(handler, { hostname: "127.0.0.1", port: 0 });
  return await use({ url: server.address, beaconFetch });
}

/** The component of `epoch` that `source` gives now. */
export function valueOf(
  source: beacon.BeaconSource,
  epoch: number,
): Promise<Uint8Array | undefined> {
  return source.value(epoch, new AbortController().signal);
}

/** Asserts that `source` fails for `epoch` with `code`. */
export async function assertFails(
  source: beacon.BeaconSource,
  epoch: number,
  code: beacon.BeaconErrorCode,
  message?: string,
): Promise<void> {
  const error = await assertRejects(
    () => valueOf(source, epoch),
    beacon.BeaconError,
  );
  if (error.code !== code || !error.message.includes(message ?? "")) {
    throw error;
  }
}
