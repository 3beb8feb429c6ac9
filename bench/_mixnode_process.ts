import { systemClock } from "../src/core/async/mod.ts";
import { Metrics } from "../src/core/metrics/mod.ts";
import { x25519KeyPair } from "../src/core/crypto/mod.ts";
import { sqliteStore } from "../src/core/storage/mod.ts";
import { dialTcp, listenTcp } from "../src/core/transport/mod.ts";
import {
  directory,
  EpochKeys,
  node,
  sphinxGeometry,
} from "../src/mixnet/mod.ts";
import { command, main } from "../cli/_main.ts";
import { startStatus } from "../cli/htx/status.ts";
import { NODE_STORE } from "../cli/mixnode/describe.ts";
import { readKeys } from "../cli/mixnode/keys.ts";
import { openMixCrypto } from "../cli/mixnode/open_mix_crypto.ts";
import {
  askDirectory,
  parametersOf,
  readMixnodeConfig,
  stateFolder,
  trustOf,
} from "../cli/mixnode/settings.ts";
import {
  spawnUnwrapWorker,
  unwrapWorker,
} from "../cli/mixnode/unwrap_worker.ts";

/** A mixnode of all its parts. */
const start = command({
  usage: "",
  flags: { config: "string", threads: "string" },
  async run(flags, context) {
    const { log, signal } = context;
    const config = readMixnodeConfig(flags.config);
    const crypto = openMixCrypto(config.node.crypto, log);
    const folder = stateFolder(config.node.state, context);
    const keys = readKeys(folder, "node");
    const parameters = parametersOf(config);
    const metrics = new Metrics();
    const store = sqliteStore(`${folder}/${NODE_STORE}`);
    const pool = await node.WorkerUnwrapPool.start({
      spawn: () => spawnUnwrapWorker(config.node.crypto),
      workers: Number(flags.threads),
      geometry: sphinxGeometry(parameters.payloadLength),
    });
    const client = new directory.DirectoryClient({
      ...{ crypto, store, log, ask: askDirectory },
      trust: trustOf(config),
      epochSeconds: parameters.epochSeconds,
      authorities: config.network.authorities.map(({ address }) => address),
      random: Math.random,
    });
    await client.update(client.epoch, signal);
    const server = new node.MixServer({
      ...{ crypto, parameters, pool, store, log, directory: client },
      id: crypto.ed25519.publicKey(keys.identitySeed.expose()),
      linkKeyPair: x25519KeyPair(crypto, keys.linkKey.expose().slice()),
      keys: new EpochKeys({ crypto, store }),
      isGateway: false,
      listeners: config.node.listen.map((address) => listenTcp(address)),
      dial: (address, signal) => dialTcp(address, { signal }),
      onLateness: node.latenessHook(metrics),
    });
    node.exposeMixNode(metrics, {
      ...{ node: server.node, replay: server.replay, egress: server.egress },
      ...{ pool, clock: systemClock },
    });
    startStatus({
      name: "bench",
      listen: config.node.status,
      ...{ metrics, health: () => ({}), ready: () => ({}) },
    }, context);
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    await server.drain(1_000);
    pool[Symbol.dispose]();
    store[Symbol.dispose]();
  },
});

await main({
  name: "bench-mixnode",
  usage: "",
  commands: { start },
  workers: { unwrap: unwrapWorker },
});
