import { systemClock } from "../../src/core/async/mod.ts";
import { encodeHex, equal } from "../../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  x25519KeyPair,
} from "../../src/core/crypto/mod.ts";
import type { Metrics } from "../../src/core/metrics/mod.ts";
import { sqliteStore, type StoreLimits } from "../../src/core/storage/mod.ts";
import type { Address } from "../../src/core/transport/mod.ts";
import {
  directory,
  EpochKeys,
  node,
  sphinxGeometry,
} from "../../src/mixnet/mod.ts";
import type { Context } from "../_main.ts";
import type { MixnodeConfig } from "./config.ts";
import { NODE_STORE } from "./describe.ts";
import { readKeys } from "./keys.ts";
import { openListeners } from "./listeners.ts";
import { lockState } from "../_lock_state.ts";
import { mailboxLimitsOf } from "./mailbox_limits_of.ts";
import { mixStrategyOf } from "./mix_strategy_of.ts";
import {
  authoritiesOf,
  firstDocument,
  openDirectory,
  randomOf,
} from "./network.ts";
import { NodeDialer } from "./node_dialer.ts";
import { openMixCrypto } from "./open_mix_crypto.ts";
import { ownDescriptor } from "./own_descriptor.ts";
import { askDirectory, mixnodeState, parametersOf } from "./settings.ts";
import { spawnUnwrapWorker } from "./unwrap_worker.ts";

/** A node that runs. */
export interface RunningMixnode extends AsyncDisposable {
  /** Its id, in hexadecimal. */
  readonly id: string;
  /** What it is made of. */
  readonly server: node.MixServer;
  /** The network as it knows it. */
  readonly directory: directory.DirectoryClient;
  /** Where it listens. */
  readonly addresses: readonly Address[];
  /** Whether the document of this epoch names it. */
  readonly isListed: boolean;
}

/**
 * Starts the node that `config` describes: listens, publishes what it says of itself, and works once there is a document of the
 * network, whose parameters it takes.
 *
 * @throws {CliError} If its keys or addresses cannot be had.
 * @throws The reason of the signal.
 */
export async function openMixnode(
  config: MixnodeConfig,
  metrics: Metrics,
  context: Context,
): Promise<RunningMixnode> {
  const { log } = context;
  const folder = mixnodeState(config.node.state, context);
  const keys = readKeys(folder, "node");
  const authorities = authoritiesOf(config);
  await using opened = new AsyncDisposableStack();
  opened.use(lockState(folder, "node"));
  const store = opened.use(
    sqliteStore(`${folder}/${NODE_STORE}`, storeLimits(config)),
  );
  const crypto = openMixCrypto(config.node.crypto, log);
  const random = randomOf(crypto);
  const epochKeys = opened.use(new EpochKeys({ crypto, store }));
  const parts = { folder, store, crypto, metrics };
  const listening = opened.use(
    await openListeners(config.node, parts, context),
  );
  const dialer = opened.use(
    new NodeDialer({ crypto, log, session: config.node.htx.session }),
  );
  const client = openDirectory({ config, crypto, store }, context);
  const tasks: Promise<void>[] = [];
  opened.defer(async () => void await Promise.all(tasks));
  const over = opened.adopt(new AbortController(), (each) => each.abort());
  const { reached, sources: listeners } = listening;
  const own = { crypto, config, keys, epochKeys, reached };
  const { epochSeconds } = parametersOf(config);
  tasks.push(directory.publishDescriptor({
    ...{ authorities, epochSeconds, random, log, ask: askDirectory },
    signal: over.signal,
    describe: (epoch) =>
      ownDescriptor(own, epoch, systemClock.wallTime()).bytes,
  }));
  const { parameters } = await firstDocument(client, random, context);
  tasks.push(client.run(over.signal));
  const geometry = sphinxGeometry(parameters.payloadLength);
  const pool = opened.use(await openPool(config, crypto, geometry));
  const id = crypto.ed25519.publicKey(keys.identitySeed.expose());
  const { mixing, role } = config.node;
  const framesPerSecond = config.node.peer_packets_per_second;
  const server = opened.use(
    new node.MixServer({
      ...{ crypto, id, pool, store, parameters, listeners, log, random },
      linkKeyPair: x25519KeyPair(crypto, keys.linkKey.expose()),
      keys: epochKeys,
      directory: client,
      isGateway: role === "gateway",
      dial: (address, signal, peer) => dialer.dial(address, signal, peer),
      peerRate: { framesPerSecond, burstFrames: 2 * framesPerSecond },
      strategy: mixStrategyOf(config.node, {
        ...parameters,
        random,
        onLateness: node.latenessHook(metrics),
      }),
      replayCapacity: mixing.replay_capacity,
      minEntropyBits: mixing.min_entropy,
      mailboxes: mailboxLimitsOf(config.node),
    }),
  );
  node.exposeMixServer(metrics, server, { pool, clock: systemClock });
  const closing = opened.move();
  return {
    id: encodeHex(id),
    server,
    directory: client,
    addresses: reached().addresses,
    get isListed() {
      return client.document(client.epoch)?.nodes.some(({ identityKey }) =>
        equal(identityKey, id)
      ) ?? false;
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** Threads of `node.workers`, or none but this one. */
async function openPool(
  { node: { workers, crypto: name } }: MixnodeConfig,
  crypto: CryptoProvider,
  geometry: ReturnType<typeof sphinxGeometry>,
): Promise<node.UnwrapPool> {
  const threads = workers ?? Math.max(1, navigator.hardwareConcurrency - 1);
  if (threads === 0) return new node.LocalUnwrapPool(crypto);
  return await node.WorkerUnwrapPool.start({
    geometry,
    workers: threads,
    spawn: () => spawnUnwrapWorker(name),
  });
}

/** Room for full mailboxes, three epochs of replay tags, and the rest. */
function storeLimits(
  { node: { mailboxes, mixing } }: MixnodeConfig,
): StoreLimits {
  const tags = 3 * mixing.replay_capacity;
  return {
    maxBytes: 2 * mailboxes.max_size + 32 * tags + 256 * 1024 * 1024,
    maxEntries: 2 * mailboxes.max_messages + tags + 1_000_000,
  };
}
