import type { CryptoProvider } from "../../src/core/crypto/mod.ts";
import type { Logger } from "../../src/core/log/mod.ts";
import { readTextFile } from "../../src/core/storage/mod.ts";
import { beacon, type directory } from "../../src/mixnet/mod.ts";
import { CliError } from "../_error.ts";
import { beaconFetch } from "./beacon_fetch.ts";
import type { MixnodeConfig } from "./config.ts";
import { parametersOf } from "./settings.ts";

/** What asks the sources that `[authority.beacon]` names. */
export function beaconOf(
  config: MixnodeConfig,
  crypto: CryptoProvider,
  log: Logger,
): directory.DirectoryAuthorityOptions["beacon"] {
  const { drand, nist, ethereum, file } = config.authority.beacon;
  const { epochSeconds } = parametersOf(config);
  const common = { crypto, beaconFetch, epochSeconds };
  const sources = [
    ...(drand === undefined
      ? []
      : [beacon.drandBeacon({ ...common, url: drand })]),
    ...(nist === undefined
      ? []
      : [beacon.nistBeacon({ ...common, url: nist })]),
    ...(ethereum === undefined
      ? []
      : [beacon.ethereumBeacon({ ...common, url: ethereum })]),
    ...(file === undefined ? [] : sourcesIn(file)),
  ];
  return async (epoch, signal) => {
    const { components, failures } = await beacon.gatherBeacon(
      epoch,
      sources,
      signal,
    );
    for (const [name, error] of failures) {
      log.warn("directory.beacon", { name, error });
    }
    return components;
  };
}

function sourcesIn(file: string): beacon.BeaconSource[] {
  try {
    return beacon.parseBeaconFile(readTextFile(file));
  } catch (cause) {
    throw new CliError("failed", `${file} does not hold a beacon`, { cause });
  }
}
