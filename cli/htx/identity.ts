import { systemClock } from "../../src/core/async/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import type { Address } from "../../src/core/transport/mod.ts";
import type { Context } from "../_main.ts";
import type { TicketsConfig } from "./accept_config.ts";
import type { HtxConfig } from "./config.ts";
import {
  makeServerKeys,
  readServerKeys,
  type ServerKeys,
  writeServerKeys,
} from "./keys.ts";
import { makeRecord, writeRecord } from "./record.ts";
import { PROGRAM } from "./settings.ts";

type ServerConfig = HtxConfig["server"];

/** Reads the keys in `path`, or makes and saves them; makes the next ticket key when it is time. */
export async function loadKeys(
  path: string,
  tickets: TicketsConfig,
  { note }: Pick<Context, "note">,
): Promise<ServerKeys> {
  const known = readServerKeys(path);
  const keys = known ?? await makeServerKeys();
  rotateKeys(path, keys, tickets);
  note(`${known ? "keys from" : "new keys in"} ${path}`);
  return keys;
}

/** What a running server tells its operator and its clients. */
export interface Published {
  /** Its configuration. */
  readonly config: ServerConfig;
  /** Its keys. */
  readonly keys: ServerKeys;
  /** Where it listens. */
  readonly addresses: readonly Address[];
  /** The folder of its state. */
  readonly state: string;
  /** Where its status is, if anywhere. */
  readonly status: Address | undefined;
}

/** Makes the next ticket key when it is time, saves and publishes it. */
export function rotate(published: Published, context: Context): void {
  const { log } = context;
  const { config, keys, state } = published;
  try {
    if (!rotateKeys(`${state}/server.json`, keys, config.tickets)) return;
    log.info("htx.ticket_key_rotated");
    announce(published, context);
  } catch (error) {
    log.error("htx.keys_not_saved", { error });
  }
}

/**
 * Makes the next ticket key when it is time, and saves the keys in `path`.
 *
 * @returns Whether it was time.
 * @throws {StorageError} If they cannot be saved.
 */
export function rotateKeys(
  path: string,
  keys: ServerKeys,
  { lifetime, overlap }: TicketsConfig,
): boolean {
  const rotated = keys.ring.rotate(defaultProvider(), systemClock.wallTime(), {
    lifetimeMs: lifetime,
    overlapMs: overlap,
  });
  if (rotated) writeServerKeys(path, keys);
  return rotated;
}

/** Writes the peer record and prints how clients use it. */
export function announce(
  { config, keys, addresses, state, status }: Published,
  { print, note }: Context,
): void {
  const record = makeRecord(config, keys, addresses);
  const path = `${state}/server.record`;
  writeRecord(path, record);
  const allowed = config.allow.length > 0
    ? config.allow.join(", ")
    : "nothing: add --allow host:port";
  note(`listening at ${addresses.join(" and ")}; clients may reach ${allowed}`);
  print(
    { addresses, status, record, recordFile: path },
    `${PROGRAM} proxy --server ${record}`,
  );
}
