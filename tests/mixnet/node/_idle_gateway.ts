import { VirtualClock } from "../../../src/core/async/mod.ts";
import { generateX25519, nodeProvider } from "../../../src/core/crypto/mod.ts";
import { silentLogger } from "../../../src/core/log/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import { EpochKeys } from "../../../src/mixnet/directory/epoch_keys.ts";
import { MixServer } from "../../../src/mixnet/node/mix_server.ts";
import { LocalUnwrapPool } from "../../../src/mixnet/node/unwrap_pool.ts";

/** A gateway that nobody knows and that listens nowhere. */
export function idleGateway(): {
  readonly server: MixServer;
  readonly pool: LocalUnwrapPool;
  readonly clock: VirtualClock;
} {
  const clock = new VirtualClock();
  const crypto = nodeProvider;
  const pool = new LocalUnwrapPool(crypto);
  const store = memoryStore();
  const server = new MixServer({
    ...{ clock, crypto, pool, store, log: silentLogger },
    id: crypto.random(32),
    linkKeyPair: generateX25519(crypto),
    keys: new EpochKeys({ crypto, store }),
    directory: { document: () => undefined },
    parameters: {
      network: "idle",
      epochSeconds: 3_600,
      payloadLength: 1_700,
      layers: 3,
      meanDelayMs: 50,
      maxDelayMs: 1_000,
      clientPacketsPer1000S: 0,
      clientLoopsPer1000S: 0,
      nodeLoopsPer1000S: 0,
    },
    isGateway: true,
    listeners: [],
    dial: () => Promise.reject(new Error("Nobody is there")),
  });
  return { server, pool, clock };
}
