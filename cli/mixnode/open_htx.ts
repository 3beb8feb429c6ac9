import type { CryptoProvider } from "../../src/core/crypto/mod.ts";
import type { Metrics } from "../../src/core/metrics/mod.ts";
import { namespace, type Store } from "../../src/core/storage/mod.ts";
import type { Address } from "../../src/core/transport/mod.ts";
import type { Context } from "../_main.ts";
import { isHtx } from "../htx/htx_address.ts";
import type { HtxIdentity } from "../htx/htx_identity.ts";
import { listenHtx } from "../htx/listen_htx.ts";
import type { MixnodeConfig } from "./config.ts";
import { NODE_HTX } from "./htx_config.ts";
import { HtxStreams } from "./htx_streams.ts";

const NAMESPACE = "mixnode.htx.replay";

/** What {@link openHtx} works with. */
export interface HtxParts {
  /** Remembers tickets. */
  readonly store: Store;
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** Where counts go. */
  readonly metrics: Metrics;
}

/** A node's door for sessions. */
export interface OpenHtx extends AsyncDisposable {
  /** What peers open there. */
  readonly streams: HtxStreams;
  /** Where it listens, `htx:` addresses in the order of `node.listen`. */
  readonly addresses: readonly Address[];
}

/**
 * Listens at the `htx:` addresses of `node.listen`; whoever has no ticket sees the decoy there.
 *
 * @throws {CliError} If the certificate or the decoy do not hold, or an address cannot be listened at.
 */
export async function openHtx(
  node: MixnodeConfig["node"],
  { keys }: Pick<HtxIdentity, "keys">,
  { store, crypto, metrics }: HtxParts,
  context: Pick<Context, "log" | "signal">,
): Promise<OpenHtx> {
  await using opened = new AsyncDisposableStack();
  const { server, addresses } = opened.use(
    await listenHtx(node.listen.filter(isHtx), {
      ...{ keys, crypto, metrics, config: node.htx, section: NODE_HTX },
      store: namespace(store, NAMESPACE),
    }, context),
  );
  const streams = opened.use(new HtxStreams(server, node.drain));
  const closing = opened.move();
  return {
    ...{ streams, addresses },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
