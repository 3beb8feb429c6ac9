import { HtxLayer, type SessionListener } from "../../src/betanet_cla/mod.ts";
import { encodeBase64Url } from "../../src/core/bytes/mod.ts";
import type { CryptoProvider } from "../../src/core/crypto/mod.ts";
import type { Metrics } from "../../src/core/metrics/mod.ts";
import type { Address } from "../../src/core/transport/mod.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import { isHtx } from "../htx/htx_address.ts";
import { clientKeyPair } from "../htx/keys.ts";
import type { HtxDoor } from "../htx/listen_htx.ts";
import { openDoor } from "../htx/open_door.ts";
import type { DtnNodeConfig } from "./config.ts";
import { HtxRoutes } from "./htx_routes.ts";

/** What {@link openHtx} works with. */
export interface HtxParts {
  /** The folder of the state: keys, our record, the replay memory. */
  readonly folder: string;
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** Where counts go. */
  readonly metrics: Metrics;
}

/** A node's side of HTX. */
export interface OpenHtx extends AsyncDisposable {
  /** Makes contacts; whatever address it is told to listen at, it takes what comes to any of {@link addresses}, once. */
  readonly layer: HtxLayer;
  /** Where it listens, `htx:` addresses in the order of `node.listen`. */
  readonly addresses: readonly Address[];
}

/**
 * Listens at the `htx:` addresses of `node.listen`, and knows the way to those of `node.peers`.
 *
 * @throws {CliError} If keys, certificate or decoy do not hold, an address cannot be listened at, or there are no records of peers.
 */
export async function openHtx(
  { node, htx: config }: DtnNodeConfig,
  { folder, crypto, metrics }: HtxParts,
  context: Pick<Context, "log" | "note" | "signal">,
): Promise<OpenHtx> {
  const { log } = context;
  const dials = node.peers.some(({ address }) => isHtx(address));
  if (dials && config.records.length === 0) {
    throw new CliError("usage", "htx.records names no record", {
      hint:
        "Name the file htx.record of the state of each node that htx: peers are.",
    });
  }
  await using opened = new AsyncDisposableStack();
  const keyPair = clientKeyPair(`${folder}/htx_client.json`);
  const ours = encodeBase64Url(keyPair.publicKey);
  if (dials) context.note(`htx: neighbours know us by the key ${ours}`);
  const routes = opened.use(new HtxRoutes({ config, keyPair, crypto, log }));
  const listened = node.listen.filter(isHtx);
  const door = listened.length === 0 ? undefined : opened.use(
    await openDoor(listened, { config, folder, crypto, metrics }, context),
  );
  const layer = new HtxLayer({
    nodeId: `${node.id}`,
    dial: async (address, options) => {
      try {
        return await routes.to(address).dial(options);
      } catch (error) {
        if (!options.signal.aborted) {
          log.warn("htx.session_failed", { address, error });
        }
        throw error;
      }
    },
    ...door && { listen: () => Promise.resolve(sessionsOf(door)) },
  });
  const closing = opened.move();
  return {
    ...{ layer, addresses: door?.addresses ?? [] },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** Closed, it takes no more connections; the door ends those sessions that are left. */
function sessionsOf(door: HtxDoor): SessionListener {
  return {
    address: door.addresses[0]!,
    [Symbol.asyncIterator]: () => door.server[Symbol.asyncIterator](),
    close: () => door.server.stop(),
  };
}
