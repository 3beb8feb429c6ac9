import { systemClock } from "../../src/core/async/mod.ts";
import { utf8 } from "../../src/core/bytes/mod.ts";
import { x25519KeyPair } from "../../src/core/crypto/mod.ts";
import {
  namespace,
  sqliteStore,
  type Store,
} from "../../src/core/storage/mod.ts";
import {
  type DirectoryNode,
  DirectoryRoutes,
  MixClient,
  RouteDrawer,
  sphinxGeometry,
} from "../../src/mixnet/mod.ts";
import { CliError } from "../_error.ts";
import type { Context, Program } from "../_main.ts";
import { clientProgram } from "./client.ts";
import type { ConfiguredClient } from "./configured_client.ts";
import { gatewayDial } from "./gateway_dial.ts";
import { readKeys } from "./keys.ts";
import { lockState } from "../_lock_state.ts";
import { firstDocument, openDirectory, randomOf } from "./network.ts";
import { NodeDialer } from "./node_dialer.ts";
import { openMixCrypto } from "./open_mix_crypto.ts";
import { ProofFolder } from "./proof_folder.ts";
import { mixnodeState, readMixnodeConfig } from "./settings.ts";

const NAMESPACE = "client";
const GATEWAY = utf8("gateway");

/** Reads the keys and `[client]` of `mixnode.toml`, and waits for a document of the network; proves its routes if `proofsPath` is a folder for that. */
export async function configureClient(
  path: string | undefined,
  context: Pick<Context, "env" | "log" | "note" | "signal">,
  proofsPath?: string,
): Promise<ConfiguredClient> {
  const { log } = context;
  const config = readMixnodeConfig(path);
  const { state, mode, crypto: name } = config.client;
  const folder = mixnodeState(state ?? config.node.state, context);
  const keys = readKeys(folder, "client");
  await using opened = new AsyncDisposableStack();
  opened.use(lockState(folder, "client"));
  const store = opened.use(sqliteStore(`${folder}/client.sqlite`));
  const crypto = openMixCrypto(name, log);
  const random = randomOf(crypto);
  const client = openDirectory({ config, crypto, store }, context);
  const proofs = proofsPath === undefined
    ? undefined
    : opened.use(new ProofFolder(proofsPath, { mode, directory: client, log }));
  const { parameters, nodes } = await firstDocument(client, random, context);
  const drawer = new RouteDrawer({ crypto, seed: keys.vrfSeed });
  const tasks: Promise<void>[] = [];
  opened.defer(async () => void await Promise.all(tasks));
  const over = opened.adopt(new AbortController(), (each) => each.abort());
  tasks.push(client.run(over.signal));
  const gatewayId = new Uint8Array(
    config.client.gateway ?? chosenGateway(nodes, store, random),
  );
  const link = x25519KeyPair(crypto, keys.linkKey.expose());
  const seal = x25519KeyPair(crypto, keys.sealKey.expose());
  const address = {
    gatewayId,
    clientId: link.publicKey,
    sealKey: seal.publicKey,
  };
  const { epochSeconds, network } = parameters;
  const geometry = sphinxGeometry(parameters.payloadLength);
  const dialer = opened.use(new NodeDialer({ crypto, log }));
  const dial = gatewayDial({ directory: client, gatewayId, dialer, log }, {
    ...{ crypto, network, packetLength: geometry.packetLength },
    staticKeyPair: link,
  });
  const closing = opened.move();
  return {
    address,
    connect: () =>
      new MixClient({
        ...{ crypto, geometry, address, random, dial },
        store: namespace(store, "mixnet.client"),
        clock: systemClock,
        sealKeyPair: seal,
        packetsPerSecond: parameters.clientPacketsPer1000S / 1_000,
        loopsPerSecond: parameters.clientLoopsPer1000S / 1_000,
        routes: new DirectoryRoutes({
          ...{ directory: client, epochSeconds, mode, drawer },
          ...(proofs && {
            onRoute: (route, beacon) =>
              proofs.add(route, drawer.prove(beacon, route)),
          }),
        }),
      }),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** The commands of the client that `mixnode.toml` describes. */
export const clientCommands: Program = clientProgram(configureClient);

/** A gateway of the network by chance; the same from then on, as our address names it. */
function chosenGateway(
  nodes: readonly DirectoryNode[],
  store: Store,
  random: () => number,
): Uint8Array {
  const kept = namespace(store, NAMESPACE);
  const known = kept.get(GATEWAY);
  if (known) return known;
  const gateways = nodes.filter(({ layer }) => layer === 0);
  const chosen = gateways[Math.floor(random() * gateways.length)];
  if (!chosen) throw new CliError("failed", "The network has no gateway");
  kept.set(GATEWAY, chosen.identityKey);
  return chosen.identityKey;
}
