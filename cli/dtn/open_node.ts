import { systemClock } from "../../src/core/async/mod.ts";
import { encodeHex } from "../../src/core/bytes/mod.ts";
import { defaultProvider, Secret } from "../../src/core/crypto/mod.ts";
import { Metrics } from "../../src/core/metrics/mod.ts";
import { sqliteStore } from "../../src/core/storage/mod.ts";
import type { Address } from "../../src/core/transport/mod.ts";
import { BundleStore, DtnNode, QUIRKS } from "../../src/dtn/mod.ts";
import type { Context } from "../_main.ts";
import { lockState } from "../_lock_state.ts";
import { secretIn } from "../_secret_in.ts";
import { randomOf } from "../mixnode/network.ts";
import type { DtnNodeConfig } from "./config.ts";
import { destinedTo } from "./destined_to.ts";
import { carrierOf, openLayers } from "./layers.ts";
import { routerOf } from "./router_of.ts";
import { costOf, schedulerOf } from "./schedule_config.ts";
import { securityPolicyOf } from "./security.ts";
import { dtnState } from "./settings.ts";

/** A node that runs. */
export interface RunningDtnNode extends AsyncDisposable {
  /** The node. */
  readonly node: DtnNode;
  /** Its bundles. */
  readonly bundles: BundleStore;
  /** Where it takes contacts. */
  readonly addresses: readonly Address[];
  /** What its convergence layers count. */
  readonly metrics: Metrics;
}

/** Room beside bundles for entries, indices and ids that are known. */
const STORE_FACTOR = 8;
const STORE_CACHE_BYTES = 16 * 1024 * 1024;
/** Bundles that leave before as much has come are written once. */
const STORE_LOG_BYTES = 64 * 1024 * 1024;

/**
 * Starts the node that `config` describes.
 *
 * @throws {CliError} If its state cannot be used, or an address not be listened at.
 */
export async function openNode(
  config: DtnNodeConfig,
  context: Pick<Context, "env" | "log" | "note" | "signal">,
): Promise<RunningDtnNode> {
  const { id: nodeId, lenient, reports } = config.node;
  const folder = dtnState(config, context);
  await using opened = new AsyncDisposableStack();
  opened.use(lockState(folder, "dtn"));
  const crypto = defaultProvider();
  const random = randomOf(crypto);
  const { max_bundles: maxBundles, max_size: maxBytes } = config.store;
  const kept = opened.use(sqliteStore(`${folder}/bundles.sqlite`, {
    maxEntries: STORE_FACTOR * maxBundles + 1_000_000,
    maxBytes: 2 * maxBytes + STORE_FACTOR * 256 * maxBundles,
    synchronous: config.store.synchronous,
    cacheBytes: STORE_CACHE_BYTES,
    logBytes: STORE_LOG_BYTES,
  }));
  const state = opened.use(sqliteStore(`${folder}/routing.sqlite`));
  state.sweep(Math.trunc(systemClock.wallTime()));
  const secret = config.store.encrypt
    ? new Secret(Uint8Array.fromHex(
      secretIn(folder, "store.key", () => encodeHex(crypto.random(32))),
    ))
    : undefined;
  const bundles = opened.use(
    new BundleStore({
      ...{ store: kept, crypto, evicts: config.store.evict },
      limits: { maxBundles, maxBytes },
      onEvicted: (entry) => node.evicted(entry),
      ...secret && { secret },
    }),
  );
  const metrics = new Metrics();
  const layers = opened.use(
    await openLayers(config, { folder, crypto, metrics }, context),
  );
  const security = securityPolicyOf(config.security, nodeId, crypto);
  const node: DtnNode = opened.use(
    new DtnNode({
      ...{ nodeId, store: bundles, random, reports, log: context.log },
      router: routerOf(config, { crypto, store: state, bundles }),
      scheduler: schedulerOf(config.schedule),
      silenceMs: config.schedule.silence,
      fragments: config.node.fragment,
      allowsPlaintext: destinedTo(config.node.plaintext),
      wantsPrivacy: destinedTo(config.privacy.strict),
      ...security && { security },
      ...lenient && { quirks: QUIRKS },
    }),
  );
  const { listeners, addresses } = await layers.listen();
  for (const each of listeners) {
    node.serve(each.listener, costOf(config.cost, each.address));
  }
  for (const { address, nodeId: peer } of config.node.peers) {
    const cost = costOf(config.cost, address);
    node.connect(layers.of(address), carrierOf(address), peer, cost);
  }
  const closing = opened.move();
  return {
    ...{ node, bundles, addresses, metrics },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
