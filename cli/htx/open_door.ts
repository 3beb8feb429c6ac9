import type { CryptoProvider } from "../../src/core/crypto/mod.ts";
import type { Metrics } from "../../src/core/metrics/mod.ts";
import type { Address } from "../../src/core/transport/mod.ts";
import { htx } from "../../mod.ts";
import type { Context } from "../_main.ts";
import type { BetweenNodesConfig } from "./between_nodes.ts";
import { HtxIdentity } from "./htx_identity.ts";
import { type HtxDoor, listenHtx } from "./listen_htx.ts";
import { writeRecord } from "./record.ts";
import { openStore } from "./server_parts.ts";

/** Parts of {@link openDoor}. */
export interface DoorParts {
  /** What is behind the addresses. */
  readonly config: BetweenNodesConfig;
  /** Our keys; those in the folder by default, made if there are none. */
  readonly identity?: HtxIdentity;
  /** Where keys, record and replay memory are. */
  readonly folder: string;
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** Where counts go. */
  readonly metrics: Metrics;
}

/** Our record for others, in the folder of the state. */
const RECORD_FILE = "htx.record";
/** How often it is looked whether the next ticket key is due. */
const PUBLISH_EVERY_MS = 3_600_000;

/**
 * Listens at `htx:` addresses, and keeps our record in the folder of the state.
 *
 * @throws {CliError} As {@link listenHtx}, or if the state cannot be used.
 */
export async function openDoor(
  addresses: readonly Address[],
  { config, folder, crypto, metrics, ...parts }: DoorParts,
  context: Pick<Context, "log" | "note" | "signal">,
): Promise<HtxDoor> {
  await using opened = new AsyncDisposableStack();
  const identity = parts.identity ??
    await HtxIdentity.load(folder, config, context);
  const store = opened.use(openStore(`${folder}/htx.sqlite`));
  const { clients, quic } = config;
  const door = opened.use(
    await listenHtx(addresses, {
      ...{ config, crypto, metrics, store, quic },
      keys: identity.keys,
      section: "htx",
      options: clients.length > 0 ? { clients } : {},
    }, context),
  );
  const path = `${folder}/${RECORD_FILE}`;
  const publish = () => {
    const ours = config.addresses.length > 0
      ? config.addresses
      : door.addresses;
    writeRecord(path, htx.formatPeerRecord(identity.record(ours, quic)!));
  };
  publish();
  context.note(`others reach ${door.addresses.join(" and ")} by ${path}`);
  const publishing = setInterval(publish, PUBLISH_EVERY_MS);
  opened.defer(() => clearInterval(publishing));
  const closing = opened.move();
  return { ...door, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}
