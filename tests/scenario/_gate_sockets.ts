/**
 * The gate of `mixnet_gate_test.ts` on real sockets and time: what an observer between a client and its gateway sees of a client that
 * talks and of one that is silent. The client has this thread for itself, the observer another, and all nodes and the other clients a
 * third. It prints figures and asserts nothing, as the machine's other work shows in them.
 *
 * ```sh
 * deno run -A tests/scenario/_gate_sockets.ts [seconds] [times the network's rate]
 * ```
 *
 * @module
 */
import { delay, systemClock } from "../../src/core/async/mod.ts";
import { Secret } from "../../src/core/crypto/mod.ts";
import { silentLogger } from "../../src/core/log/mod.ts";
import { dialTcp, parseAddress } from "../../src/core/transport/mod.ts";
import { DirectoryRoutes, RouteDrawer } from "../../src/mixnet/mod.ts";
import { openCrypto } from "../../cli/_crypto.ts";
import { gateClient } from "./_gate_client.ts";
import { EPOCH_MS, gateDirectory, PARAMETERS } from "./_gate_nodes.ts";
import {
  DOWNLINK_PER_SECOND,
  FRAME_LENGTH,
  UPLINK_PER_SECOND,
} from "./_gate_run.ts";
import type { FromNodes, ToNodes } from "./_gate_sockets_nodes.ts";
import type { FromRelay, ToRelay } from "./_gate_sockets_relay.ts";
import { talk } from "./_gate_traffic.ts";
import { type Arm, judge, tableOf } from "./_gate_verdict.ts";

const SETTLE_MS = 5_000;
const REQUEST_SHARE = 0.5;
const WINDOW_MS = 250;
const [seconds = 60, haste = 2.5] = Deno.args.map(Number);

async function arm(talks: boolean): Promise<Arm> {
  const nodes = start<ToNodes, FromNodes>("./_gate_sockets_nodes.ts");
  const relay = start<ToRelay, FromRelay>("./_gate_sockets_relay.ts");
  const { document, addresses } = await nodes.said();
  const directory = gateDirectory(document, Date.now());
  const epoch = Math.floor(Date.now() / EPOCH_MS);
  const gateway = directory.document(epoch)!.nodes
    .find(({ layer }) => layer === 0)!;
  relay.tell({ port: Number(parseAddress(gateway.addresses[0]!).port) });
  const listening = await relay.said() as { port: number };
  const crypto = openCrypto("auto", silentLogger);
  const client = gateClient({
    clock: systemClock,
    crypto,
    random: Math.random,
    directory,
    gateway,
    haste,
    dial: (signal) => dialTcp(`tcp://127.0.0.1:${listening.port}`, { signal }),
    routes: new DirectoryRoutes({
      directory,
      epochSeconds: PARAMETERS.epochSeconds,
      drawer: new RouteDrawer({ crypto, seed: new Secret(crypto.random(32)) }),
      mode: "balanced",
    }),
  });
  if (talks) {
    nodes.tell({ requestShare: REQUEST_SHARE, address: client.address });
    talk({
      clock: systemClock,
      random: Math.random,
      clients: [client],
      addresses: [client.address, ...addresses],
      requestShare: REQUEST_SHARE,
    });
  }
  await delay(systemClock, SETTLE_MS + 1_000 * seconds);
  const { realPackets, coverPackets } = client.stats;
  relay.tell("end");
  const seen = await relay.said() as Exclude<FromRelay, { port: number }>;
  await client.close({ drainMs: 0 });
  nodes.end();
  relay.end();
  // deno-lint-ignore no-console -- a measurement
  console.log(
    `${realPackets} packets with something in them, ${coverPackets} without`,
  );
  const untilMs = seen.down.at(-1)!.atMs;
  return {
    fromMs: untilMs - 1_000 * seconds,
    untilMs,
    links: [{ up: seen.up, down: seen.down }],
  };
}

function start<To, From>(module: string) {
  const worker = new Worker(new URL(module, import.meta.url), {
    type: "module",
  });
  return {
    tell: (message: To) => worker.postMessage(message),
    said: () =>
      new Promise<From>((resolve) => {
        worker.onmessage = ({ data }) => resolve(data);
      }),
    end: () => worker.terminate(),
  };
}

const group = {
  name: "client",
  frameLength: FRAME_LENGTH,
  ratePerSecond: {
    up: haste * UPLINK_PER_SECOND,
    down: DOWNLINK_PER_SECOND,
  },
  windowMs: WINDOW_MS,
};
const [cover, real] = [await arm(false), await arm(true)];
// deno-lint-ignore no-console -- a measurement
console.log(tableOf(judge([{ ...group, cover, real }])));
Deno.exit();
