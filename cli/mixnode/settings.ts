import { dialTcp, parseAddress } from "../../src/core/transport/mod.ts";
import {
  directory,
  type DocumentTrust,
  type NetworkParameters,
} from "../../src/mixnet/mod.ts";
import { readConfigFile } from "../_config_file.ts";
import type { Context } from "../_main.ts";
import { stateFolder } from "../_state_folder.ts";
import { type MixnodeConfig, SCHEMA } from "./config.ts";

/** Where the configuration is looked for. */
const DEFAULT_CONFIG = "mixnode.toml";

/**
 * Reads `--config`, by default `mixnode.toml`, and puts the flags that were given over it, by dotted key.
 *
 * @throws {CliError} As {@link readConfigFile}.
 */
export function readMixnodeConfig(
  path: string = DEFAULT_CONFIG,
  flags: Readonly<Record<string, string | undefined>> = {},
): MixnodeConfig {
  return readConfigFile(SCHEMA, {
    ...{ path, flags },
    hint: "betanet-mixnode check --print-config prints one to begin with.",
  });
}

/** The folder of the state that `configured` names, or else the user's: made, mode 0700, if it is not there. */
export function mixnodeState(
  configured: string | undefined,
  context: Pick<Context, "env">,
): string {
  return stateFolder("mixnode", configured, context);
}

/** Whose documents count. */
export function trustOf({ network }: MixnodeConfig): DocumentTrust {
  const { name, authorities, threshold } = network;
  return {
    network: name,
    authorities: authorities.map(({ key }) => key),
    threshold: threshold ?? Math.floor(authorities.length / 2) + 1,
  };
}

/** What the network's nodes and clients have in common. */
export function parametersOf({ network }: MixnodeConfig): NetworkParameters {
  const per1000S = (perSecond: number) => Math.round(perSecond * 1_000);
  return {
    network: network.name,
    epochSeconds: Math.max(1, Math.round(network.epoch / 1_000)),
    payloadLength: network.payload_length,
    layers: network.layers,
    meanDelayMs: network.mean_delay,
    maxDelayMs: network.max_delay,
    clientPacketsPer1000S: per1000S(network.client_packets_per_second),
    clientLoopsPer1000S: per1000S(network.client_loops_per_second),
    nodeLoopsPer1000S: per1000S(network.node_loops_per_second),
  };
}

/** Asks authorities over TCP. */
export const askDirectory: directory.DirectoryFetch = directory.directoryFetch(
  (address, signal) => {
    const { hostname, port } = parseAddress(address);
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    return dialTcp(`tcp://${host}:${port}`, { signal });
  },
);
