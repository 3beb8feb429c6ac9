/**
 * A worker with the nodes of a network on TCP, and clients at both gateways.
 *
 * @module
 */
import { systemClock } from "../../src/core/async/mod.ts";
import { silentLogger } from "../../src/core/log/mod.ts";
import { dialTcp, tcp } from "../../src/core/transport/mod.ts";
import type { MixAddress } from "../../src/mixnet/mod.ts";
import { openCrypto } from "../../cli/_crypto.ts";
import { gateClient } from "./_gate_client.ts";
import {
  EPOCH_MS,
  gateDirectory,
  type GateMedium,
  GateNodes,
} from "./_gate_nodes.ts";
import { talk } from "./_gate_traffic.ts";

/** What the program says: how many of the clients' messages are to ask for replies, and to whom else they talk. */
export interface ToNodes {
  readonly requestShare: number;
  readonly address: MixAddress;
}

/** What the worker says once it works. */
export interface FromNodes {
  readonly document: Uint8Array;
  readonly addresses: readonly MixAddress[];
}

const scope = self as unknown as {
  onmessage: (event: MessageEvent<ToNodes>) => void;
  postMessage(message: FromNodes): void;
};
const medium: GateMedium = {
  clock: systemClock,
  crypto: openCrypto("auto", silentLogger),
  random: Math.random,
  listen: () => tcp.listen("tcp://127.0.0.1:0"),
  dial: (_, address, signal) => dialTcp(address, { signal }),
};
const { document } = await GateNodes.start(medium);
const wallMs = Date.now();
const directory = gateDirectory(document, wallMs);
const { nodes } = directory.document(Math.floor(wallMs / EPOCH_MS))!;
const clients = nodes.filter(({ layer }) => layer === 0).map((gateway) =>
  gateClient({
    ...medium,
    directory,
    gateway,
    dial: (signal) => dialTcp(gateway.addresses[0]!, { signal }),
  })
);
const addresses = clients.map(({ address }) => address);
scope.onmessage = ({ data: { requestShare, address } }) => {
  const { clock, random } = medium;
  talk({
    clock,
    random,
    clients,
    addresses: [...addresses, address],
    requestShare,
  });
};
scope.postMessage({ document, addresses });
