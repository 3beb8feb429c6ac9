import {
  type CryptoProvider,
  generateX25519,
} from "../../src/core/crypto/mod.ts";
import type { Clock } from "../../src/core/async/mod.ts";
import type { Connection } from "../../src/core/transport/mod.ts";
import {
  type Directory,
  type DirectoryNode,
  type MixAddress,
  MixClient,
  sphinxGeometry,
} from "../../src/mixnet/mod.ts";
import type { RouteSource } from "../../src/mixnet/client/route_source.ts";
import { dialLink } from "../../src/mixnet/link/dial_link.ts";
import { drawRoute } from "../../src/mixnet/route/draw_route.ts";
import { EPOCH_MS, PARAMETERS } from "./_gate_nodes.ts";

const GEOMETRY = sphinxGeometry(PARAMETERS.payloadLength);

/** What a client of the network needs. */
export interface GateClientOptions {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly random: () => number;
  readonly directory: Directory;
  /** Where its mailbox is. */
  readonly gateway: DirectoryNode;
  readonly dial: (signal: AbortSignal) => Promise<Connection>;
  /** Where routes come from; by default they are drawn without a VRF, which takes longer and draws the same. */
  readonly routes?: RouteSource;
  /** How many times as often as the network says it sends. */
  readonly haste?: number;
}

/** A client and where it is reached. */
export function gateClient(options: GateClientOptions): MixClient {
  const { crypto, clock, gateway, haste = 1 } = options;
  const [link, seal] = [generateX25519(crypto), generateX25519(crypto)];
  const address: MixAddress = {
    gatewayId: gateway.identityKey.slice(),
    clientId: link.publicKey,
    sealKey: seal.publicKey,
  };
  return new MixClient({
    crypto,
    clock,
    random: options.random,
    geometry: GEOMETRY,
    address,
    sealKeyPair: seal,
    routes: options.routes ?? quickRoutes(options),
    dial: async (signal) =>
      await dialLink(await options.dial(signal), {
        crypto,
        clock,
        signal,
        network: PARAMETERS.network,
        packetLength: GEOMETRY.packetLength,
        staticKeyPair: link,
        remoteStaticKey: gateway.linkKey,
      }),
    packetsPerSecond: haste * PARAMETERS.clientPacketsPer1000S / 1_000,
    loopsPerSecond: haste * PARAMETERS.clientLoopsPer1000S / 1_000,
  });
}

function quickRoutes(
  { clock, crypto, directory }: GateClientOptions,
): RouteSource {
  const epoch = Math.floor(clock.wallTime() / EPOCH_MS);
  const { nodes } = directory.document(epoch)!;
  const gateways = nodes.filter(({ layer }) => layer === 0)
    .map(({ identityKey }) => identityKey);
  return {
    gateways: () => gateways,
    usableUntilMs: () => (epoch + 2) * EPOCH_MS,
    route(_, from, to) {
      const route = drawRoute(crypto, crypto.random(64), 0, {
        ...PARAMETERS,
        nodes,
        epoch,
        from,
        to,
        mode: "balanced",
      });
      return route && { ...route, epoch };
    },
  };
}
