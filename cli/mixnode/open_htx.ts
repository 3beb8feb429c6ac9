import type { CryptoProvider } from "../../src/core/crypto/mod.ts";
import type { Metrics } from "../../src/core/metrics/mod.ts";
import { namespace, type Store } from "../../src/core/storage/mod.ts";
import type { Address } from "../../src/core/transport/mod.ts";
import { listenTls, type TlsListener } from "../../src/tls/mod.ts";
import { htx } from "../../mod.ts";
import type { Context } from "../_main.ts";
import { openHtxServer } from "../htx/open_htx_server.ts";
import { readCertificate } from "../htx/read_certificate.ts";
import type { MixnodeConfig } from "./config.ts";
import { isHtx } from "./htx_address.ts";
import { NODE_HTX } from "./htx_config.ts";
import type { HtxIdentity } from "./htx_identity.ts";
import { HtxStreams } from "./htx_streams.ts";
import { listenAt } from "./listen_at.ts";

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
  const { server, gate, decoy, listeners } = opened.use(
    await openHtxServer({
      ...{ keys, crypto, metrics, config: node.htx, section: NODE_HTX },
      store: namespace(store, NAMESPACE),
      listen: ({ importKey, ...options }) => {
        const certificate = readCertificate(
          node.htx,
          NODE_HTX,
          keys,
          importKey,
        );
        return listenAll(node.listen.filter(isHtx), {
          ...options,
          certificates: [certificate],
        });
      },
    }, context),
  );
  const { all: tls } = listeners;
  htx.exposeServer(metrics, { server, gate, decoy, tls });
  const streams = opened.use(new HtxStreams(server, node.drain));
  const closing = opened.move();
  return {
    streams,
    addresses: tls.map(({ address }) => address.replace(/^tcp:/, "htx:")),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

async function listenAll(
  addresses: readonly Address[],
  options: Parameters<typeof listenTls>[1],
): Promise<{ readonly all: readonly TlsListener[] }> {
  await using opened = new AsyncDisposableStack();
  const all: TlsListener[] = [];
  for (const address of addresses) {
    const listener = await listenAt(address);
    all.push(opened.use(listenTls(listener, options)));
  }
  opened.move();
  return { all };
}
